"""`deepcity data`: check records before training on them."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deepcity.city.printable import printable
from deepcity.cli.progress_bars import errors

if TYPE_CHECKING:
    from deepcity.data.check.file_report import FileReport
    from deepcity.data.findings import Finding, Severity

app = typer.Typer()

_STYLE = {"warning": "yellow", "note": "dim"}


@app.callback()
def data() -> None:
    """Check records before training on them.

    Example: deepcity data check cities/ferrara.toml
    """


@app.command()
def check(
    files: Annotated[
        list[str],
        typer.Argument(
            help="City files (.toml), raw records (.csv, .csv.gz, .parquet, .xlsx, .json, "
            ".geojson), or a database's URL with #TABLE."
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON list, for scripts, instead of tables.")
    ] = False,
    as_draft: Annotated[
        bool,
        typer.Option(
            "--draft", help="Print a draft of a city file for raw records, and check nothing."
        ),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="OUT.html",
            help="Also write an HTML page: findings, and a chart of each field.",
        ),
    ] = None,
) -> None:
    """Read each file, summarize its fields, and list every error and warning.

    Warns of: wrong or changing units, shifted columns, lost decimal signs, numbers that stand
    for missing values, wrong clocks, stuck sensors. Exit code 1 if any file has errors;
    whether a warning matters is for you to judge.

    Example: deepcity data check cities/ferrara.toml --html ferrara.html
    """
    from deepcity.data.connectors.sql_tables import is_url

    named = [one if is_url(one) else Path(one) for one in files]
    if as_draft:
        _print_drafts(named)
        return
    reports = [_checked(path, with_charts=html is not None) for path in named]
    if html is not None:
        _write_page(reports, html)
    if as_json:
        typer.echo(json.dumps([_as_dict(one) for one in reports], ensure_ascii=False, indent=2))
    else:
        for report in reports:
            _print(report, Console())
    if any(report.problems for report in reports):
        raise typer.Exit(1)


def _as_dict(report: "FileReport") -> dict[str, Any]:
    """The report as JSON has it: what is drawn stays out, and so do the marks for drawing."""
    found = asdict(replace(report, plots=()))
    del found["plots"]
    for agency in found["agencies"]:
        for finding in agency["findings"]:
            finding["places"] = finding.pop("shows")[1]
    return found


def _write_page(reports: "list[FileReport]", path: Path) -> None:
    from deepcity.web.report.records import write_records

    try:
        write_records(reports, path)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror or error}") from error
    errors.print(f"Written: {path}")


def _print_drafts(files: Sequence[Path | str]) -> None:
    from deepcity.data.check.draft import draft_text, draft_with_questions

    failed = False
    for path in files:
        found = draft_with_questions(path)
        for problem in found.problems:
            typer.echo(str(problem), err=True)
        failed |= found.raw is None
        if found.raw is not None:
            for text in found.left_out:
                typer.echo(f"{path}: left out: {text}", err=True)
            typer.echo(draft_text(found.raw, found.questions, found.left_out))
    if failed:
        raise typer.Exit(1)


def _checked(path: Path | str, *, with_charts: bool = False) -> "FileReport":
    """Check with progress on the terminal's error stream, so that output stays clean."""
    from deepcity.data.check.file_report import check_file

    columns = (
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        TextColumn("agencies"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(_shown(path if isinstance(path, str) else path.name), total=None)
        return check_file(
            path,
            lambda done, total: bar.update(task, completed=done, total=total),
            with_plots=with_charts,
        )


def _print(report: "FileReport", console: Console) -> None:
    from deepcity.cli.field_profiles import table

    console.rule(f"[bold]{_shown(report.file)}", align="left")
    if report.agencies:
        console.print("\n".join(map(_shown, _spans(report))), soft_wrap=True)
        console.print(table(report, console.width))
    for (severity, where, text), agencies in _grouped(report).items():
        line = _shown(f"{severity.value} ({_names(agencies)}) {where}: {text}")
        console.print(f"[{_STYLE[severity.value]}]{line}", soft_wrap=True)
    for problem in report.waiting:
        console.print(f"[cyan]waits[/cyan] {_shown(str(problem))}", soft_wrap=True)
    for problem in report.problems:
        console.print(f"[red]problem[/red] {_shown(str(problem))}", soft_wrap=True)
    if report.drafted and report.agencies:
        hint = "Times were taken as UTC, units guessed: --draft prints a city file to correct."
        console.print(hint, style="dim")
    console.print(f"[bold]{_verdict(report)}[/bold]")


def _shown(text: str) -> str:
    """What a file says, without marks for colours of its own."""
    return escape(printable(text))


def _verdict(report: "FileReport") -> str:
    """How many problems and warnings there are."""
    from deepcity.data.findings import Severity

    problems = len(report.problems)
    seen = _grouped(report)
    warnings = sum(severity is Severity.WARNING for severity, _, _ in seen)
    found = f"{problems} problem{'s' if problems != 1 else ''}" if problems else "no problems"
    return f"{found}, {warnings} warning{'s' if warnings != 1 else ''}" if warnings else found


def _spans(report: "FileReport") -> list[str]:
    """Which time the panels cover, printed once for agencies that share it."""
    groups: dict[str, list[str]] = defaultdict(list)
    for agency in report.agencies:
        span = f"{agency.start} .. {agency.end}, {agency.steps:,} steps of {agency.step}"
        groups[span].append(agency.name)
    return [f"{span} ({_names(names)})" for span, names in groups.items()]


def _names(agencies: list[str]) -> str:
    return f"{len(agencies)} agencies" if len(agencies) > 1 else agencies[0]


def _grouped(report: "FileReport") -> "dict[tuple[Severity, str, str], list[str]]":
    """Findings with the agencies they concern, warnings first; what all share is printed once."""
    from deepcity.data.findings import Severity

    groups: dict[tuple[Severity, str, str], list[str]] = defaultdict(list)
    for agency in report.agencies:
        for finding in agency.findings:
            groups[_key(finding)].append(agency.name)
    return dict(sorted(groups.items(), key=lambda group: group[0][0] is Severity.NOTE))


def _key(finding: "Finding") -> "tuple[Severity, str, str]":
    return finding.severity, finding.where, finding.text
