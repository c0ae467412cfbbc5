"""Checks of secure sums within groups: which strategies compare them, and how many they need."""

from collections.abc import Sequence

from deepcity.city.problem import Problem
from deepcity.exchange.participation import Participation
from deepcity.maps.fusion_rule import fusion_rule
from deepcity.maps.map_settings import ServiceSettings
from deepcity.maps.schedule_checks import COMPARING, LEAST_FOR_MEDIAN
from deepcity.privacy.secure_sums.roster import LEAST_MEMBERS

ACROSS_GROUPS = (*COMPARING, "norm_clipping")
"""Strategies that withstand groups whose means are hostile."""


def least_groups(name: str) -> int:
    """Groups that a strategy needs: of two, a median is their mean, and a clipped mean is not."""
    return LEAST_FOR_MEDIAN if name in COMPARING else 2


def least_members(settings: ServiceSettings) -> int:
    """Members of a secure sum that a site takes part in, at least."""
    return settings.strategy.group_size or LEAST_MEMBERS


def group_problems(
    file: str, where: str, settings: ServiceSettings, members: Sequence[str]
) -> list[Problem]:
    """Every reason against groups in a service that asks for them.

    Args:
        where: key of its strategy.
        members: names of all that train together.
    """
    chosen = settings.strategy
    if chosen.group_size is None:
        return []
    key = f"{where}.group_size"
    if chosen.aggregation == "plain":
        reason = "without secure sums the coordinator sees each update, and compares these"
        right = 'write aggregation = "secure", or leave group_size out'
        return [Problem(file, key, chosen.group_size, reason, right)]
    rule = fusion_rule(chosen, len(members))
    if rule not in ACROSS_GROUPS:
        reason = f"groups are for strategies that compare their means, and {rule} does not"
        names = ", ".join(ACROSS_GROUPS)
        right = f"leave group_size out for one sum of all, or write name = one of {names}"
        return [Problem(file, key, chosen.group_size, reason, right)]
    return _too_few(file, key, settings, members)


def _too_few(
    file: str, key: str, settings: ServiceSettings, members: Sequence[str]
) -> list[Problem]:
    """A round in which too few take part for as many groups as the strategy needs."""
    rule, size = fusion_rule(settings.strategy, len(members)), settings.strategy.group_size or 0
    needed = size * least_groups(rule)
    sharing = [one for one in members if settings.grant.level_of(one) > 0]
    took_part = {
        number: len(_asked(settings, sharing, number)) for number in range(settings.training.rounds)
    }
    fewest = min(took_part, key=took_part.__getitem__)
    if not members or took_part[fewest] >= needed:
        return []
    reason = (
        f"{took_part[fewest]} parties share layers in round {fewest + 1}, and {rule} across "
        f"groups of {size} compares {least_groups(rule)} groups or more: {needed} parties"
    )
    other = _smaller(rule, size, took_part[fewest])
    right = (
        f"let {needed} or more take part{other}, or choose one of the two: secure sums of all with "
        f'name = "fedavg", or aggregation = "plain" with {rule}'
    )
    return [Problem(file, key, size, reason, right)]


def _asked(settings: ServiceSettings, members: Sequence[str], done: int) -> tuple[str, ...]:
    """Those that a round asks, by number; which ones are sampled does not matter."""
    timed = settings.participation
    participation = Participation(timed.joins, timed.leaves, timed.share)
    return participation.sampled(participation.available(members, done), done)


def _smaller(name: str, size: int, members: int) -> str:
    """Smaller groups as a remedy, where so many members make enough of them."""
    fits = members // least_groups(name)
    return f", write group_size = {fits} or less" if LEAST_MEMBERS <= fits < size else ""
