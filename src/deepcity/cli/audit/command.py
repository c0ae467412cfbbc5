"""`deepcity audit FOLDER`: what layers and deep data of a run reveal of a party's rows."""

from typing import TYPE_CHECKING, Annotated

import typer

from deepcity.audit.effort import EffortName
from deepcity.city.errors import ConfigError
from deepcity.cli.forecasting.options import (
    CityFileOption,
    Folder,
    MapFile,
    Parties,
    ServiceName,
    Threads,
    limit_threads,
)
from deepcity.cli.language import LanguageOption, PrintedLanguage
from deepcity.cli.progress_bars import ProgressBars, errors

if TYPE_CHECKING:
    from deepcity.forecasting.audit_run import AuditRun


def audit(
    folder: Folder,
    service: ServiceName = None,
    party: Parties = None,
    thorough: Annotated[
        bool,
        typer.Option(
            "--thorough/--fast",
            help="More rows, larger decoders, three seeds with their spread; many times slower.",
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, help="Of places, windows and decoders that are drawn.")
    ] = 0,
    language: LanguageOption = PrintedLanguage.EN,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON instead of tables.")
    ] = False,
    map_file: MapFile = None,
    city: CityFileOption = None,
    threads: Threads = 1,
) -> None:
    """Attack each party's own network or encoder, and report what its layers reveal.

    Decoders rebuild the windows of records from the activations of each layer and, as the floor
    to compare with, from the forecast alone. Their share of all variation that they rebuild (R²)
    is what a layer leaks. It is a lower bound: another attacker may find more.

    It runs where the party's rows are, needs no other party's, and sends nothing. Results are
    kept in the site's folder (audit.json), for the same model they are not measured again, and
    `deepcity report` shows them. You can stop it with Ctrl-C: the same command goes on.

    Example: deepcity audit runs/demo --party ferrara/district-1
    """
    from deepcity.cli.audit.tables import rows_hint
    from deepcity.forecasting.audit_run import AuditRequest, audit_folder

    limit_threads(threads)
    effort = EffortName.THOROUGH if thorough else EffortName.FAST
    asked = AuditRequest(service, tuple(party or ()), effort, seed, map_file, city)
    try:
        with ProgressBars() as bars:
            found = audit_folder(folder, asked, bars)
    except KeyboardInterrupt:
        errors.print("\nStopped. Steps that were done are kept: the same command goes on.")
        raise  # Typer ends with exit code 130
    except ConfigError:
        errors.print(rows_hint(language), markup=False)
        raise
    _show(found, language, as_json=as_json)
    if found.failures:
        raise typer.Exit(1)


def _show(found: "AuditRun", language: PrintedLanguage, *, as_json: bool) -> None:
    import json

    from rich.console import Console

    from deepcity.cli.audit.tables import failure_line, lines, tables

    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found.audits], indent=1))
    else:
        console = Console()
        for audit_ in found.audits:
            for table in tables(audit_, console.width, language):
                console.print(table)
                console.print()
            for line in lines(audit_, language):
                console.print(line, markup=False, highlight=False, soft_wrap=True)
            console.print()
    for failure in found.failures:
        errors.print(failure_line(failure, language), style="red", markup=False)
