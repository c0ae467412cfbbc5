"""`deepcity backtest FOLDER`: what a run would have forecast at past times, with what came."""

from typing import Annotated

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
    limit_threads,
    parse_time,
    report_failures,
    table_format,
    write_table,
)
from deepcity.cli.progress_bars import errors


def backtest(
    folder: Folder,
    start: Annotated[
        str | None,
        typer.Option(
            help="Start of the first step forecast; without an offset, in each city's own time. "
            "Default: the first that no network learned from.",
            metavar="TIME",
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option(
            help="All steps forecast lie before it. Default: the end of the records.",
            metavar="TIME",
        ),
    ] = None,
    stride: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Take every so-many-th step as an origin, counted back from the last. Default: "
            "that of the run's test days (test_stride).",
        ),
    ] = None,
    party: Parties = None,
    service: ServiceName = None,
    out: OutFile = None,
    form: Format = None,
    map_file: MapFile = None,
    city: CityFileOption = None,
    threads: Threads = 1,
) -> None:
    """The forecasts of past origins as one table, each from the rows before it alone.

    One row a service, party, place, origin and step: the forecast with its band, what was
    measured (`truth`), and what the party would have forecast without the layers of others
    (`alone`). Over a run's test days these are the run's own forecasts: the figures of its
    report can be recomputed from the table. A party that fails does not stop the others.

    Example: deepcity backtest runs/demo --out backtest.parquet
    """
    since, until = parse_time(start, "--start"), parse_time(end, "--end")
    written = table_format(out, form)
    from deepcity.forecasting.table import backtest_table
    from deepcity.live.forecasters import forecasters_of

    limit_threads(threads)
    parties = forecasters_of(folder, map_file, city, service, party or ())
    found = [one.backtest(since, until, stride) for one in parties]
    report_failures(found)
    if all(one.forecasts is None for one in found):
        errors.print("No party could be backtested; nothing was written.", style="red")
        raise typer.Exit(1)
    write_table(backtest_table(found), out, written)
