"""`deepcity report FOLDER`: write the report of a finished run again."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcity.city.errors import CheckpointError
from deepcity.cli.progress_bars import errors

if TYPE_CHECKING:
    from deepcity.runs.results import RunResults
    from deepcity.vertical.results import VerticalResults

_RESULTS = ("results.json", "vertical.json")


def _file(text: str) -> Path:
    """A file that is there or can be made, as named on the command line."""
    path = Path(text)
    if not text.strip():
        raise typer.BadParameter("it is empty; name a file")
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; name a file")
    return path


def report(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder of a finished `run` or `train-vertical`.", metavar="FOLDER"),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="HTML file to write. Default: FOLDER/report.html.", metavar="FILE", parser=_file
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON, and write no report.")
    ] = False,
) -> None:
    """Write the report of a finished run again: one HTML page that opens offline.

    Example: deepcity report runs/demo
    """
    from deepcity.runs.run import load_results
    from deepcity.vertical.run import has_vertical_results, load_vertical_results

    _refuse_old(folder)
    path = out or folder / "report.html"
    if has_vertical_results(folder) and not (folder / "results.json").exists():
        vertical = load_vertical_results(folder)
        if as_json:
            typer.echo(vertical.model_dump_json(indent=1))
            return
        save_vertical_report(vertical, path, folder)
    else:
        results = load_results(folder)
        if as_json:
            typer.echo(results.model_dump_json(indent=1))
            return
        save_report(results, path, folder)
    errors.print(f"Report: {path}")


def _refuse_old(folder: Path) -> None:
    """Results of 0.1's `deepcity meet`, under their old name, are refused with the next step."""
    old = folder / "meeting.json"
    if old.exists() and not any((folder / name).exists() for name in _RESULTS):
        msg = f"{old} is of deepcity 0.1, and this version cannot read it. Train anew into an empty"
        raise CheckpointError(f"{msg} folder: deepcity train-vertical MAP.toml --out FOLDER")


def save_report(results: "RunResults", path: Path, folder: Path) -> None:
    """Write the report of the run in a folder there, with its sites' audits and what left them.

    Raises:
        CheckpointError: if the disk is full or refuses; an older report stays.
    """
    from deepcity.audit.audit_file import audits_of_run
    from deepcity.web.report import write_report
    from deepcity.web.report.house.view import houses

    def write() -> None:
        write_report(results, path, audits_of_run(folder), houses(results.services, folder))

    _written(write, path)


def save_vertical_report(results: "VerticalResults", path: Path, folder: Path) -> None:
    """Write the page of vertical training there, with its sites' audits and what left them.

    Raises:
        CheckpointError: if the disk is full or refuses; an older page stays.
    """
    from deepcity.audit.audit_file import audits_of_run
    from deepcity.web.report import write_vertical_report
    from deepcity.web.report.house.vertical import vertical_houses

    def write() -> None:
        houses = vertical_houses(results, folder)
        write_vertical_report(results, path, audits_of_run(folder), houses)

    _written(write, path)


def _written(write: Callable[[], None], path: Path) -> None:
    try:
        write()
    except OSError as error:
        msg = (
            f"{path} cannot be written: {error.strerror or error}. Free some space, then run again"
        )
        raise CheckpointError(msg) from error
