"""A source: one table of raw records, where it is, and how its rows tell time.

Each format adds keys of its own to these (see `connectors/`).
"""

from datetime import datetime, time
from enum import StrEnum
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from deepcity.data.duration import Duration
from deepcity.data.toml_file import Settings, did_you_mean, wrong

MISSING = ("", "-", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        right = did_you_mean(name, ["UTC", "Asia/Seoul", "Europe/Rome", "America/New_York"])
        raise wrong("not a time zone", _zone_hint(name) or right)
    return name


def _zone_hint(name: str) -> str | None:
    city = name.rsplit("/", 1)[-1].lower().replace(" ", "_")
    found = sorted(z for z in available_timezones() if z.rsplit("/", 1)[-1].lower() == city)
    if not found:
        hint = did_you_mean(name.lower(), sorted(z.lower() for z in available_timezones()))
        near = hint.partition("'")[2].partition("'")[0] if hint.startswith("did") else ""
        found = [zone for zone in available_timezones() if zone.lower() == near]
    return f"did you mean {found[0]!r}? Names are those of the IANA list" if found else None


TimeZoneName = Annotated[str, AfterValidator(_known_zone)]


class Layout(StrEnum):
    """How a table holds places and fields."""

    WIDE = "wide"  # a row a time; a column a place, or a field, or each pair of them
    LONG = "long"  # a row a time and place; a column a field


class Ambiguous(StrEnum):
    """What a wall time means that clocks show twice in autumn."""

    ERROR = "error"
    INFER = "infer"  # first row of that time is the earlier, second the later
    EARLIER = "earlier"
    LATER = "later"
    MASK = "mask"


class Nonexistent(StrEnum):
    """What becomes of a wall time that clocks skip in spring."""

    ERROR = "error"
    MASK = "mask"
    SHIFT = "shift"  # read as if the clock had not been put forward


class Duplicates(StrEnum):
    """What becomes of two rows for one time (and place)."""

    ERROR = "error"
    MASK = "mask"  # if they differ, neither is believed
    FIRST = "first"
    LAST = "last"


class Stamp(StrEnum):
    """Which end of its interval a row is stamped with."""

    START = "start"
    END = "end"


class TimeSettings(Settings):
    """How rows tell time: by a column, by several, or by their place in the file.

    Attributes:
        column: the column that holds the time.
        columns: several columns that hold it together, e.g. a date and an hour.
        format: strptime pattern of the column (of the columns joined by a space), or
            ``epoch_s`` / ``epoch_ms``; left out, common patterns are tried.
        start: time of the first row, where no column tells it; rows are then `step` apart.
        step: time between rows; left out, the most frequent one found is taken.
        zone: zone of times without an offset; left out, the city's.
        day_starts: hour at which a `date` begins, where records keep operational days.
        stamp: whether a row is stamped with the start or the end of its interval.
        ambiguous, nonexistent, duplicates: see there.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    format: str | None = None
    start: datetime | None = None
    step: Duration | None = None
    zone: TimeZoneName | None = None
    day_starts: time = time(0)
    stamp: Stamp = Stamp.START
    ambiguous: Ambiguous = Ambiguous.ERROR
    nonexistent: Nonexistent = Nonexistent.ERROR
    duplicates: Duplicates = Duplicates.ERROR

    @model_validator(mode="after")
    def _one_way(self) -> "TimeSettings":
        ways = [bool(self.column), bool(self.columns), self.start is not None]
        if sum(ways) != 1:
            reason = "time must come from a column, from columns, or from a start"
            raise wrong(reason, "give exactly one of column, columns and start")
        if self.start is not None and self.step is None:
            raise wrong("missing", "say how far apart rows are, e.g. step = '5min'", "step")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that hold the time."""
        return self.columns or ((self.column,) if self.column else ())


class SourceSettings(Settings):
    """What every format has in common.

    Attributes:
        name: what fields call this source.
        format: one of the connectors.
        layout: wide or long.
        time: how rows tell time; only tables of places go without.
        place: the column that names the place (long layout only).
        missing: texts that mean "not measured".
        decimal: the decimal sign of numbers held as text.
    """

    name: str = Field(min_length=1)
    format: str
    layout: Layout = Layout.WIDE
    time: TimeSettings | None = None
    place: str | None = None
    missing: tuple[str, ...] = MISSING
    decimal: str = Field(default=".", min_length=1, max_length=1)

    @model_validator(mode="after")
    def _place_fits_layout(self) -> "SourceSettings":
        if self.layout is Layout.LONG and self.place is None:
            right = "name the column that says which place a row is of"
            raise wrong("missing in a long table", right, "place")
        if self.layout is Layout.WIDE and self.place is not None:
            right = "leave it out, or say layout = 'long'"
            raise wrong("a wide table has no place column", right, "place")
        return self
