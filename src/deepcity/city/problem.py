"""One problem of an input, worded so that the reader can correct it, and what was tried on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepcity.city.printable import printable
from deepcity.city.sentence import as_sentence


@dataclass(frozen=True)
class Change:
    """Settings of a city file: for each key the value, or those of which one is to be chosen.

    >>> print(Change({"time.ambiguous": ("earlier", "later")}))
    time.ambiguous = 'earlier' or 'later'
    """

    settings: Mapping[str, tuple[object, ...]]

    def __str__(self) -> str:
        return " and ".join(f"{key} = {_either(some)}" for key, some in self.settings.items())


@dataclass(frozen=True)
class Trial:
    """What trying a remedy has given.

    Attributes:
        change: what it writes into the city file; in words where a reader has to complete it.
        keeps: whether totals, places and distinct times stay as they are in the records.
        effect: what the records then are, or what of them is lost.
    """

    change: Change | str
    keeps: bool
    effect: str

    def settings(self) -> Mapping[str, tuple[object, ...]]:
        """Its settings; empty if it is in words."""
        return self.change.settings if isinstance(self.change, Change) else {}


@dataclass(frozen=True)
class Cause:
    """What a problem is about, for those who make sentences of their own.

    Attributes:
        code: such as "not-a-number".
        count: how many rows or cells it touches; 0: they are not counted.
        rows: the numbers of the first ones, as their file has them.
    """

    code: str
    count: int = 0
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Problem:
    """Where the problem is (file, key, value), why it is one, and the next step (`right`).

    `tried` are the remedies that `right` names; `cause` is `reason` as a code with numbers.

    >>> print(Problem("ferrara.toml", "clock.step", "1 hr", "not a duration", "write 1h"))
    ferrara.toml: clock.step = '1 hr': not a duration. Write 1h.
    """

    file: str
    key: str
    value: object
    reason: str
    right: str
    tried: tuple[Trial, ...] = field(default=(), compare=False, repr=False)
    cause: Cause | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {self.value!r}"
        return printable(
            f"{self.file}: {self.key}{shown}: {self.reason}. {as_sentence(self.right)}."
        )


def _either(values: tuple[object, ...]) -> str:
    *first, last = map(repr, values)
    return f"{', '.join(first)} or {last}" if first else last
