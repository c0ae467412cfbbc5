"""A field: one named quantity that an agency measures, with its unit and kind."""

from dataclasses import dataclass
from enum import StrEnum


class Resample(StrEnum):
    """How rows are aggregated into a coarser step, or spread over finer steps."""

    MEAN = "mean"  # a rate or a state: its average over the step
    SUM = "sum"  # an amount that adds up: its total over the step
    LAST = "last"  # a stock: its value at the end of the step
    MAX = "max"  # a warning level: the highest of the step


class Kind(StrEnum):
    """What sort of quantity a field is; decides its canonical unit and resampling rule."""

    SPEED = "speed"
    FLOW = "flow"
    COUNT = "count"
    LEVEL = "level"
    LOAD = "load"
    ENERGY = "energy"
    CONCENTRATION = "concentration"
    TEMPERATURE = "temperature"
    PRESSURE = "pressure"
    HUMIDITY = "humidity"
    WIND = "wind"
    RAIN = "rain"
    SHARE = "share"

    @property
    def resample(self) -> Resample:
        """The rule by which rows of this kind are resampled."""
        return _RESAMPLE.get(self, Resample.MEAN)

    @property
    def non_negative(self) -> bool:
        """Whether it is a magnitude; a flow or load may run backwards where records show it."""
        return self not in _SIGNED


_RESAMPLE = {
    Kind.COUNT: Resample.SUM,
    Kind.ENERGY: Resample.SUM,
    Kind.RAIN: Resample.SUM,
    Kind.LEVEL: Resample.LAST,
}

_SIGNED = (Kind.TEMPERATURE, Kind.LEVEL, Kind.PRESSURE)


class Sensitivity(StrEnum):
    """How much a field reveals about persons; policy limits its use accordingly."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"


@dataclass(frozen=True)
class Field:
    """One measured quantity.

    Attributes:
        name: unique within its agency, e.g. ``"inflow"``.
        unit: the unit its values are in once loaded, e.g. ``"L/s"``.
    """

    name: str
    kind: Kind
    unit: str
    sensitivity: Sensitivity = Sensitivity.INTERNAL
