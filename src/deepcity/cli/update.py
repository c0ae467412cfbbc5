"""`deepcity update MAP.toml`: learn from the rows that have come since a run."""

from pathlib import Path
from typing import Annotated

import typer

from deepcity.cli.progress_bars import ProgressBars, errors
from deepcity.cli.run import Out, Threads
from deepcity.runs.update.results import MAX_FORGETTING, UpdateRequest, UpdateResults


def update(
    map_file: Annotated[Path, typer.Argument(help="The map that was run.", metavar="MAP.toml")],
    out: Out = None,
    max_forgetting: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Most by which a network's error on old days may rise, over all refinings "
            "together, as a share.",
        ),
    ] = MAX_FORGETTING,
    party: Annotated[
        list[str] | None,
        typer.Option(help="Refine only this party; may be repeated.", metavar="CITY/AGENCY"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was found as JSON, not as a table.")
    ] = False,
    threads: Threads = 1,
) -> None:
    """Learn from the rows that have come since a run, without beginning anew.

    Say it once a week, say, with the map and the folder of its run. Each party's networks
    learn from the new rows, mixed with old ones. Its newest days, a week at most, are held out:
    the update is kept only if it improves them. Forgetting is measured on old days that were
    held out from the start: no network's error there rises by more than --max-forgetting. Where
    errors have risen above the usual, the drift is reported with its date.

    What a party forecasts with lies in FOLDER/sites/SITE/own, private to it: a new package is
    written whole beside the old one. Nothing is sent. With no new rows, nothing is changed. Stop it
    with Ctrl-C, or kill it: the same command goes on with the parties that are left.

    Example: deepcity update cities/demo.toml --out runs/demo
    """
    from deepcity.intercity.city_map import load_map
    from deepcity.runs.update.run import refine_map

    city_map = load_map(map_file)
    folder = out or Path("runs") / city_map.settings.name
    asked = UpdateRequest(max_forgetting, tuple(party or ()))
    try:
        with ProgressBars() as bars:
            found, trouble = refine_map(city_map, folder, bars, asked, threads=threads)
    except KeyboardInterrupt:
        errors.print("\nStopped. Parties that are done are kept: the same command goes on.")
        raise  # Typer ends with exit code 130
    show(found, folder, as_json=as_json)
    if trouble is not None:
        raise trouble


def show(found: UpdateResults, folder: Path, *, as_json: bool) -> None:
    """Say what was found and where it lies."""
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
        errors.print(
            f"{found.seconds:.0f} s. What parties forecast with lies in {folder / 'sites'}"
        )
