"""`deepcity update MAP.toml`: train on the rows that have arrived since a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcity.cli.progress_bars import ProgressBars, errors
from deepcity.cli.run import Out, Threads
from deepcity.runs.update.request import MAX_FORGETTING, UpdateRequest

if TYPE_CHECKING:
    from deepcity.runs.update.results import UpdateResults


def update(
    map_file: Annotated[Path, typer.Argument(help="The map file of the run.", metavar="MAP.toml")],
    out: Out = None,
    max_forgetting: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Largest rise of a network's error on old days over all updates together, "
            "as a fraction (0.05 is 5 %).",
        ),
    ] = MAX_FORGETTING,
    party: Annotated[
        list[str] | None,
        typer.Option(
            help="Update only this party; may be repeated. Default: all.", metavar="CITY/AGENCY"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON instead of a table.")
    ] = False,
    threads: Threads = 1,
) -> None:
    """Train on the rows that have arrived since a run, without starting anew.

    Run it regularly, such as once a week, with the map and folder of the run. Each party's
    networks train on new rows mixed with old ones. The newest days, at most a week, are held
    out: the update is kept only if it improves them. Forgetting is measured on old days held
    out from the start: the error there rises by at most --max-forgetting in total. Drift, an
    error above its usual level, is reported with its date.

    A party's forecaster is in FOLDER/sites/SITE/own, private to it: a new version is written
    beside the old one. Nothing is sent. On a site's own machine, FOLDER is the run folder of its
    kit, and its own parties are updated. Without new rows, nothing changes. You can stop it with
    Ctrl-C or kill it: the same command resumes with the parties that are left.

    Example: deepcity update cities/demo.toml --out runs/demo
    """
    from deepcity.maps.city_map import load_map
    from deepcity.runs.update.run import refine_map
    from deepcity.store.run_folder import is_whole_run

    apart = out is not None and not is_whole_run(out)  # of a site: others' records are elsewhere
    city_map = load_map(map_file, only_used=apart, later=apart)
    folder = out or Path("runs") / city_map.settings.name
    asked = UpdateRequest(max_forgetting, tuple(party or ()))
    try:
        with ProgressBars() as bars:
            found, trouble = refine_map(city_map, folder, bars, asked, threads=threads)
    except KeyboardInterrupt:
        errors.print(
            "\nStopped. Finished parties are saved: the same command resumes with the others."
        )
        raise  # Typer ends with exit code 130
    show(found, folder, as_json=as_json)
    if trouble is not None:
        raise trouble


def show(found: "UpdateResults", folder: Path, *, as_json: bool) -> None:
    """Print the results and where they are."""
    if as_json:
        typer.echo(found.model_dump_json(indent=1))
        return
    from rich.console import Console

    from deepcity.cli.update_table import lines, tables

    console = Console()
    for table in tables(found, console.width):
        console.print(table)
        console.print()
    for line in lines(found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if found.parties:
        errors.print(f"{found.seconds:.0f} s. Forecasters of the parties: {folder / 'sites'}")
