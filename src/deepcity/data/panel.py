"""A panel: values on a regular clock, for places and fields, with a mask.

Shapes: T time steps, N places, F fields.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.city.clock import Clock
from deepcity.city.field import Field
from deepcity.city.place import Place


@dataclass(frozen=True)
class Panel:
    """Regular time x place x field values.

    Attributes:
        clock: time zone and step.
        time_T: start of each step, UTC seconds since 1970, strictly one step apart.
        places: N places.
        fields: F fields; values are in each field's `unit`.
        values_TNF: float32; NaN wherever the mask is False, never filled in.
        adjacency_NN: weight of the edge between each two places, 0 or more, or None where the
            city file names no graph.
    """

    clock: Clock
    time_T: Ints
    places: tuple[Place, ...]
    fields: tuple[Field, ...]
    values_TNF: Floats
    adjacency_NN: Floats | None = None

    def __post_init__(self) -> None:
        shape = (len(self.time_T), len(self.places), len(self.fields))
        if self.values_TNF.shape != shape:
            msg = f"values have shape {self.values_TNF.shape}; times x places x fields is {shape}"
            raise ValueError(msg)
        if self.adjacency_NN is not None and self.adjacency_NN.shape != shape[1:2] * 2:
            msg = f"adjacency has shape {self.adjacency_NN.shape} for {shape[1]} places"
            raise ValueError(msg)
        if len(self.time_T) > 1 and not bool(np.all(np.diff(self.time_T) == self.clock.step_s)):
            msg = f"times must be {self.clock.step_s} s apart; resample to the clock's step first"
            raise ValueError(msg)

    @property
    def mask_TNF(self) -> Bools:
        """True where a value was measured."""
        return np.isfinite(self.values_TNF)

    def field_index(self, name: str) -> int:
        """Position of a field.

        Raises:
            KeyError: if the panel lacks it.
        """
        for index, field in enumerate(self.fields):
            if field.name == name:
                return index
        msg = f"no field {name!r}; the panel has {', '.join(f.name for f in self.fields)}"
        raise KeyError(msg)

    def between(self, start_s: int, end_s: int) -> "Panel":
        """The steps that start in [start_s, end_s), in UTC seconds."""
        keep = (self.time_T >= start_s) & (self.time_T < end_s)
        return replace(self, time_T=self.time_T[keep], values_TNF=self.values_TNF[keep])

    @classmethod
    def from_frame(
        cls,
        frame: Any,  # noqa: ANN401 - of polars or pandas, which need not be there
        *,
        time: str | Mapping[str, Any],
        place: str | None = None,
        fields: Mapping[str, Mapping[str, Any]] | Sequence[Field],
        time_zone: str,
        step: str | timedelta,
        places: Sequence[Place | str] = (),
        holidays: Iterable[date] = (),
    ) -> "Panel":
        """A panel from a frame of polars or pandas, checked as a city file's records are.

        Doubtful records raise a Python warning.

        Args:
            time: the column of times (or the index of a pandas frame); or a table with the
                keys of a city file's `time`, e.g. ``{"column": "time", "duplicates": "mask"}``.
                Times without a zone are wall times of `time_zone`.
            place: the column of places, of a long frame (a row a time and place, a column a
                field); left out, the frame is wide: every other column is a place of one field.
            fields: by name, the keys of a city file's field but its source, e.g.
                ``{"flow": {"kind": "flow", "unit": "L/s"}}``; or the fields themselves.
            time_zone: IANA name.
            step: of the panel, e.g. ``"15min"``; finer rows are resampled by a field's kind.
            places: which places, in this order, with positions if known; left out, all.
            holidays: days that count as Sundays.

        Raises:
            DataError: with every problem of the arguments or the records.
            TypeError: if `frame` is no frame.

        >>> import polars as pl
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({
        ...     "time": [datetime(2024, 3, 1, hour) for hour in range(3)],
        ...     "north": [1.0, None, 3.0],
        ... })
        >>> flow = {"flow": {"kind": "flow", "unit": "L/s"}}
        >>> panel = Panel.from_frame(
        ...     frame, time="time", fields=flow, time_zone="Asia/Seoul", step="1h"
        ... )
        >>> panel.values_TNF[:, 0, 0].tolist()
        [1.0, nan, 3.0]
        """
        from deepcity.data.frames import panel_from_frame

        return panel_from_frame(
            frame,
            time=time,
            place=place,
            fields=fields,
            time_zone=time_zone,
            step=step,
            places=places,
            holidays=holidays,
        )

    def to_frame(self, backend: Literal["polars", "pandas"] = "polars") -> Any:  # noqa: ANN401
        """A long frame: `time` in the clock's zone, `place`, and a column a field.

        A value that was not measured is null in polars and NaN in pandas.

        Raises:
            ValueError: if the backend is neither.
            ModuleNotFoundError: if pandas is asked for and not installed.
        """
        from deepcity.data.frames import frame_from_panel

        return frame_from_panel(self, backend)


def records_digest(named: Iterable[tuple[str, Panel]]) -> str:
    """SHA-256 of records, with the names of those who hold them; another where anything changed."""
    digest = hashlib.sha256()
    for name, panel in named:
        digest.update(name.encode() + panel.time_T.tobytes())
        digest.update(panel.values_TNF.tobytes())
    return digest.hexdigest()


def extended(panel: Panel, second: int, ahead: int) -> Panel:
    """The rows before a time (UTC seconds, on the panel's steps), and steps of which nothing is
    known up to `ahead` steps after it.
    """
    panel, step_s = panel.between(int(panel.time_T[0]), second), panel.clock.step_s
    first = int(panel.time_T[-1]) + step_s
    time_X = np.arange(first, second + ahead * step_s, step_s)
    nothing = np.full((len(time_X), *panel.values_TNF.shape[1:]), np.nan, np.float32)
    return replace(
        panel,
        time_T=np.concatenate([panel.time_T, time_X]),
        values_TNF=np.concatenate([panel.values_TNF, nothing]),
    )


def measured_end(values_TN: Floats) -> int:
    """The step after the last measured value; 0 where there is none."""
    measured = np.flatnonzero(np.isfinite(values_TN).any(axis=1))
    return int(measured[-1]) + 1 if len(measured) else 0
