"""`deepcity train-vertical MAP.toml`: vertical federated learning within a city."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcity.cli.progress_bars import ProgressBars, errors
from deepcity.cli.report import save_vertical_report
from deepcity.cli.run import Out, Threads

if TYPE_CHECKING:
    from deepcity.vertical.results import VerticalPartyResult, VerticalResults


def train_vertical(
    map_file: Annotated[
        Path,
        typer.Argument(
            help="A map with \\[service.vertical]: a party, and agencies that send it activations.",
            metavar="MAP.toml",
        ),
    ],
    out: Out = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=1, help="Train this many times, each with another seed; reports the spread."
        ),
    ] = 1,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the run in the folder and start anew.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print vertical.json instead of a summary.")
    ] = False,
    threads: Threads = 1,
) -> None:
    """Vertical federated learning: agencies of one city train one forecast; no row leaves.

    Each agency runs an encoder on its own columns and sends a few activations for each cell
    and time step; the party's network fuses them into its forecast. Also measured: the party
    alone, all raw columns pooled (forbidden in practice), and each agency missing in turn.
    FOLDER/report.html shows the results. Each agency's own files stay in FOLDER/sites/AGENCY;
    its `packages` are for `deepcity agent` and `deepcity serve`.

    What to add to a map that has a service with a party, a field and a window:

        \\[service.vertical]
        mode = "block-wise"          # or "one-shot", "per-batch"
        compare = ["one-shot"]       # further modes to compare with

        [\\[service.vertical.agency]]
        agency = "weather"           # an agency of the party's own city
        ahead = 24                   # steps ahead known to it, such as a weather forecast
        width = 16                   # activations sent for each cell and time step

    You can stop it with Ctrl-C or kill it: the same command
    resumes at the last finished round and gives the same results.

    Example: deepcity train-vertical cities/meeting.toml --out runs/meeting
    """
    from deepcity.maps.city_map import load_map
    from deepcity.vertical.run import run_vertical

    city_map = load_map(map_file)
    folder = out or Path("runs") / f"{city_map.settings.name}-vertical"
    try:
        with ProgressBars() as bars:
            results = run_vertical(
                city_map, folder, bars, threads=threads, seeds=seeds, fresh=fresh
            )
    except KeyboardInterrupt:
        errors.print("\nStopped. The run is saved: the same command resumes it.")
        raise  # Typer ends with exit code 130
    save_vertical_report(results, folder / "report.html", folder)
    show(results, folder, as_json=as_json)


def show(results: "VerticalResults", folder: Path, *, as_json: bool) -> None:
    """Print the results and where they are."""
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
    errors.print(f"{results.seconds:.0f} s. Report: {folder / 'report.html'}")


def _lines(party: "VerticalPartyResult") -> list[str]:
    metric = party.metric.en + (f", {party.metric_unit}" if party.metric_unit else "")
    lines = [f"  {party.title.en}, with {', '.join(party.agencies)}: {metric}"]
    lines += [
        _line(party, method) for method in party.metric_errors if party.error(method) is not None
    ]
    lines.append(f"    gain from other agencies' activations: {_worth(party, 'together')}")
    lines.append(f"    gain of the ensemble with the party alone: {_worth(party, 'automatic')}")
    for mode, cost in party.costs.items():
        sent = f"{cost.messages} messages, {cost.bytes / 1e6:.2f} MB, {cost.seconds:.0f} s"
        lines.append(f"    {mode}: {sent}")
    return lines + [f"    failed: {failure}" for failure in party.failures]


def _line(party: "VerticalPartyResult", method: str) -> str:
    from deepcity.parties.method_errors import ALONE

    spread, change = party.spread(method), party.change(method)
    lines = f"    {method:<24} {party.error(method):>10.4g}"
    lines += "" if spread is None else f" ± {spread:.2g}"
    return lines if method == ALONE or change is None else f"{lines}  ({change:+.1%})"


def _worth(party: "VerticalPartyResult", method: str) -> str:
    """How much smaller the error is than alone, or larger."""
    change = party.change(method)
    if change is None:
        return "unknown, nothing was measured"
    return f"{-change:.1%} of the error alone" if change < 0 else f"none ({change:+.1%})"
