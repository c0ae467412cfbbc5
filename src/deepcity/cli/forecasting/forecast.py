"""`deepcity forecast FOLDER`: forecasts of every party of a run, from its newest rows."""

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepcity.cli.forecasting.options import (
    CityFileOption,
    Folder,
    Format,
    MapFile,
    OutFile,
    Parties,
    ServiceName,
    Threads,
    importing,
    limit_threads,
    parse_time,
    report_failures,
    table_format,
    write_table,
)
from deepcity.cli.progress_bars import errors
from deepcity.data.table_formats import TableFormat

if TYPE_CHECKING:
    from deepcity.cli.forecasting.parties import AnyForecaster
    from deepcity.forecasting.table import PartyForecasts


def forecast(
    folder: Folder,
    at: Annotated[
        str | None,
        typer.Option(
            help="Start of the first step forecast, such as 2024-05-01T08:00; without an offset, "
            "in each city's own time. Default: after each party's newest value.",
            metavar="TIME",
        ),
    ] = None,
    party: Parties = None,
    service: ServiceName = None,
    out: OutFile = None,
    form: Format = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, with a new forecast whenever rows come.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=0.05, help="With --watch: seconds between two looks for new rows.")
    ] = 15.0,
    append: Annotated[
        bool,
        typer.Option("--append", help="Keep earlier forecasts in FILE; default: replace them."),
    ] = False,
    map_file: MapFile = None,
    city: CityFileOption = None,
    threads: Threads = 1,
) -> None:
    """Forecast every party of a run, from the newest rows of its city file's sources.

    One row a service, party, place and step: times in the city's zone with their offset and in
    UTC, the forecast with its band, and, where a place cannot be forecast, the reason: a code
    and a sentence. A party that fails does not stop the others; the exit code is 1 if no place
    of any party could be forecast.

    The run's folder knows its map. If that has moved, name it with --map; for the folder of a
    site that was carried elsewhere, its city file with --city does too.

    Examples: deepcity forecast runs/demo > tomorrow.csv,
    deepcity forecast runs/demo --watch --out tomorrow.parquet
    """
    moment, written = parse_time(at, "--at"), table_format(out, form)
    _check_together(moment, out, written, watch=watch, append=append)
    with importing():
        from deepcity.cli.forecasting.parties import forecast_all, forecasters_of

    limit_threads(threads)
    parties = forecasters_of(folder, map_file, city, service, party or ())
    if watch:
        try:
            _watch(parties, out, written, every, append=append)
        except KeyboardInterrupt:
            errors.print("Stopped.")
            raise  # Typer ends with exit code 130
    found = forecast_all(parties, moment)
    report_failures(found)
    _write(found, out, written, append=append)
    if not any(_succeeded(one) for one in found):
        raise typer.Exit(1)


def _check_together(
    at: datetime | None, out: Path | None, form: TableFormat, *, watch: bool, append: bool
) -> None:
    """Refuse options that contradict each other."""
    if watch and at is not None:
        raise typer.BadParameter("with --watch the time goes on; leave one of the two out")
    if append and out is None:
        raise typer.BadParameter("--append keeps what is in a file; name it with --out")
    if watch and out is None and form in (TableFormat.PARQUET, TableFormat.ARROW):
        raise typer.BadParameter(f"several forecasts are no one {form.value} file; give --out")


def _succeeded(found: "PartyForecasts") -> bool:
    return found.forecasts is not None and len(found.forecasts.gaps) < len(found.forecasts.places)


def _write(
    found: "list[PartyForecasts]",
    out: Path | None,
    form: TableFormat,
    *,
    append: bool,
    header: bool = True,
) -> None:
    from deepcity.forecasting.table import forecast_table

    table: Any = forecast_table(found)
    if append and out is not None and out.exists():
        table = _with_earlier(table, out, form)
    write_table(table, out, form, header=header)


def _with_earlier(table: Any, out: Path, form: TableFormat) -> Any:  # noqa: ANN401 - of polars
    """The table after the forecasts in a file; one of the same party and time replaces the old."""
    from deepcity.data.table_files import joined, read_table, without
    from deepcity.forecasting.table import KEYS

    try:
        earlier = read_table(out, form)
        if list(earlier.columns) != list(table.columns):
            raise ValueError(f"{out} has other columns")
        return joined([without(earlier, table, KEYS), table])
    except (OSError, ValueError) as error:
        msg = f"{error}; --append continues a table of forecasts: name another file"
        raise typer.BadParameter(msg) from error


def _watch(
    parties: "list[AnyForecaster]",
    out: Path | None,
    form: TableFormat,
    every: float,
    *,
    append: bool,
) -> None:
    """Forecast at once, and again whenever rows have come; never returns."""
    from tempfile import TemporaryDirectory

    from deepcity.cli.forecasting.watched import WatchedParty

    with TemporaryDirectory(prefix="deepcity-") as spool:
        watched = [
            WatchedParty.of(one, Path(spool) / str(number)) for number, one in enumerate(parties)
        ]
        latest: dict[int, PartyForecasts] = {}
        header = True
        while True:
            begun = time.monotonic()
            changed = {
                number: found
                for number, one in enumerate(watched)
                if (found := one.poll()) is not None
            }
            latest |= changed
            if changed:
                report_failures(list(changed.values()))
                shown = list((changed if append or out is None else latest).values())
                _write(shown, out, form, append=append, header=header)
                header = out is not None  # a stream has one header, a file its own each time
                errors.print(_summary(list(changed.values())), markup=False)
            time.sleep(max(0.0, every - (time.monotonic() - begun)))


def _summary(found: "list[PartyForecasts]") -> str:
    newest = [one.forecasts.origin_B.max() for one in found if one.forecasts is not None]
    if not newest:
        return "No party could be forecast; waiting for rows."
    from deepcity.runs.update.record_check import moment

    return f"Forecast {len(newest)} of {len(found)} parties, from {moment(int(max(newest)))} on."
