"""What a city file may say: the city, its clock, its agencies, their fields and places."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from deepcity.city.agency import DomainName
from deepcity.city.clock import Clock
from deepcity.city.field import Field as CityField
from deepcity.city.field import Kind, Sensitivity
from deepcity.city.title import Title
from deepcity.city.units import UnitError, check_convertible, check_unit
from deepcity.data.duration import Duration
from deepcity.data.holidays import HolidayCalendar, holiday_dates
from deepcity.data.source import TimeZoneName
from deepcity.data.toml_file import Settings, wrong

ALL = "all"
NAME = r"^[a-z0-9][a-z0-9_-]*$"
Name = Annotated[str, Field(min_length=1)]


class TitleSettings(Settings):
    """A name for people in both languages."""

    en: Name
    ko: Name

    def value(self) -> Title:
        """The title these settings describe."""
        return Title(self.en, self.ko)


class ClockSettings(Settings):
    """The city's time zone, the step of its panels, and whose public holidays it keeps.

    Attributes:
        holidays: a country (``IT``) or a part of one (``IT-FE``), by ISO 3166.
    """

    time_zone: TimeZoneName
    step: Duration
    holidays: HolidayCalendar | None = None

    def value(self) -> Clock:
        """The clock these settings describe."""
        return Clock(self.time_zone, self.step, holiday_dates(self.holidays))


class FieldSettings(Settings):
    """One field of an agency and where its values stand.

    Attributes:
        name: unique within the agency.
        kind: decides how values are brought to the clock's step.
        unit: the unit of the panel.
        unit_in: the unit of the records; left out, the same.
        source: the source that holds it.
        column: its column: of a long table; of a wide one with a single place; or a pattern
            with ``{place}`` in it. Left out, a wide table's columns are the places, and a
            long table's column is named like the field.
        sensitivity: how much it says about persons; left out, as its domain says.
        valid: lowest and highest believable value, in `unit`; others are masked.
        spread: let a coarser row stand for the finer steps within it, by the kind's rule
            (an amount is divided, anything else holds).
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

    @model_validator(mode="after")
    def _units_fit(self) -> "FieldSettings":
        _check("unit", check_unit, self.unit, self.kind)
        if self.unit_in is not None:
            _check("unit_in", check_convertible, self.unit_in, self.unit)
        if self.valid is not None and self.valid[0] >= self.valid[1]:
            raise wrong("lowest is not below highest", "write [lowest, highest]", "valid")
        return self

    @property
    def unit_of_records(self) -> str:
        """The unit the records are in."""
        return self.unit_in or self.unit

    def value(self, default: Sensitivity) -> CityField:
        """The field these settings describe."""
        return CityField(self.name, self.kind, self.unit, self.sensitivity or default)


def _check(key: str, check: Any, *args: object) -> None:  # noqa: ANN401 - either unit check
    try:
        check(*args)
    except UnitError as error:
        raise wrong(str(error), error.right, key) from error


class PlaceSettings(Settings):
    """One place: its id in the panel, its column or value in the records, its position."""

    id: Name
    column: str | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None

    @property
    def key(self) -> str:
        """What the records call this place."""
        return self.column or self.id


class PlacesFromSettings(Settings):
    """A source that says where places lie, and the names of its columns."""

    source: str
    id: str
    lat: str
    lon: str


def _places(raw: object) -> object:
    """``"all"`` -> an empty tuple; a text in the list -> a place of that id."""
    if raw == ALL:
        return ()
    if not isinstance(raw, list | tuple) or not raw:
        raise wrong("neither a list of places nor 'all'", "list places, or write places = 'all'")
    return [{"id": entry} if isinstance(entry, str) else entry for entry in raw]


class AgencySettings(Settings):
    """One agency: a party that keeps raw records of its own.

    `places` is a list, or ``"all"``: every place the sources of its fields hold (empty here).
    """

    name: Annotated[str, Field(pattern=NAME)]
    title: TitleSettings
    domain: DomainName
    fields: Annotated[tuple[FieldSettings, ...], Field(min_length=1)]
    places: Annotated[tuple[PlaceSettings, ...], BeforeValidator(_places)]
    places_from: PlacesFromSettings | None = None


class CitySettings(Settings):
    """A whole city file; each source is checked by the settings of its own format."""

    name: Annotated[str, Field(pattern=NAME)]
    title: TitleSettings
    clock: ClockSettings
    agency: Annotated[tuple[AgencySettings, ...], Field(min_length=1)]
    source: Any = ()
