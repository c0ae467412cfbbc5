"""How an attempt ends, and what an attempt is."""

import random
from collections.abc import Callable
from dataclasses import dataclass

REFUSED, SAME, OTHER = "refused", "as it was", "another right one"
TAKEN, UNNAMED = "taken", "an unnamed error"
ENDINGS = (REFUSED, SAME, OTHER, TAKEN, UNNAMED)
WRONG = (TAKEN, UNNAMED)
"""None may end so."""


@dataclass(frozen=True)
class Kind:
    """A kind of attempt.

    Attributes:
        attempt: makes one, of what is drawn; returns how it ended, after a colon with details.
    """

    name: str
    attempt: Callable[[random.Random], str]
