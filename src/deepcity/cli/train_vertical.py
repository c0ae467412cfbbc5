"""`deepcity train-vertical MAP.toml`: vertical federated learning within a city."""

from pathlib import Path
from typing import Annotated

import typer

from deepcity.cli.progress_bars import ProgressBars, errors
from deepcity.cli.report import save_vertical_report
from deepcity.cli.run import Out, Threads
from deepcity.intercity.method_errors import ALONE
from deepcity.vertical.results import VerticalPartyResult, VerticalResults


def train_vertical(
    map_file: Annotated[
        Path,
        typer.Argument(
            help="A map with \\[service.vertical]: a party, and agencies it listens to.",
            metavar="MAP.toml",
        ),
    ],
    out: Out = None,
    seeds: Annotated[
        int,
        typer.Option(min=1, help="Do it all so many times, from other seeds, and tell the spread."),
    ] = 1,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what the folder holds and begin anew.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print vertical.json instead of a summary.")
    ] = False,
    threads: Threads = 1,
) -> None:
    """Let agencies of one city forecast together without handing over a row.

    Each agency encodes its own columns; a few numbers for a cell and a time leave it, and the
    party's forecast is fused with them. Told beside it: the party alone, all raw columns
    pooled (which nobody may do in life), and what is left when an agency falls silent.
    FOLDER/report.html shows it all. What is an agency's own stays in FOLDER/sites/AGENCY: there
    `packages` is for `deepcity agent` and `serve`.

    What to write into a map (a service with a party, a field and a window is there already):

        \\[service.vertical]
        mode = "block-wise"          # or "one-shot", "per-batch"
        compare = ["one-shot"]       # further modes to see beside it

        [\\[service.vertical.agency]]
        agency = "weather"           # an agency of the party's own city
        ahead = 24                   # steps ahead that it knows, as a forecast of weather
        width = 16                   # numbers that leave for a cell and a time

    Stop it with Ctrl-C, or kill it: the same command goes on from the last finished round
    and ends with the same results.

    Example: deepcity train-vertical cities/meeting.toml --out runs/meeting
    """
    from deepcity.intercity.city_map import load_map
    from deepcity.vertical.run import run_vertical

    city_map = load_map(map_file)
    folder = out or Path("runs") / f"{city_map.settings.name}-vertical"
    try:
        with ProgressBars() as bars:
            results = run_vertical(
                city_map, folder, bars, threads=threads, seeds=seeds, fresh=fresh
            )
    except KeyboardInterrupt:
        errors.print("\nStopped. The run is kept: the same command goes on from here.")
        raise  # Typer ends with exit code 130
    save_vertical_report(results, folder / "report.html")
    show(results, folder, as_json=as_json)


def show(results: VerticalResults, folder: Path, *, as_json: bool) -> None:
    """Say what was found and where it lies."""
    if as_json:
        typer.echo(results.model_dump_json(indent=1))
        return
    from rich.console import Console

    from deepcity.learning.split.fused_package import NOT_STANDALONE

    console = Console()
    for service in results.services:
        title = f"{service.title.en} ({service.mode}, cut level {service.level})"
        console.print(title, markup=False, highlight=False)
        for party in service.parties:
            for line in _lines(party):
                console.print(line, markup=False, highlight=False)
        if service.labels_stay:
            message = f"  No packages for daily use: {NOT_STANDALONE}"
            console.print(message, markup=False, highlight=False)
        console.print()
    errors.print(f"{results.seconds:.0f} s. Look at {folder / 'report.html'}")


def _lines(party: VerticalPartyResult) -> list[str]:
    metric = party.metric.en + (f", {party.metric_unit}" if party.metric_unit else "")
    lines = [f"  {party.title.en}, with {', '.join(party.agencies)}: {metric}"]
    lines += [
        _line(party, method) for method in party.metric_errors if party.error(method) is not None
    ]
    lines.append(f"    listening is worth {_worth(party, 'together')}")
    lines.append(f"    weighed with its own as truths come in: {_worth(party, 'automatic')}")
    for mode, cost in party.costs.items():
        sent = f"{cost.messages} messages, {cost.bytes / 1e6:.2f} MB, {cost.seconds:.0f} s"
        lines.append(f"    {mode}: {sent}")
    return lines + [f"    was silent: {failure}" for failure in party.failures]


def _line(party: VerticalPartyResult, method: str) -> str:
    spread, change = party.spread(method), party.change(method)
    lines = f"    {method:<24} {party.error(method):>10.4g}"
    lines += "" if spread is None else f" ± {spread:.2g}"
    return lines if method == ALONE or change is None else f"{lines}  ({change:+.1%})"


def _worth(party: VerticalPartyResult, method: str) -> str:
    """What a method saves of the error alone, or costs."""
    change = party.change(method)
    if change is None:
        return "not known: nothing was measured"
    return f"{-change:.1%} of the error alone" if change < 0 else f"nothing here ({change:+.1%})"
