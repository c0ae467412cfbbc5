"""A panel: values on a regular clock, for places and fields, with a mask.

Shapes: T time steps, N places, F fields.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

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


def records_digest(named: Iterable[tuple[str, Panel]]) -> str:
    """SHA-256 of records, with the names of those who hold them; another where anything changed."""
    digest = hashlib.sha256()
    for name, panel in named:
        digest.update(name.encode() + panel.time_T.tobytes())
        digest.update(panel.values_TNF.tobytes())
    return digest.hexdigest()
