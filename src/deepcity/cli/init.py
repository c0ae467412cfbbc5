"""`deepcity init FILE…`: from records as they are to a city file, a map and a checked page."""

import re
import shutil
import webbrowser
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from deepcity.city.errors import ConfigError, DataError
from deepcity.city.problem import Problem

if TYPE_CHECKING:
    from deepcity.data.draft.answers import Answers, Ask
    from deepcity.data.draft.city import CityStart

EXAMPLE, EXAMPLE_ZONE = "nuri_people.csv", "Asia/Seoul"
_QUESTIONS = "Questions it may ask"


def _option(metavar: str, text: str) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(
        metavar=metavar, help=text, rich_help_panel=_QUESTIONS
    )
    return found


def init(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="Records: files (CSV, Excel, Parquet, JSON), folders of them, or "
            "a database's URL with #TABLE.",
            metavar="FILE…",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write to.")] = Path(),
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            "-y",
            help="Ask nothing: take what it assumes where no value depends on it, and refuse "
            "the rest, naming the option that answers it.",
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files of these names.")] = False,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Write the check page, but do not open it.")
    ] = False,
    example: Annotated[
        bool,
        typer.Option("--example", help="Begin with the records of an invented city, copied here."),
    ] = False,
    time_zone: Annotated[
        str | None, _option("ZONE", "Time zone of the city, e.g. Asia/Seoul.")
    ] = None,
    times_in: Annotated[
        str | None, _option("ZONE", "Zone of the times in the records, where it is another: UTC.")
    ] = None,
    columns: Annotated[
        str | None,
        _option(
            "places|fields", "What the columns of numbers are: places of one field, or fields."
        ),
    ] = None,
    place: Annotated[
        str | None, _option("COLUMN", "The column that names each row's place.")
    ] = None,
    together: Annotated[
        str | None,
        _option("sum|each", "Rows of one time and place (IN and OUT): add them up, or keep each."),
    ] = None,
    start: Annotated[
        str | None, _option("TIME", "Time of the first row, of records without times.")
    ] = None,
    step: Annotated[str | None, _option("1h", "How far apart such rows are.")] = None,
    thousands: Annotated[
        str | None, _option(".|,|none", "The sign between thousands: is 37.014 many, or few?")
    ] = None,
    rows: Annotated[
        str | None, _option("events|measurements", "What rows of one time are: events to count?")
    ] = None,
    missing: Annotated[
        list[str] | None, _option("TEXT", "A text that means 'not measured'; may be repeated.")
    ] = None,
    duplicates: Annotated[
        str | None,
        _option("first|last|mask|sum", "Which of several rows for one time and place counts."),
    ] = None,
    stays: Annotated[
        str | None, _option("2h|0", "How long a blank means 'as before'; 0: it is missing.")
    ] = None,
    unit: Annotated[
        list[str] | None, _option("FIELD=UNIT", "Unit of a field, e.g. people or flow=L/s.")
    ] = None,
    kind: Annotated[
        list[str] | None, _option("FIELD=KIND", "Kind of a field, e.g. flow=flow.")
    ] = None,
    field: Annotated[str | None, _option("NAME", "Name of the field, where it is one.")] = None,
    name: Annotated[str | None, _option("NAME", "Name of the city and of the files.")] = None,
    title: Annotated[str | None, _option("TEXT", "The city's name for people.")] = None,
    title_ko: Annotated[str | None, _option("TEXT", "The city's name in Korean.")] = None,
    holidays: Annotated[
        str | None, _option("CODE|none", "Public holidays, e.g. KR or IT-FE.")
    ] = None,
) -> None:
    """Write a city file and a map for your own records, ready to run.

    Looks at the records, asks what they do not show, tells what it took for granted with rows
    before and after, and writes NAME.toml (the city), NAME.map.toml (what to train) and
    NAME.html (the checked records). It then prints the two commands that lead to a forecast.
    Nothing is sent anywhere, and your files are only read.

    \b
    Examples:
      deepcity init counts.csv
      deepcity init counts_2023.csv counts_2024.csv --name bonn
      deepcity init exports/ --yes --time-zone Asia/Seoul
      deepcity init 'postgresql+psycopg://user:${DB_PASSWORD}@host/db#counts'
      deepcity init --example
    """
    from deepcity.data.draft.answers import Answers
    from deepcity.maps.draft_map import draft_map

    answers = Answers(
        time_zone=time_zone or (EXAMPLE_ZONE if example else None), times_in=times_in,
        name=name or ("nuri" if example else None), title=title or ("Nuri" if example else None),
        title_ko=title_ko or ("누리" if example else None), holidays=holidays,
        columns=_one_of(columns, "--columns", ("places", "fields")), place=place,
        together=_one_of(together, "--together", ("sum", "each")), stays=stays, field=field,
        start=start, step=step, thousands=thousands,
        rows=_one_of(rows, "--rows", ("events", "measurements")), missing=tuple(missing or []),
        duplicates=_one_of(duplicates, "--duplicates", ("first", "last", "mask", "sum")),
        unit=_pairs(unit or []), kind=_pairs(kind or []),
    )  # fmt: skip
    names = [str(_copied_example(out, force=force))] if example else list(files or [])
    if not names:
        raise typer.BadParameter("name your records, or try --example", param_hint="FILE…")
    out.mkdir(parents=True, exist_ok=True)  # paths in the city file start there
    city = _asked(names, answers, out, yes=yes or example)
    _check_named(city, answers)
    _show(city)
    try:
        map_text, too_short = draft_map(city.city_file, city.panels), None
    except DataError as error:
        map_text, too_short = "", error
    paths = _write(city, map_text, out, force=force)
    _check_page(city, paths, opened=not (no_open or yes))
    if too_short is not None:
        raise too_short
    _next_commands(city, out)


