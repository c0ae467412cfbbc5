"""One problem of an input, worded so that the reader can correct it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Where the problem is (file, key, value), why it is one, and the next step (`right`).

    >>> print(Problem("ferrara.toml", "clock.step", "1 hr", "not a duration", "write 1h"))
    ferrara.toml: clock.step = '1 hr': not a duration. Write 1h.
    """

    file: str
    key: str
    value: object
    reason: str
    right: str

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {self.value!r}"
        right = self.right[:1].upper() + self.right[1:]
        return f"{self.file}: {self.key}{shown}: {self.reason}. {right}."
