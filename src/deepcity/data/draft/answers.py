"""What a user says of the records where these do not show it, and the options that say it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as with_default
from typing import Any

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem


@dataclass(frozen=True)
class Answers:
    """What was stated; None and empty where nothing was.

    Attributes:
        time_zone: IANA name of the city's zone.
        times_in: the zone of times in the records, where it is another.
        name: of the city; also names the files.
        title, title_ko: of the city.
        holidays: code of the public holidays; "none" for none.
        columns: "places" or "fields": what columns of numbers beside the time are.
        place: the column that names the place.
        together: "sum" or "each": rows of one time and place that a column tells apart.
        stays: how long a blank means that the value before it stays; "0" for never.
        field: name of the field, where there is one only.
        kind: field -> kind; the key "" stands for the only one.
        unit: field -> unit; likewise.
        start, step: time of the first row and between rows, for records without times.
        rows: "events" to count, or "measurements".
        thousands: the sign between thousands, or "none".
        missing: texts that mean "not measured".
        duplicates: rows of one time and place that differ: first, last, mask or sum.
    """

    time_zone: str | None = None
    times_in: str | None = None
    name: str | None = None
    title: str | None = None
    title_ko: str | None = None
    holidays: str | None = None
    columns: str | None = None
    place: str | None = None
    together: str | None = None
    stays: str | None = None
    field: str | None = None
    kind: Mapping[str, str] = with_default(default_factory=dict)
    unit: Mapping[str, str] = with_default(default_factory=dict)
    start: str | None = None
    step: str | None = None
    rows: str | None = None
    thousands: str | None = None
    missing: tuple[str, ...] = ()
    duplicates: str | None = None

    def of_field(self, what: str, name: str) -> str | None:
        """The kind or unit of a field, as stated."""
        stated: Mapping[str, str] = getattr(self, what)
        return stated.get(name, stated.get(""))

    def also(self, ask: "Ask", stated: str) -> "Answers":
        """With one more answer."""
        value: Any = stated
        if ask.key == "missing":
            value = (*self.missing, stated)
        elif ask.field:
            value = {**getattr(self, ask.key), ask.field: stated}
        return replace(self, **{ask.key: value})


@dataclass(frozen=True)
class Ask:
    """A question to the user.

    Attributes:
        key: the attribute of `Answers` that it fills.
        text: the question, in one sentence.
        assumed: the proposal.
        choices: the only answers; empty where any text may be one.
        example: what to write on the command line.
        field: the field it is about, where there may be several.
        safe: whether the proposal may be taken unasked: a wrong one changes no value.
    """

    key: str
    text: str
    assumed: str
    choices: tuple[str, ...] = ()
    example: str = ""
    field: str = ""
    safe: bool = False

    @property
    def option(self) -> str:
        """The option that answers it, e.g. ``--time-zone Asia/Seoul``."""
        return f"--{self.key.replace('_', '-')} {self.example or '|'.join(self.choices)}"


class OpenQuestionsError(ConfigError):
    """Questions that have no safe answer; `asks` are these."""

    def __init__(self, file: str, asks: tuple[Ask, ...]) -> None:
        self.asks = asks
        super().__init__(
            [Problem(file, one.key, None, one.text, f"say it: {one.option}") for one in asks]
        )
