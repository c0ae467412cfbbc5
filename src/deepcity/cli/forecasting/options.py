"""Options that `deepcity forecast`, `backtest` and `export` share."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepcity.city.errors import CheckpointError
from deepcity.cli.progress_bars import errors
from deepcity.data.table_formats import TableFormat, format_of

if TYPE_CHECKING:
    from deepcity.forecasting.table import PartyForecasts

Folder = Annotated[
    Path,
    typer.Argument(
        help="Folder of a finished run (deepcity run or train-vertical), or of one of its sites.",
        metavar="FOLDER",
    ),
]
Parties = Annotated[
    list[str] | None,
    typer.Option(
        "--party", help="Only this party; may be repeated. Default: all.", metavar="CITY/AGENCY"
    ),
]
ServiceName = Annotated[
    str | None, typer.Option("--service", help="Only this service of the map. Default: all.")
]
MapFile = Annotated[
    Path | None,
    typer.Option(
        "--map", help="The run's map, if it is no longer where it was.", metavar="MAP.toml"
    ),
]
CityFileOption = Annotated[
    Path | None,
    typer.Option(
        "--city",
        help="City file of a site's folder that was carried elsewhere, instead of a map.",
        metavar="CITY.toml",
    ),
]
OutFile = Annotated[
    Path | None, typer.Option(help="File to write. Default: standard output.", metavar="FILE")
]
Format = Annotated[
    TableFormat | None,
    typer.Option("--format", help="Of the table. Default: as FILE ends; csv otherwise."),
]
Threads = Annotated[int, typer.Option(min=1, help="Processor threads to use.")]


def parse_time(text: str | None, option: str) -> datetime | None:
    """A time as written on the command line; without a zone, it is the city's.

    Raises:
        typer.BadParameter: if it is none.
    """
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        msg = f"{text!r} is not a time; write 2024-05-01T08:00 (the city's), or ...+09:00 or ...Z"
        raise typer.BadParameter(msg, param_hint=option) from error


@contextmanager
def importing() -> Iterator[None]:
    """Import without collecting garbage meanwhile: what modules hold stays, and to look through
    it again and again takes a fifth of the time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def limit_threads(threads: int) -> None:
    """Compute with so many threads, numpy's linear algebra too: its own choice, one a core, waits
    for its turn by spinning where the machine has other work.
    """
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    threadpool_limits(threads, user_api="blas")


def table_format(out: Path | None, asked: TableFormat | None) -> TableFormat:
    """The format asked for, or that of a file's name."""
    return asked or format_of(out)


def write_table(table: Any, out: Path | None, form: TableFormat, *, header: bool = True) -> None:  # noqa: ANN401
    """Write a table to a file, whole or not at all, or to standard output.

    Raises:
        CheckpointError: if the file cannot be written.
    """
    from deepcity.data.table_files import table_bytes
    from deepcity.store.run_folder import write_file

    data = table_bytes(table, form, header=header)
    if out is not None and out.is_dir():
        raise typer.BadParameter(f"{out} is a folder; name a file in it", param_hint="--out")
    if out is not None and out.exists() and not out.is_file():
        _write_device(out, data)
        return
    if out is not None:
        write_file(out, data)
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _write_device(out: Path, data: bytes) -> None:
    """Write to what is no file, such as /dev/stdout or a pipe, which must not be replaced."""
    try:
        with out.open("wb") as device:
            device.write(data)
    except OSError as error:
        msg = f"{out} cannot be written: {error.strerror or error}; name another file"
        raise CheckpointError(msg) from error


def report_failures(found: "list[PartyForecasts]") -> None:
    """Name on standard error what could not be forecast, once a party."""
    for one in found:
        if one.forecasts is None and one.gap is not None:
            errors.print(f"{one.party}: {one.gap.sentence}", style="red", markup=False)
        elif one.forecasts is not None and one.forecasts.gaps:
            gaps = one.forecasts.gaps
            first = next(iter(gaps))
            rest = f" and {len(gaps) - 1} more" if len(gaps) > 1 else ""
            errors.print(
                f"{one.party}: no forecast of {first}{rest}: {gaps[first].sentence}",
                style="yellow",
                markup=False,
            )
