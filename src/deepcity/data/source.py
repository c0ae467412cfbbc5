"""A source: one table of raw records, where it is, and how its rows tell time.

Each format adds keys of its own to these (see `connectors/`).
"""

from datetime import date
from enum import StrEnum

from pydantic import Field, model_validator

from deepcity.data.duration import Duration
from deepcity.data.time_settings import TimeSettings
from deepcity.data.toml_file import Settings, wrong

MISSING = ("", "-", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")


class Layout(StrEnum):
    """How a table holds places and fields."""

    WIDE = "wide"  # a row a time; a column a place, or a field, or each pair of them
    LONG = "long"  # a row a time and place; a column a field
    EVENTS = "events"  # a row something that happened; fields count rows


class SourceSettings(Settings):
    """What every format has in common.

    Attributes:
        name: what fields call this source.
        format: one of the connectors.
        layout: wide, long or events.
        time: how rows tell time; only tables of places and graphs go without.
        place: the column that names the place (long tables, and events at places).
        lat, lon: of events on a grid: the columns that hold their position.
        recorded: of events: first and last day on record; left out, those of the first and
            the last event. Within, a step without an event counts none; outside, it is missing.
        stays: how long a value stays as it is while rows leave it blank, or while there are no
            rows; left out, a blank is missing.
        missing: texts that mean "not measured".
        decimal: the decimal sign of numbers held as text.
    """

    name: str = Field(min_length=1)
    format: str
    layout: Layout = Layout.WIDE
    time: TimeSettings | None = None
    place: str | None = None
    lat: str | None = None
    lon: str | None = None
    recorded: tuple[date, date] | None = None
    stays: Duration | None = None
    missing: tuple[str, ...] = MISSING
    decimal: str = Field(default=".", min_length=1, max_length=1)

    @property
    def row_word(self) -> str:
        """What its rows are in the file."""
        return "row"

    @model_validator(mode="after")
    def _place_fits_layout(self) -> "SourceSettings":
        if self.layout is Layout.LONG and self.place is None:
            right = "name the column that says which place a row is of"
            raise wrong("missing in a long table", right, "place")
        if self.layout is Layout.WIDE and self.place is not None:
            right = "leave it out, or say layout = 'long'"
            raise wrong("a wide table has no place column", right, "place")
        return self

    @model_validator(mode="after")
    def _rows_tell_their_time(self) -> "SourceSettings":
        if self.layout is not Layout.WIDE and self.time is not None and self.time.start is not None:
            reason = f"rows of a table that is {self.layout.value} do not follow each other in time"
            raise wrong(reason, "name the column that holds the time", "time.start")
        return self

    @model_validator(mode="after")
    def _events_have_their_keys(self) -> "SourceSettings":
        if self.layout is Layout.EVENTS:
            return self._check_events()
        for key in ("lat", "lon", "recorded"):
            if getattr(self, key) is not None:
                raise wrong("only events have it", "leave it out, or say layout = 'events'", key)
        return self

    def _check_events(self) -> "SourceSettings":
        if (self.lat is None) != (self.lon is None) or (self.lat is None) == (self.place is None):
            right = "give place, or both lat and lon"
            raise wrong("events need a place column or a position", right, "place")
        if self.stays is not None:
            raise wrong("what happens does not stay", "leave it out", "stays")
        if self.recorded is not None and self.recorded[0] > self.recorded[1]:
            raise wrong("the last day is before the first", "write [first, last]", "recorded")
        return self