def _one_of(stated: str | None, option: str, known: tuple[str, ...]) -> str | None:
    if stated is not None and stated not in known:
        raise typer.BadParameter(f"{stated!r} is none of {', '.join(known)}", param_hint=option)
    return stated


def _pairs(stated: list[str]) -> dict[str, str]:
    """``flow=L/s`` -> ``{"flow": "L/s"}``; without a name, of the only field."""
    split = (one.rpartition("=") for one in stated)
    return {name.strip(): value.strip() for name, _, value in split}


def _asked(names: list[str], answers: "Answers", out: Path, *, yes: bool) -> "CityStart":
    """The city, once every question has an answer."""
    from deepcity.data.draft.answers import OpenQuestionsError
    from deepcity.data.draft.city import start_city

    while True:
        try:
            return start_city(names, answers, out, accept=yes)
        except OpenQuestionsError as found:
            if yes:
                raise
            for ask in found.asks:
                answers = answers.also(ask, _answer(ask))


def _check_named(city: "CityStart", answers: "Answers") -> None:
    """See that units and kinds are given for fields that there are.

    Raises:
        ConfigError: with every name that is none.
    """
    from deepcity.data.config.toml_file import did_you_mean

    known = sorted({one.name for agency in city.city_file.city.agencies for one in agency.fields})
    given = (("--unit", answers.unit), ("--kind", answers.kind))
    problems = [
        Problem("command line", option, f"{name}={value}", "no field", did_you_mean(name, known))
        for option, stated in given
        for name, value in stated.items()
        if name and name not in known
    ]
    if problems:
        raise ConfigError(problems)


def _answer(ask: "Ask") -> str:
    """What the user types; the proposal on Enter."""
    while True:
        choices = f" [{'/'.join(ask.choices)}]" if ask.choices else ""
        text = f"{ask.text[:1].upper()}{ask.text[1:]}{choices}"
        stated = str(typer.prompt(text, default=ask.assumed or None, err=True)).strip()
        if not ask.choices or stated in ask.choices:
            return stated
        typer.echo(f"{stated!r} is none of {', '.join(ask.choices)}.", err=True)


def _copied_example(out: Path, *, force: bool) -> Path:
    """The invented city's records in a folder; left as they are if they are there."""
    target = out / EXAMPLE
    inside = Path(str(package_files("deepcity"))) / "examples" / "nuri" / EXAMPLE
    source = inside if inside.exists() else Path(__file__).parents[3] / "examples/nuri" / EXAMPLE
    if force or not target.exists():
        out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return target


def _show(start: "CityStart") -> None:
    console = Console()
    for one in start.assumed:
        console.print(f"Taken: {one}", markup=False, soft_wrap=True, highlight=False)
    table = Table(title="Rows before and after", title_justify="left")
    for head in ("in the records", "time", "place", "field", "value"):
        table.add_column(head, overflow="fold")
    for row in start.examples:
        cells = ", ".join(f"{name}: {cell}" for name, cell in row.cells.items())
        table.add_row(
            *(_plain(text) for text in (cells, row.time, row.place, row.field, row.value))
        )
    console.print(table)


def _plain(text: str) -> str:
    return re.sub(r"\[", r"\\[", text)


def _write(start: "CityStart", map_text: str, out: Path, *, force: bool) -> dict[str, Path]:
    name = start.raw["name"]
    paths = {key: out / f"{name}{end}" for key, end in _ENDS.items()}
    taken = [path for path in paths.values() if path.exists()]
    if taken and not force:
        right = "add --force to overwrite it, --name for another name, or --out for another folder"
        raise ConfigError(
            [Problem(path.name, "path", str(path), "it is there already", right) for path in taken]
        )
    paths["city"].write_text(start.text(), encoding="utf-8")
    if map_text:
        paths["map"].write_text(map_text, encoding="utf-8")
    else:
        del paths["map"]
    return paths


_ENDS = {"city": ".toml", "map": ".map.toml", "page": ".html"}


def _check_page(start: "CityStart", paths: dict[str, Path], *, opened: bool) -> None:
    """Checks the records by the city file as it was written."""
    from deepcity.data.check.file_report import check_file
    from deepcity.data.findings import Severity
    from deepcity.web.report.records import write_records

    report = check_file(paths["city"], with_plots=True)
    write_records([report], paths["page"])
    found = {
        str(one): None
        for agency in report.agencies
        for one in agency.findings
        if one.severity is Severity.WARNING
    }
    for text in found:
        typer.echo(f"Warning: {text}")
    typer.echo(f"Written: {', '.join(str(path) for path in paths.values())}")
    if opened:
        webbrowser.open(paths["page"].absolute().as_uri())


def _next_commands(start: "CityStart", out: Path) -> None:
    name = start.raw["name"]
    typer.echo("Next:")
    typer.echo(f"  deepcity run {out / f'{name}.map.toml'}")
    typer.echo(f"  deepcity forecast runs/{name}")
