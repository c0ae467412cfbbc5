"""What a coordinator knows of a site before any training: sizes, spans and rows as numbers.

The coordinator makes the layers that all begin with from these sizes and the map's seed, and
finds by them who can share a stem or a head. Nothing here tells a value of a record.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import Message
from deepcity.learning.network import Shape

DESCRIBE = "describe"


@dataclass(frozen=True)
class SiteProfile:
    """A site's sizes.

    Attributes:
        step_s: seconds of one step of its clock.
        features, horizon, summaries, recent: of its network's `Shape`.
        places: how many it forecasts.
        rows: measured values of its training span.
        train_from, train_to: that span, UTC seconds; the end is exclusive.
    """

    step_s: int
    features: int
    horizon: int
    summaries: int
    recent: int
    places: int
    rows: int
    train_from: int
    train_to: int

    @property
    def shape(self) -> Shape:
        """Of its network."""
        return Shape(self.features, self.horizon, summaries=self.summaries, recent=self.recent)

    @property
    def stem_group(self) -> str:
        """A name for what its stem sees: only equal ones can be shared."""
        return f"{self.step_s}s.{self.features + self.horizon}"

    @property
    def head_group(self) -> str:
        """A name for what its head forecasts: only equal ones can be shared."""
        return f"{self.step_s}s.{self.horizon}.{self.summaries}"


PROFILE_NUMBERS = frozenset(field.name for field in fields(SiteProfile))


@dataclass(frozen=True)
class ProfileHandler:
    """A site's answer to ``describe``."""

    profile: SiteProfile

    def handle(self, message: Message, caller: str) -> Message:
        """The profile as numbers.

        Raises:
            ExchangeError: if somebody else than the coordinator asks, or asks for more.
        """
        if caller != COORDINATOR or message.verb != DESCRIBE:
            msg = f"{caller} may not ask for {message.verb!r} here; the coordinator may {DESCRIBE}"
            raise ExchangeError(msg)
        numbers = {name: float(value) for name, value in asdict(self.profile).items()}
        return Message(DESCRIBE, numbers)


def profile_in(numbers: Mapping[str, float]) -> SiteProfile:
    """The profile that an answer holds.

    Raises:
        ExchangeError: if a number is missing or not whole and >= 0.
    """
    wrong = [
        f"{name} = {numbers.get(name)}"
        for name in sorted(PROFILE_NUMBERS - {"train_from", "train_to"})
        if not (numbers.get(name, -1.0) >= 0 and float(numbers[name]).is_integer())
    ]
    missing = [name for name in ("train_from", "train_to") if name not in numbers]
    if wrong or missing:
        msg = f"a site's description lacks whole numbers: {', '.join([*wrong, *missing])}"
        raise ExchangeError(msg)
    return SiteProfile(**{name: int(numbers[name]) for name in PROFILE_NUMBERS})
