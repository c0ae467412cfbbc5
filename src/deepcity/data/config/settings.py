"""The settings of a city file: the city, its clock, its agencies, their fields and places."""

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from deepcity.city.clock import Clock
from deepcity.city.field import Field as CityField
from deepcity.city.field import Kind, Sensitivity
from deepcity.city.localized_text import LocalizedText
from deepcity.city.units import UnitError, check_convertible, check_unit, gas_of
from deepcity.data.config.adjacency_settings import AdjacencySettings
from deepcity.data.config.duration import Duration
from deepcity.data.config.grid_settings import GridSettings
from deepcity.data.config.holidays import HolidayCalendar, holiday_dates
from deepcity.data.config.time_settings import TimeZoneName
from deepcity.data.config.toml_file import Settings, wrong

ALL = "all"
NAME = r"^[a-z0-9][a-z0-9_-]*$"
Name = Annotated[str, Field(min_length=1)]

TOTAL_AMOUNTS = (Kind.COUNT, Kind.ENERGY, Kind.RAIN)
TOTAL_RATES = {Kind.FLOW: "m3", Kind.LOAD: "kWh"}
"""Kinds whose records may be running totals, and the usual unit of those of rates."""


class TitleSettings(Settings):
    """A name for people in both languages.

    Attributes:
        en, ko: in English and in Korean.
    """

    en: Name
    ko: Name

    def value(self) -> LocalizedText:
        """The title these settings describe."""
        return LocalizedText(self.en, self.ko)


class ClockSettings(Settings):
    """The city's time zone, the step of its panels, and its public holidays.

    Attributes:
        time_zone: by its IANA name, such as ``Asia/Seoul``.
        step: of the city's panels, such as ``1h`` or ``15min``.
        holidays: a country (``IT``) or a part of one (``IT-FE``), by ISO 3166.
    """

    time_zone: TimeZoneName
    step: Duration
    holidays: HolidayCalendar | None = None

    def value(self) -> Clock:
        """The clock these settings describe."""
        return Clock(self.time_zone, self.step, holiday_dates(self.holidays))


class FieldSettings(Settings):
    """One field of an agency and where its values are read from.

    Attributes:
        name: unique within the agency.
        kind: decides how values are resampled to the clock's step.
        unit: the unit of the panel.
        unit_in: the unit of the records; by default the same.
        source: the source that holds it.
        column: its column in a long table, or in a wide one with a single place; or a pattern
            with ``{place}`` in it. By default a wide table's columns are the places, and a
            long table's column is named like the field. For events: a column to add up; by
            default events are counted.
        scale, offset: a record of x means x * scale + offset in `unit_in`.
        codes: texts that stand for numbers, e.g. ``{ Yes = 1, No = 0 }``.
        where: only rows with one of these texts in a column, e.g.
            ``{ Offense = ["ROBBERY"] }``; other rows are missing, or not counted.
        sensitivity: how much it reveals about persons; by default its domain's.
        valid: lowest and highest plausible value, in `unit`; others are masked.
        spread: let a coarser row stand for the finer steps within it, by the kind's rule
            (an amount is divided, other values are repeated).
        cumulative: records are readings of a running total, which are differenced; of a rate
            (flow, load), `unit_in` is the total's unit.
    """

    name: Annotated[str, Field(pattern=NAME)]
    kind: Kind
    unit: str
    source: str
    unit_in: str | None = None
    column: str | None = None
    sensitivity: Sensitivity | None = None
    valid: tuple[float, float] | None = None
    spread: bool = False
    cumulative: bool = False
    scale: float = 1.0
    offset: float = 0.0
    codes: dict[str, float] = Field(default_factory=dict)
    where: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _units_fit(self) -> "FieldSettings":
        if not (self.scale and math.isfinite(self.scale) and math.isfinite(self.offset)):
            raise wrong("not a factor", "write a finite number other than 0", "scale")
        _check("unit", check_unit, self.unit, self.kind)
        if self.cumulative:
            self._check_total()
        elif self.unit_in is not None:
            _check("unit_in", check_convertible, self.unit_in, self.unit, gas_of(self.name))
        if self.valid is not None and self.valid[0] >= self.valid[1]:
            raise wrong("the lowest is not below the highest", "write [lowest, highest]", "valid")
        return self

    def _check_total(self) -> None:
        """A running total gives amounts, or rates where its unit per time is the field's."""
        if self.kind in TOTAL_AMOUNTS:
            _check("unit_in", check_convertible, self.unit_of_records, self.unit)
        elif self.kind not in TOTAL_RATES:
            known = ", ".join(kind.value for kind in (*TOTAL_AMOUNTS, *TOTAL_RATES))
            reason = f"a {self.kind.value} has no running total"
            raise wrong(reason, f"remove it, or choose one of the kinds {known}", "cumulative")
        elif self.unit_in is None:
            right = f"state the total's unit, e.g. unit_in = '{TOTAL_RATES[self.kind]}'"
            raise wrong("missing for a running total of a rate", right, "unit_in")
        else:
            _check("unit_in", check_convertible, self.rate_of_total, self.unit)

    @property
    def unit_of_records(self) -> str:
        """The unit the records are in."""
        return self.unit_in or self.unit

    @property
    def rate_of_total(self) -> str:
        """The unit of a running total per second."""
        return f"{self.unit_of_records}/s"

    def value(self, default: Sensitivity) -> CityField:
        """The field these settings describe."""
        return CityField(self.name, self.kind, self.unit, self.sensitivity or default)


