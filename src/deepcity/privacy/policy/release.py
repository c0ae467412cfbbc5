"""What an agency grants, and what is about to be released: the two sides of a decision."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from deepcity.city.level import LADDER, STEM

DEPTHS = {name: depth for depth, name in enumerate((STEM, *LADDER))}
"""Depth of each layer: stem 0, h1 to h5 1 to 5, head 6."""

ABOVE_FORECAST = 0.05
"""How far a stream of deep data may leak more than the forecast made from them, where no limit is
granted in so many words."""


class Item(StrEnum):
    """What a grant lets leave."""

    LAYERS = "layers"  # parameters, in rounds
    DEEP_DATA = "deep_data"  # activations of a hidden layer, as a stream
    COUNTS = "counts"  # of rows, with noise
    SIGHTINGS = "sightings"  # where a person who is looked for may have been seen


class ReleaseAction(StrEnum):
    """What is asked for; the names are the schema's."""

    RELEASE_LAYERS = "releaseLayers"
    RELEASE_DEEP_DATA = "releaseDeepData"
    READ_DEEP_DATA = "readDeepData"
    RELEASE_COUNTS = "releaseCounts"
    RELEASE_SIGHTINGS = "releaseSightings"

    @property
    def item(self) -> Item:
        """What it takes a grant of."""
        return _ITEMS[self]


_ITEMS = {
    ReleaseAction.RELEASE_LAYERS: Item.LAYERS,
    ReleaseAction.RELEASE_DEEP_DATA: Item.DEEP_DATA,
    ReleaseAction.READ_DEEP_DATA: Item.DEEP_DATA,
    ReleaseAction.RELEASE_COUNTS: Item.COUNTS,
    ReleaseAction.RELEASE_SIGHTINGS: Item.SIGHTINGS,
}


@dataclass(frozen=True)
class ReleaseGrant:
    """One agency's grant, as its city's policy file has it; only it lets anything leave.

    Attributes:
        name: unique in the city.
        agency: whose data leave, by its name in the city.
        grantees: cities that may receive them.
        domain, service, purpose: what they are for; all three must be those of the release.
        lowest, highest: depths, see `DEPTHS`. Of layers all from `lowest` to `highest` may leave;
            of deep data these are the cut levels allowed; of counts and sightings, which are of no
            layer, 0.
        until: UTC seconds, the first at which it holds no more.
        max_stream_r2: most measured leakage, R² after 24 releases; None: not bounded.
        cadence_s: least seconds between two releases of a stream, or between two answers to one
            search; None: not bounded.
        least_k: fewest parties whose updates are joined before anybody sees them; of counts, under
            which number they are withheld.
        epsilon: of differential privacy, in all; None: not bounded.
        max_above_forecast: how far a running city's deep data may leak more than the forecast made
            from them, R² after 24 releases; None: not bounded.
        keep_days: how long the recipient may keep deep data; None: not bounded.
        revoked_at: UTC seconds; None: it was not revoked.
    """

    name: str
    agency: str
    item: Item
    grantees: tuple[str, ...]
    domain: str
    service: str
    purpose: str
    lowest: int
    highest: int
    until: int
    max_stream_r2: float | None = None
    cadence_s: int | None = None
    least_k: int | None = None
    epsilon: float | None = None
    max_above_forecast: float | None = None
    keep_days: int | None = None
    revoked_at: int | None = None


@dataclass(frozen=True)
class ReleaseMeasures:
    """What is known of a release by measurement; None: it was not measured, or does not apply.

    Attributes:
        stream_r2: the best attacker's R² after 24 releases.
        cadence_s: seconds between two releases of a stream.
        joined: parties whose updates are joined before anybody sees them.
        epsilon: spent, with this release.
        stream_above_forecast: `stream_r2` less that of the forecast; where that was not measured
            `stream_r2` itself, for the forecast may leak nothing.
        in_training: whether the encoder still learns, so that nothing of it can be measured.
        least_count: counts under it are withheld.
    """

    stream_r2: float | None = None
    cadence_s: int | None = None
    joined: int | None = None
    epsilon: float | None = None
    stream_above_forecast: float | None = None
    in_training: bool = False
    least_count: int | None = None


@dataclass(frozen=True)
class ReleaseRequest:
    """A release that is asked for.

    Attributes:
        agency: whose data, by its name in the policy's city.
        recipients: every city that would have them; each must be allowed.
        lowest, highest: depths of what leaves; of counts and sightings 0.
        now: UTC seconds.
    """

    action: ReleaseAction
    agency: str
    recipients: tuple[str, ...]
    service: str
    purpose: str
    lowest: int
    highest: int
    now: int
    measured: ReleaseMeasures = field(default_factory=ReleaseMeasures)


def depths_of(layers: Iterable[str]) -> tuple[int, int]:
    """The lowest and the highest depth of named layers.

    >>> depths_of(["h2", "h1"])
    (1, 2)

    Raises:
        ValueError: if there are none, or one is not a layer that may ever leave.
    """
    names = list(layers)
    unknown = [name for name in names if name not in DEPTHS]
    if unknown or not names:
        raise ValueError(f"{unknown or names} is not a list of {', '.join(DEPTHS)}")
    depths = [DEPTHS[name] for name in names]
    return min(depths), max(depths)


def above_forecast(stream_r2: float | None, forecast_r2: float | None) -> float | None:
    """How much more a stream leaks than the forecast; one that was not measured leaks nothing.

    >>> above_forecast(0.5, 0.25), above_forecast(0.5, None), above_forecast(None, 0.3)
    (0.25, 0.5, None)
    """
    return None if stream_r2 is None else stream_r2 - max(0.0, forecast_r2 or 0.0)
