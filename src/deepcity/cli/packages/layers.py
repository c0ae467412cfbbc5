"""`deepcity layers`: inspect and verify layer packages."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deepcity.city.errors import LayerPackageError
from deepcity.city.given_path import no_run
from deepcity.store.packages.layer_package import LayerPackage, load_package
from deepcity.store.packages.manifest import SUFFIX, Manifest

app = typer.Typer(
    help=(
        "Inspect and verify layer packages.\n\n"
        "A layer package holds trained layers that others may reuse, and a manifest: where, when "
        "and for which service they were trained, and their errors. Its file is named "
        "NAME-HASH.layers, with the hash of its content.\n\n"
        "Example: deepcity layers verify runs/demo/coordinator/layers/*.layers"
    ),
    no_args_is_help=True,
)

AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON, for scripts, instead of a table.")
]
Folder = Annotated[Path, typer.Argument(help="A run's folder, or one that holds .layers files.")]
File = Annotated[Path, typer.Argument(help="A .layers file.")]
Files = Annotated[list[Path], typer.Argument(help="One or more .layers files.")]

Checked = dict[Path, LayerPackage | LayerPackageError]


@app.command("list")
def list_packages(folder: Folder, as_json: AsJson = False) -> None:
    """List the layer packages of a run or folder and verify each; exit 1 if any is refused.

    Example: deepcity layers list runs/demo
    """
    if not folder.is_dir():
        raise LayerPackageError("{}: {}; {}".format(folder, *no_run(folder)))
    checked = _check(_packages(folder))
    if as_json:
        typer.echo(json.dumps([_as_dict(path, result) for path, result in checked.items()]))
    elif not checked:
        lacking = f"it holds no {SUFFIX} files, which `deepcity run` writes when it ends"
        raise LayerPackageError("{}: {}; {}".format(folder, *no_run(folder, lacking)))
    else:
        _print_list(checked)
    _end(checked)


@app.command()
def show(file: File, as_json: AsJson = False) -> None:
    """Show all facts of one layer package: its manifest and every tensor; exit 1 if refused.

    Example: deepcity layers show runs/demo/coordinator/layers/water-common-0123456789ab.layers
    """
    checked = _check([file])
    result = checked[file]
    if as_json:
        typer.echo(json.dumps(_as_dict(file, result)))
    elif isinstance(result, LayerPackage):
        _print_manifest(result.manifest)
    else:
        typer.echo(str(result), err=True)
    _end(checked)


@app.command()
def verify(files: Files, as_json: AsJson = False) -> None:
    """Verify layer packages: name, format, hash, shapes and weights; exit 1 if any is refused.

    Example: deepcity layers verify runs/demo/coordinator/layers/*.layers
    """
    checked = _check(files)
    if as_json:
        typer.echo(json.dumps([_as_dict(path, result) for path, result in checked.items()]))
    else:
        for path, result in checked.items():
            trusted = isinstance(result, LayerPackage)
            typer.echo(f"{path}: whole" if trusted else str(result), err=not trusted)
    _end(checked)


def _packages(folder: Path) -> list[Path]:
    """Those of the folder, and those that a run wrote into its coordinator's folder."""
    patterns = (f"*{SUFFIX}", f"layers/*{SUFFIX}", f"coordinator/layers/*{SUFFIX}")
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]


def _check(paths: list[Path]) -> Checked:
    checked: Checked = {}
    for path in paths:
        try:
            checked[path] = load_package(path)
        except LayerPackageError as error:
            checked[path] = error
    return checked


def _end(checked: Checked) -> None:
    if any(isinstance(result, LayerPackageError) for result in checked.values()):
        raise typer.Exit(1)


def _as_dict(path: Path, result: LayerPackage | LayerPackageError) -> dict[str, Any]:
    if isinstance(result, LayerPackageError):
        return {"file": str(path), "whole": False, "reason": str(result)}
    return {"file": str(path), "whole": True, "manifest": result.manifest.model_dump(mode="json")}


def _print_list(checked: Checked) -> None:
    table = Table(box=None)
    for name in ("package", "city", "service", "layers", "weights", "trained"):
        table.add_column(name, overflow="fold")  # a hash is of use only whole
    for path, result in checked.items():
        if isinstance(result, LayerPackage):
            table.add_row(escape(path.name), *map(escape, _summary(result.manifest)))
        else:
            table.add_row(escape(path.name), "[red]refused[/]", "", "", "", "")
    Console().print(table)
    for result in checked.values():
        if isinstance(result, LayerPackageError):
            typer.echo(str(result), err=True)


def _summary(manifest: Manifest) -> tuple[str, ...]:
    span = f"{manifest.trained_from:%Y-%m-%d} to {manifest.trained_to:%Y-%m-%d}"
    layers = " ".join(manifest.layers)
    return manifest.city, manifest.service, layers, f"{manifest.weight_count:,}", span


def _print_manifest(manifest: Manifest) -> None:
    facts = Table("fact", "value", box=None)
    for name, value in manifest.model_dump(mode="json", exclude={"layers"}).items():
        facts.add_row(name, escape(value if isinstance(value, str) else json.dumps(value)))
    tensors = Table("layer", "tensor", "shape", "type", box=None)
    for layer, members in manifest.layers.items():
        for name, tensor in members.items():
            shape = " x ".join(map(str, tensor.shape)) or "scalar"
            tensors.add_row(escape(layer), escape(name), shape, tensor.dtype)
    console = Console()
    console.print(facts)
    console.print()
    console.print(tensors)