def _check(key: str, check: Any, *args: object) -> None:  # noqa: ANN401 - either unit check
    try:
        check(*args)
    except UnitError as error:
        raise wrong(str(error), error.right, key) from error


class PlaceSettings(Settings):
    """One place of an agency.

    Attributes:
        id: its name in panels, results and forecasts.
        column: what the records call it, where that differs from its id.
        lat, lon: its position, degrees (WGS 84).
        capacity: the most that can be there, such as parking spaces.
    """

    id: Name
    column: str | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    capacity: Annotated[float, Field(ge=0)] | None = None

    @property
    def key(self) -> str:
        """What the records call this place."""
        return self.column or self.id


class PlacesFromSettings(Settings):
    """A source with positions and capacities of places, and the names of its columns.

    A blank position or capacity means unknown.

    Attributes:
        source: by its name.
        id: the column of ids.
        lat, lon: the columns of positions, degrees (WGS 84).
        capacity: the column of capacities.
    """

    source: str
    id: str
    lat: str | None = None
    lon: str | None = None
    capacity: str | None = None

    @model_validator(mode="after")
    def _names_a_column(self) -> "PlacesFromSettings":
        if (self.lat is None) != (self.lon is None):
            right = "give both lat and lon"
            reason = "only one of lat and lon is given"
            raise wrong(reason, right, "lat" if self.lat is None else "lon")
        if self.lat is None and self.capacity is None:
            raise wrong("names neither a position nor a capacity", "give lat and lon, or capacity")
        return self


def _places(raw: object) -> object:
    """``"all"`` -> an empty tuple; a text in the list -> a place of that id."""
    if raw == ALL:
        return ()
    if not isinstance(raw, list | tuple) or not raw:
        raise wrong("neither a list of places nor 'all'", "list places, or write places = 'all'")
    return [{"id": entry} if isinstance(entry, str) else entry for entry in raw]


class AgencySettings(Settings):
    """One agency: a party that keeps raw records of its own.

    Attributes:
        name: unique in the city; CITY/NAME is the party.
        title: in reports.
        fields: what it measures, at least one.
        domain: a domain of `deepcity.data.domains`; the city file's check knows which there are.
        places: a list, or ``"all"``: every place the sources of its fields hold (empty here).
        places_from: the source of their positions and capacities.
        grid: cells used as places, for events that have a position.
        adjacency: the graph of its places.
        step: of its panel; by default the city's.
    """

    name: Annotated[str, Field(pattern=NAME)]
    title: TitleSettings
    domain: str
    fields: Annotated[tuple[FieldSettings, ...], Field(min_length=1)]
    places: Annotated[tuple[PlaceSettings, ...], BeforeValidator(_places)] | None = None
    places_from: PlacesFromSettings | None = None
    grid: GridSettings | None = None
    adjacency: AdjacencySettings | None = None
    step: Duration | None = None

    @model_validator(mode="after")
    def _places_or_grid(self) -> "AgencySettings":
        if self.places is None and self.grid is None:
            raise wrong("missing", "list places, or write places = 'all', or give a grid", "places")
        if self.grid is not None and (self.places is not None or self.places_from is not None):
            raise wrong("its cells are the places", "remove places and places_from", "grid")
        return self


class CitySettings(Settings):
    """A whole city file; each source is checked by the settings of its own format.

    Attributes:
        name: unique among the cities of a map.
        title: in reports.
        clock: its time zone and step.
        agency: its agencies, at least one.
        source: its tables of records, each by the settings of its format.
        policy: a file of grants; what it does not grant does not leave
            (`deepcity.maps.policy_settings`). Left out, the bounds of maps and access files hold
            alone.
    """

    name: Annotated[str, Field(pattern=NAME)]
    title: TitleSettings
    clock: ClockSettings
    agency: Annotated[tuple[AgencySettings, ...], Field(min_length=1)]
    source: Any = ()
    policy: Annotated[str, Field(min_length=1)] | None = None
