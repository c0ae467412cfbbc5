"""`deepcity run MAP.toml`: federated training as a map describes it, and its report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcity.cli.progress_bars import ProgressBars, errors
from deepcity.cli.report import save_report

if TYPE_CHECKING:
    from deepcity.runs.results import RunResults


def _folder(text: str) -> Path:
    """A folder that is there or can be made, as named on the command line."""
    path = Path(text)
    if not text.strip():
        raise typer.BadParameter("it is empty; name a folder")
    if path.exists() and not path.is_dir():
        raise typer.BadParameter(f"{path} is a file; name a folder")
    return path


Out = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the run; with the same folder a stopped run resumes. "
        "Default: runs/NAME, the map's name.",
        metavar="FOLDER",
        parser=_folder,
    ),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Delete the run in the folder and start anew.")
]
Json = Annotated[bool, typer.Option("--json", help="Print results.json instead of a summary.")]
Threads = Annotated[int, typer.Option(min=1, help="Processor threads to use.")]


def run(
    map_file: Annotated[
        Path,
        typer.Argument(help="Map file: cities, services, parties, grants.", metavar="MAP.toml"),
    ],
    out: Out = None,
    fresh: Fresh = False,
    as_json: Json = False,
    threads: Threads = 1,
) -> None:
    """Train the parties of a map together, and report each one's gain over learning alone.

    You can stop it with Ctrl-C or kill it: the same command resumes at the last finished round
    and gives the same results. When new rows have arrived, `deepcity update` trains on them
    without starting anew. To add a city later, name it under `newcomers` in the map and run the
    same command: it starts from the shared layers, and the others do not retrain.

    Each site's own files are in FOLDER/sites/SITE and can be moved to another machine. The
    map-wide report shows a site's measured values only if it grants them
    (\\[service.grant] truths = "shared").

    The shared layers are in FOLDER/coordinator/layers. Another service, of any application or
    city, can start from them: name the package in \\[service.reuse] of its map.

    Example: deepcity run cities/demo.toml --out runs/demo
    """
    results, folder = execute(map_file, out, fresh=fresh, threads=threads)
    show(results, folder, as_json=as_json)


def execute(
    map_file: Path, out: Path | None, *, fresh: bool, threads: int
) -> tuple["RunResults", Path]:
    """Run a map file into its folder and write the report beside the results."""
    from deepcity.maps.city_map import load_map
    from deepcity.runs.run import run_map

    city_map = load_map(map_file)
    folder = out or Path("runs") / city_map.settings.name
    try:
        with ProgressBars() as bars:
            results = run_map(city_map, folder, bars, fresh=fresh, threads=threads)
    except KeyboardInterrupt:
        errors.print("\nStopped. The run is saved: the same command resumes it.")
        raise  # Typer ends with exit code 130
    save_report(results, folder / "report.html", folder)
    return results, folder


def show(results: "RunResults", folder: Path, *, as_json: bool) -> None:
    """Print the results and where they are."""
    if as_json:
        typer.echo(results.model_dump_json(indent=1))
        return
    from rich.console import Console
    from rich.markup import escape

    from deepcity.cli.summary import decisions, extra_lines, tables, warnings

    console = Console()
    for table in tables(results, console.width):
        console.print(table)
        console.print()
    for line in [*decisions(results), *extra_lines(results)]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for line in warnings(results):
        console.print(f"[yellow]{escape(line)}", soft_wrap=True)
    errors.print(f"{results.seconds:.0f} s. Report: {folder / 'report.html'}")
