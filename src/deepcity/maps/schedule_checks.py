"""Checks of a map's asynchronous fusion: what it rules out, and what it alone has."""

from collections.abc import Sequence

from deepcity.city.problem import Problem
from deepcity.maps.map_settings import ServiceSettings

LEAST_FOR_MEDIAN = 3
"""Updates of which a median is more than a mean."""
COMPARING = ("median", "trimmed_mean", "multi_krum")
"""Strategies that compare the updates of one fusion with each other."""


def schedule_problems(
    file: str, key: str, settings: ServiceSettings, parties: Sequence[str]
) -> list[Problem]:
    """Every reason against a service's schedule.

    Args:
        parties: names of all, newcomers included.
    """
    if settings.strategy.schedule == "synchronous":
        return _asynchronous_alone(file, key, settings)
    members = [party for party in parties if party not in settings.newcomers]
    return _ruled_out(file, key, settings) + _buffer_problems(file, key, settings, len(members))


def buffer_size(settings: ServiceSettings, members: int) -> int:
    """Updates that a fusion waits for: as the map says, or half of the members, rounded up."""
    given = settings.strategy.buffer_size
    return given if given is not None else max(1, (members + 1) // 2)


def _asynchronous_alone(file: str, key: str, settings: ServiceSettings) -> list[Problem]:
    """Settings that a synchronous schedule would ignore."""
    chosen = settings.strategy
    given = {
        "buffer_size": chosen.buffer_size,
        "staleness_exponent": chosen.staleness_exponent,
        "round_seconds": chosen.round_seconds or None,
    }
    reason = "rounds that wait for all have no buffer, no stale updates and no clock"
    return [
        Problem(
            file,
            f"{key}.strategy.{name}",
            value,
            reason,
            f'write schedule = "asynchronous", or leave {name} out',
        )
        for name, value in given.items()
        if value is not None
    ]


def _ruled_out(file: str, key: str, settings: ServiceSettings) -> list[Problem]:
    """Settings that need a round which all members share."""
    problems = []
    other = 'or write strategy.schedule = "synchronous"'
    if settings.strategy.aggregation == "secure":
        reason = "masks cancel only in a sum that all members join at once, and nobody waits here"
        right = f'write aggregation = "plain", {other}'
        problems.append(Problem(file, f"{key}.strategy.aggregation", "secure", reason, right))
    if settings.strategy.name == "peer_validation":
        reason = "members validate the updates of one round, and here each begins when it is free"
        right = f'write name = "fedavg", {other}'
        problems.append(
            Problem(file, f"{key}.strategy.name", settings.strategy.name, reason, right)
        )
    if settings.wire.keep is not None:
        reason = "an update that is collected late would lose what was left out of it"
        right = f"leave wire.keep out, {other}"
        problems.append(Problem(file, f"{key}.wire.keep", settings.wire.keep, reason, right))
    if settings.participation.share < 1:
        reason = "parties are sampled for a round, and here each begins when it is free"
        right = f"leave participation.share out, {other}"
        value = settings.participation.share
        problems.append(Problem(file, f"{key}.participation.share", value, reason, right))
    return problems


def _buffer_problems(file: str, key: str, settings: ServiceSettings, members: int) -> list[Problem]:
    """A buffer that never fills, or is too small for a strategy that compares updates."""
    chosen, size = settings.strategy, buffer_size(settings, members)
    where = f"{key}.strategy.buffer_size"
    if 0 < members < size:
        reason = f"{members} parties train together, and each has one update in the buffer at most"
        return [Problem(file, where, size, reason, f"write {members} or less")]
    if chosen.name in COMPARING and members and size < LEAST_FOR_MEDIAN:
        reason = f"{chosen.name} compares the updates of one fusion, and of two it is their mean"
        right = f'write buffer_size = {LEAST_FOR_MEDIAN} or more, or name = "fedavg"'
        return [Problem(file, where, size, reason, right)]
    return []
