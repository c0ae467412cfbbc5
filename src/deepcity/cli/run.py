"""`deepcity run MAP.toml`: learn together as a map says, and report what it was worth."""

from pathlib import Path
from typing import Annotated

import typer

from deepcity.cli.progress_bars import ProgressBars, errors
from deepcity.cli.report import save_report
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
        help="Folder of the run; the same folder goes on where it stopped.",
        metavar="FOLDER",
        parser=_folder,
    ),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Forget what the folder holds and begin anew.")
]
Json = Annotated[bool, typer.Option("--json", help="Print results.json instead of a summary.")]
Threads = Annotated[int, typer.Option(min=1, help="Processor threads to compute with.")]


def run(
    map_file: Annotated[
        Path, typer.Argument(help="A map: cities, services, parties, levels.", metavar="MAP.toml")
    ],
    out: Out = None,
    fresh: Fresh = False,
    as_json: Json = False,
    threads: Threads = 1,
) -> None:
    """Learn together as a map says, and report what joining was worth to each party.

    Stop it with Ctrl-C, or kill it: the same command goes on from the last finished round
    and ends with the same results. When more rows have come later, `deepcity update` has
    every party learn from them without beginning anew. A city that comes later is named under
    `newcomers`: the same command then has it start from what is there, and no other trains.

    What each site holds for itself lies in FOLDER/sites, a folder a site, which may be carried
    to another machine; the map-wide report shows a site's measured values only where it grants
    that ([service.grant] truths = "shared").

    What a run learned lies in FOLDER/coordinator/layers, and another service may start from it,
    be it of another application or city: name the package in [service.reuse] of its map.

    Example: deepcity run cities/demo.toml --out runs/demo
    """
    results, folder = execute(map_file, out, fresh=fresh, threads=threads)
    show(results, folder, as_json=as_json)


def execute(
    map_file: Path, out: Path | None, *, fresh: bool, threads: int
) -> tuple[RunResults, Path]:
    """Run a map file into its folder and write the report beside the results."""
    from deepcity.intercity.city_map import load_map
    from deepcity.runs.run import run_map

    city_map = load_map(map_file)
    folder = out or Path("runs") / city_map.settings.name
    try:
        with ProgressBars() as bars:
            results = run_map(city_map, folder, bars, fresh=fresh, threads=threads)
    except KeyboardInterrupt:
        errors.print("\nStopped. The run is kept: the same command goes on from here.")
        raise  # Typer ends with exit code 130
    save_report(results, folder / "report.html")
    return results, folder


def show(results: RunResults, folder: Path, *, as_json: bool) -> None:
    """Say what was found and where it lies."""
    if as_json:
        typer.echo(results.model_dump_json(indent=1))
        return
    from rich.console import Console

    from deepcity.cli.summary import tables

    console = Console()
    for table in tables(results, console.width):
        console.print(table)
        console.print()
    errors.print(f"{results.seconds:.0f} s. Look at {folder / 'report.html'}")
