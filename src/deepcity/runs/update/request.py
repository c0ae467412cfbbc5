"""What is asked of an update."""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_FORGETTING = 0.05


@dataclass(frozen=True)
class UpdateRequest:
    """Settings of an update.

    Attributes:
        max_forgetting: largest allowed relative rise of a network's error on old days, over all
            updates together.
        parties: only these; all where it is empty.
    """

    max_forgetting: float = MAX_FORGETTING
    parties: Sequence[str] = ()
