"""A service's decision: actions, reasons as codes with numbers, and its certainty.

No sentence is made here: `deepcity.web` and the terminal translate codes into English and
Korean.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_CODE = re.compile(r"[a-z][a-z0-9-]*")


class Confirm(StrEnum):
    """Who must confirm a decision before anybody acts on it."""

    NOBODY = "nobody"  # advice that each reader takes or leaves, such as a sign
    OPERATOR = "operator"  # whoever runs the pumps, trains or signals
    AUTHORITY = "authority"  # the office that answers for it before the law


@dataclass(frozen=True)
class Reason:
    """A reason: a code and the numbers behind it, in the state's unit.

    Attributes:
        place: the id of the place it is about; empty where it is about all of them.
    """

    code: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    place: str = ""

    def __post_init__(self) -> None:
        _check(self.code, self.numbers)


@dataclass(frozen=True)
class Action:
    """One thing to do.

    Attributes:
        code: what to do, e.g. ``"warn"``.
        at_s: when, in UTC seconds.
        numbers: amounts and probabilities by name.
        request: for a plan, the id of the request that it answers.
        route: for a way to drive, the ids of the places passed, in order; else none.
        usual_route: the same of the way that it replaces.
    """

    code: str
    place: str
    at_s: int
    numbers: Mapping[str, float] = field(default_factory=dict)
    request: str = ""
    route: tuple[str, ...] = ()
    # not in its repr, which identifiers of CAP messages are made from
    usual_route: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        _check(self.code, self.numbers)


@dataclass(frozen=True)
class Decision:
    """What a service recommends now.

    Attributes:
        actions: most urgent first; none where nothing is to be done.
        reasons: at least one.
        certainty: probability, 0 to 1, that it is right; each service defines of what.
        valid_until_s: UTC seconds, from which on a new decision is needed.

    Raises:
        ValueError: if a code or number is malformed, there is no reason, or `certainty` is not a
            probability.
    """

    actions: tuple[Action, ...]
    reasons: tuple[Reason, ...]
    certainty: float
    valid_until_s: int
    confirm: Confirm

    def __post_init__(self) -> None:
        if not self.reasons:
            raise ValueError("a decision without a reason; give at least one Reason(code, numbers)")
        if not 0.0 <= self.certainty <= 1.0:
            raise ValueError(
                f"certainty {self.certainty} is not a probability; give a number from 0 to 1"
            )


def _check(code: str, numbers: Mapping[str, float]) -> None:
    if not _CODE.fullmatch(code):
        raise ValueError(f"code {code!r}: use lower-case letters, digits and hyphens only")
    wrong = [name for name, value in numbers.items() if not math.isfinite(value)]
    if wrong:
        raise ValueError(f"{code}: {', '.join(wrong)} must be finite; leave out what is not known")
