"""A source: one table of raw records, where it is, and how its times are read.

Each format adds keys of its own to these (see `connectors/`).
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from deepcity.data.config.duration import Duration
from deepcity.data.config.number_style import MISSING, NumberStyle
from deepcity.data.config.time_settings import TimeSettings
from deepcity.data.config.toml_file import Settings, wrong


class Layout(StrEnum):
    """How a table holds places and fields."""

    WIDE = "wide"  # one row per time; one column per place, per field, or per pair of them
    LONG = "long"  # one row per time and place; one column per field
    EVENTS = "events"  # one row per event; fields count rows


class SourceSettings(Settings):
    """Settings common to all formats.

    Attributes:
        name: the name by which fields refer to it.
        format: one of the connectors.
        layout: wide, long or events.
        time: how times are read; only tables of places and graphs do without.
        place: the column that names the place (long tables, and events at places).
        lat, lon: of events on a grid: the columns that hold their position.
        recorded: of events: first and last recorded day; by default those of the first and
            the last event. Within, a step without events counts 0; outside, it is missing.
        stays: how long a value is carried forward over blank cells and missing rows; by
            default a blank is missing.
        missing: further texts that mean "not measured", beside those that always do.
        decimal: the decimal sign of numbers stored as text.
        thousands: the sign between groups of digits of numbers stored as text.
        unit_text: texts beside a number that do not change its value: a unit, a currency sign.
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
    missing: tuple[str, ...] = ()
    decimal: str = Field(default=".", min_length=1, max_length=1)
    thousands: str = Field(default="", max_length=1)
    unit_text: tuple[Annotated[str, Field(min_length=1)], ...] = ()

    @property
    def row_noun(self) -> str:
        """What a row of the table is in the file."""
        return "row"

    @property
    def is_feed(self) -> bool:
        """Whether its rows come to a running city: single rows and absent places are normal."""
        return False

    @property
    def time_as_read(self) -> TimeSettings | None:
        """How the times of its rows are read, once columns of hours are rows."""
        return None if self.time is None else self.time.of_rows

    @property
    def numbers(self) -> NumberStyle:
        """How its numbers are written."""
        missing = (*MISSING, *self.missing)
        decimal = "," if self.thousands == "." and not self.decimal_is_stated else self.decimal
        return NumberStyle(missing, decimal, self.thousands, self.unit_text)

    @property
    def decimal_is_stated(self) -> bool:
        """Whether the city file itself says which the decimal sign is."""
        return "decimal" in self.model_fields_set

    @model_validator(mode="after")
    def _signs_differ(self) -> "SourceSettings":
        if self.thousands and self.thousands in self.numbers.decimal:
            right = "write the sign between thousands, or remove it if there is none"
            raise wrong("the same sign as decimal", right, "thousands")
        if self.thousands.isalnum() or self.thousands in ("-", "+"):
            raise wrong("part of a number", "write the sign between thousands", "thousands")
        if any(sign.isdigit() for text in self.unit_text for sign in text):
            raise wrong("has a digit in it", "write only what is not the number", "unit_text")
        return self

    @model_validator(mode="after")
    def _place_fits_layout(self) -> "SourceSettings":
        if self.layout is Layout.LONG and self.place is None:
            right = "name the column that holds the place of each row"
            raise wrong("missing in a long table", right, "place")
        if self.layout is Layout.WIDE and self.place is not None:
            right = "remove it, or set layout = 'long'"
            raise wrong("a wide table has no place column", right, "place")
        return self

    @model_validator(mode="after")
    def _rows_state_their_time(self) -> "SourceSettings":
        if self.layout is not Layout.WIDE and self.time is not None and self.time.start is not None:
            reason = f"times cannot be counted by row with layout = {self.layout.value!r}"
            raise wrong(reason, "name the column that holds the time", "time.start")
        return self

    @model_validator(mode="after")
    def _hours_are_measured(self) -> "SourceSettings":
        hours = None if self.time is None else self.time.hour_columns
        if hours is not None and self.layout is Layout.EVENTS:
            right = "choose layout = 'long' with a place column, or 'wide' for one place"
            raise wrong("events have no columns of hours", right, "layout")
        return self

    @model_validator(mode="after")
    def _events_have_their_keys(self) -> "SourceSettings":
        if self.layout is Layout.EVENTS:
            return self._check_events()
        for key in ("lat", "lon", "recorded"):
            if getattr(self, key) is not None:
                right = "remove it, or set layout = 'events'"
                raise wrong("only used for events", right, key)
        return self

    def _check_events(self) -> "SourceSettings":
        if (self.lat is None) != (self.lon is None) or (self.lat is None) == (self.place is None):
            right = "give place, or both lat and lon"
            raise wrong("events need a place column or a position", right, "place")
        if self.stays is not None:
            raise wrong("counts of events are not carried forward", "remove it", "stays")
        if self.recorded is not None and self.recorded[0] > self.recorded[1]:
            raise wrong("the last day is before the first", "write [first, last]", "recorded")
        return self
