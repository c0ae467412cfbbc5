"""A site's description for the coordinator: sizes, spans and rows as numbers.

The coordinator makes the initial layers from these sizes and the map's seed, and finds by them
which sites can share a stem or a head. No value of a record is in it.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from deepcity.city.clock import DAY_S
from deepcity.city.errors import ExchangeError
from deepcity.city.level import ALONE, MAX_LEVEL
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import Message
from deepcity.learning.networks.network import Shape
from deepcity.store.result_bounds import FIRST_S, LAST_S

DESCRIBE = "describe"


@dataclass(frozen=True)
class SiteProfile:
    """A site's sizes.

    Attributes:
        step_s: seconds of one step of its clock.
        features, horizon, linear_features, recent: of its network's `Shape`.
        rows: measured values of its training span.
        train_from, train_to: that span, UTC seconds; the end is exclusive.
        most_level: the deepest level that its city's policy lets it share now; a site that states
            none is bounded by the map alone.
    """

    step_s: int
    features: int
    horizon: int
    linear_features: int
    recent: int
    places: int
    rows: int
    train_from: int
    train_to: int
    most_level: int = MAX_LEVEL

    @property
    def shape(self) -> Shape:
        """Sizes of its network."""
        return Shape(
            self.features, self.horizon, linear_features=self.linear_features, recent=self.recent
        )

    @property
    def most_rows(self) -> int:
        """Rows that it can have: those it states, and no more than its places have steps."""
        steps = max(0, self.train_to - self.train_from) // max(1, self.step_s)
        return min(self.rows, self.places * steps)

    @property
    def stem_group(self) -> str:
        """Group of stems that can be shared: same step and inputs."""
        return f"{self.step_s}s.{self.features + self.horizon}"

    @property
    def head_group(self) -> str:
        """Group of heads that can be shared: same step, horizon and linear features."""
        return f"{self.step_s}s.{self.horizon}.{self.linear_features}"


PROFILE_NUMBERS = frozenset(field.name for field in fields(SiteProfile))
_SIZES = {
    "features": (0, 100_000),
    "recent": (0, 100_000),
    "horizon": (0, 10_000),
    "linear_features": (0, 10_000),
    "rows": (0, 2**53),  # what a float holds exactly
    "places": (0, 10**9),
    "step_s": (1, 366 * DAY_S),
    "train_from": (FIRST_S, LAST_S),
    "train_to": (FIRST_S, LAST_S),
    "most_level": (ALONE, MAX_LEVEL),
}
"""Least and most: the coordinator makes the initial layers in the sizes that a site claims, and
writes places and dates into results.
"""


@dataclass(frozen=True)
class ProfileHandler:
    """A site's answer to ``describe``."""

    profile: SiteProfile

    def handle(self, message: Message, caller: str) -> Message:
        """The profile as numbers.

        Raises:
            ExchangeError: if the caller is not the coordinator, or the verb is another.
        """
        if caller != COORDINATOR or message.verb != DESCRIBE:
            raise ExchangeError(
                f"{caller} may not ask for {message.verb!r} here; the coordinator may {DESCRIBE}"
            )
        numbers = {name: float(value) for name, value in asdict(self.profile).items()}
        return Message(DESCRIBE, numbers)


def profile_in(numbers: Mapping[str, float]) -> SiteProfile:
    """The profile that an answer holds.

    Raises:
        ExchangeError: if a number is missing, not whole, or out of range.
    """
    numbers = {"most_level": float(MAX_LEVEL), **numbers}  # versions before stated none
    wrong = [
        f"{name} = {numbers.get(name)}"
        for name in sorted(PROFILE_NUMBERS)
        if not _is_size(name, numbers.get(name, math.nan))
    ]
    if wrong:
        raise ExchangeError(
            f"its description lacks whole numbers of a possible size: {', '.join(wrong)}"
        )
    return SiteProfile(**{name: int(numbers[name]) for name in PROFILE_NUMBERS})


def _is_size(name: str, number: float) -> bool:
    """Whether a number can be what it is called."""
    least, most = _SIZES[name]
    return least <= number <= most and float(number).is_integer()
