"""`deepcity meet MAP.toml`: agencies of a city meet at a hidden layer, and what that is worth."""

from pathlib import Path
from typing import Annotated

import typer

from deepcity.cli.run import Json, Out, Threads
from deepcity.cli.screen import ProgressWatch, errors
from deepcity.intercity.meeting_results import MeetingParty, MeetingResults, MeetingService


def meet(
    map_file: Annotated[
        Path,
        typer.Argument(
            help="A map with [service.meeting]: a party, and agencies it listens to.",
            metavar="MAP.toml",
        ),
    ],
    out: Out = None,
    as_json: Json = False,
    threads: Threads = 1,
) -> None:
    """Let agencies of one city forecast together without handing over a row.

    Each agency encodes its own columns; a few numbers for a cell and a time leave it, and the
    party's forecast is fused with them. Told beside it: the party alone, all raw columns
    pooled (which nobody may do in life), and what is left when an agency falls silent.

    Stop it with Ctrl-C: the same command goes on with the party it stood at.

    Example: deepcity meet cities/meeting.toml --out runs/meeting
    """
    from deepcity.intercity.city_map import load_map
    from deepcity.intercity.meeting_run import run_meetings

    city_map = load_map(map_file)
    folder = out or Path("runs") / f"{city_map.settings.name}-meeting"
    try:
        with ProgressWatch() as watch:
            results = run_meetings(city_map, folder, watch, threads=threads)
    except KeyboardInterrupt:
        errors.print("\nStopped. Parties that are done are kept: the same command goes on.")
        raise
    show(results, folder, as_json=as_json)


def show(results: MeetingResults, folder: Path, *, as_json: bool) -> None:
    """Say what was found and where it lies."""
    if as_json:
        typer.echo(results.model_dump_json(indent=1))
        return
    from rich.console import Console

    from deepcity.learning.fused_package import ELSEWHERE

    console = Console()
    for service in results.services:
        console.print(f"{service.title.en} ({service.mode}, cut level {service.level})")
        for party in service.parties:
            for line in _lines(service, party):
                console.print(line, markup=False, highlight=False)
        if service.labels_stay:
            told = f"  No packages for daily use: {ELSEWHERE}"
            console.print(told, markup=False, highlight=False)
        console.print()
    errors.print(f"Everything measured lies in {folder / 'meeting.json'}")


def _lines(service: MeetingService, party: MeetingParty) -> list[str]:
    gain = 1 - party.share("automatic")
    cost = party.cost
    said = [f"  {party.title.en}, with {', '.join(party.agencies)}: {party.metric}"]
    said += [
        f"    {method:<24} {error:>10.4g}"
        + (f"  ({error / party.judged['alone'] - 1:+.1%})" if method != "alone" else "")
        for method, error in party.judged.items()
    ]
    worth = "listening is worth" if gain > 0 else "listening is worth nothing here:"
    said.append(f"    {worth} {gain:.1%} of the mean absolute error, {party.unit}")
    said.append(f"    {cost.messages} messages, {cost.bytes / 1e6:.2f} MB, {cost.seconds:.0f} s")
    return said + [f"    was silent: {failure}" for failure in party.failures]
