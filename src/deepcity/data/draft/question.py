"""A question that records leave open: what was assumed, and what else it could be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """What cannot be seen in the records.

    Attributes:
        key: the setting it decides, e.g. ``time.stamp``.
        text: the question, in one sentence.
        assumed: the value in the draft.
        others: other values that fit the records as well.
    """

    key: str
    text: str
    assumed: str
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        others = f"; else {' or '.join(self.others)}" if self.others else ""
        return f"{self.key}: {self.text} Assumed: {self.assumed}{others}."
