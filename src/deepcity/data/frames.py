"""Panels from and to data frames: the way into and out of pandas and polars.

A frame is read as a city file's records are: it is written to a temporary Parquet file, and
times, units, duplicates, gaps and steps go through the same checks (`deepcity.data.load`). The
keys of `time` and `fields` are those of a city file, so a remedy that an error names is right
here too.

Shapes: T steps, N places, F fields.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import polars as pl

from deepcity.city.agency import Agency
from deepcity.city.clock import Clock
from deepcity.city.errors import DataError, RecordsWarning
from deepcity.city.field import Field
from deepcity.city.localized_text import LocalizedText
from deepcity.city.place import Place
from deepcity.city.problem import Problem
from deepcity.data.config.settings import AgencySettings, ClockSettings
from deepcity.data.config.toml_file import validate
from deepcity.data.connectors.parquet import ParquetSettings
from deepcity.data.domains import domains
from deepcity.data.findings import Severity
from deepcity.data.load import load_agency
from deepcity.data.panel import Panel
from deepcity.data.places.find_places import find_places

Backend = Literal["polars", "pandas"]
Fields = Mapping[str, Mapping[str, Any]] | Sequence[Field]
_FILE = "frame"  # what messages call it
_NOT_OF_FRAMES = ("unexpected-kind", "short")  # a frame has no domain, and may hold an hour alone


def panel_from_frame(
    frame: Any,  # noqa: ANN401 - of polars or pandas, which need not be there
    *,
    time: str | Mapping[str, Any],
    place: str | None,
    fields: Fields,
    time_zone: str,
    step: str | timedelta,
    places: Sequence[Place | str] = (),
    holidays: Iterable[date] = (),
) -> Panel:
    """`Panel.from_frame`, which says what the arguments are."""
    table = _as_polars(frame, time if isinstance(time, str) else None)
    with TemporaryDirectory() as name:
        folder = Path(name)
        table.write_parquet(folder / _FILE)
        source, clock, agency = _settings(time, place, fields, time_zone, step, places)
        sources = {_FILE: source}
        listed, problems = find_places(agency, sources, _FILE, folder)
        if problems:
            raise DataError(problems)
        default = domains()[agency.domain].sensitivity
        known = {field.name: field for field in fields if isinstance(field, Field)}
        own = tuple(known.get(one.name, one.value(default)) for one in agency.fields)
        whole = Agency(_FILE, LocalizedText(_FILE, _FILE), agency.domain, listed, own)
        loaded = load_agency(
            whole, agency, sources, folder, Clock(time_zone, clock.step, frozenset(holidays))
        )
    doubts = [
        str(one)
        for one in loaded.findings
        if one.severity is Severity.WARNING and one.what not in _NOT_OF_FRAMES
    ]
    if doubts:
        warnings.warn("\n".join(doubts), RecordsWarning, stacklevel=3)
    return loaded.panel


def _settings(
    time: str | Mapping[str, Any],
    place: str | None,
    fields: Fields,
    time_zone: str,
    step: str | timedelta,
    places: Sequence[Place | str],
) -> tuple[ParquetSettings, ClockSettings, AgencySettings]:
    """What a city file would say of the frame.

    Raises:
        DataError: with every problem of the arguments.
    """
    raw_source = {
        "name": _FILE,
        "path": _FILE,
        "time": {"column": time} if isinstance(time, str) else dict(time),
        "layout": "wide" if place is None else "long",
        **({} if place is None else {"place": place}),
    }
    raw_agency = {
        "name": _FILE,
        "title": {"en": _FILE, "ko": _FILE},
        "domain": next(iter(domains())),
        "fields": _raw_fields(fields),
        "places": [_raw_place(one) for one in places] or "all",
    }
    source, problems = validate(ParquetSettings, raw_source, _FILE)
    clock, more = validate(ClockSettings, {"time_zone": time_zone, "step": step}, _FILE)
    agency, others = validate(AgencySettings, raw_agency, _FILE)
    problems = [*problems, *more, *others]
    if place is None and len(fields) > 1:
        reason = "a wide frame has a column a place, which holds one field"
        right = "name the column of places with place=..., or make one panel a field"
        problems.append(Problem(_FILE, "fields", len(fields), reason, right))
    if problems or source is None or clock is None or agency is None:
        raise DataError(problems)
    return source, clock, agency


def _raw_fields(fields: Fields) -> list[dict[str, Any]]:
    if isinstance(fields, Mapping):
        return [{"name": name, "source": _FILE, **keys} for name, keys in fields.items()]
    return [
        {"name": one.name, "source": _FILE, "kind": one.kind.value, "unit": one.unit}
        for one in fields
    ]


def _raw_place(place: Place | str) -> dict[str, Any]:
    if isinstance(place, str):
        return {"id": place}
    found = {"id": place.id, "lat": place.lat, "lon": place.lon, "capacity": place.capacity}
    return {key: value for key, value in found.items() if value is not None}


def _is_pandas(frame: object) -> bool:
    return type(frame).__module__.partition(".")[0] == "pandas"


def _as_polars(frame: Any, time: str | None) -> pl.DataFrame:  # noqa: ANN401 - see above
    """The frame's columns, those of pandas by way of NumPy: pyarrow need not be there.

    Raises:
        TypeError: if it is no frame.
    """
    if isinstance(frame, pl.DataFrame):
        return frame
    if not _is_pandas(frame) or not hasattr(frame, "columns"):
        msg = f"a polars or pandas DataFrame is needed, not {type(frame).__name__}"
        raise TypeError(msg)
    if time is not None and time not in frame.columns:  # times are often the index
        frame = frame.rename_axis(frame.index.name or time).reset_index()
    return pl.DataFrame([_column(str(name), frame[name]) for name in frame.columns])


def _column(name: str, series: Any) -> pl.Series:  # noqa: ANN401 - of pandas
    """A column of pandas: times in UTC where they have a zone, numbers, or texts."""
    kind = getattr(series.dtype, "kind", "O")
    if kind == "M":
        zoned = getattr(series.dtype, "tz", None) is not None
        plain = series.dt.tz_convert(None) if zoned else series
        times = pl.Series(name, plain.to_numpy().astype("datetime64[us]"))
        return times.dt.replace_time_zone("UTC") if zoned else times
    if kind in "fiub":
        return pl.Series(name, series.to_numpy(dtype=np.float64, na_value=np.nan))
    missing = series.isna().to_numpy()
    texts = [None if gone else str(one) for one, gone in zip(series, missing, strict=True)]
    return pl.Series(name, texts, dtype=pl.String)


def frame_of(
    columns: Mapping[str, np.ndarray], times: Mapping[str, np.ndarray], zone: str, backend: Backend
) -> Any:  # noqa: ANN401 - of polars or pandas
    """A frame of columns of one length; NaN is null in polars.

    Args:
        times: columns of UTC seconds, which come first and are shown in this zone.

    Raises:
        ValueError: if the backend is neither.
        ModuleNotFoundError: if pandas is asked for and not installed.
    """
    makers: dict[str, Callable[..., Any]] = {"polars": _polars_frame, "pandas": _pandas_frame}
    if backend not in makers:
        msg = f"unknown backend {backend!r}; known: {', '.join(makers)}"
        raise ValueError(msg)
    return makers[backend](columns, times, zone)


def _polars_frame(
    columns: Mapping[str, np.ndarray], times: Mapping[str, np.ndarray], zone: str
) -> pl.DataFrame:
    moments = [
        pl.Series(name, seconds.astype("datetime64[s]").astype("datetime64[us]"))
        .dt.replace_time_zone("UTC")
        .dt.convert_time_zone(zone)
        for name, seconds in times.items()
    ]
    rest = [
        pl.Series(name, values, nan_to_null=True)
        if values.dtype.kind == "f"
        else pl.Series(name, values.tolist())
        for name, values in columns.items()
    ]
    return pl.DataFrame([*moments, *rest])


def _pandas_frame(
    columns: Mapping[str, np.ndarray], times: Mapping[str, np.ndarray], zone: str
) -> Any:  # noqa: ANN401 - of pandas
    pandas = import_module("pandas")
    moments = {
        name: pandas.to_datetime(seconds, unit="s", utc=True).tz_convert(zone)
        for name, seconds in times.items()
    }
    return pandas.DataFrame({**moments, **columns})


def frame_from_panel(panel: Panel, backend: Backend) -> Any:  # noqa: ANN401 - as above
    """`Panel.to_frame`: a row a time and place, a column a field."""
    steps, places = panel.values_TNF.shape[:2]
    columns = {"place": np.tile(np.array([place.id for place in panel.places]), steps)}
    for index, field in enumerate(panel.fields):
        columns[field.name] = panel.values_TNF[:, :, index].reshape(-1)
    times = {"time": np.repeat(panel.time_T, places)}
    return frame_of(columns, times, panel.clock.time_zone, backend)
