"""Checks of a map's way of aggregation: what secure sums rule out, and how many they need.

Three ways: plain, with a mean or a strategy that withstands hostile members; secure sums, with a
mean; and secure sums within groups (`group_size`), with such a strategy across them.
"""

from collections.abc import Sequence

from deepcity.city.problem import Problem
from deepcity.maps.fusion_rule import fusion_rule
from deepcity.maps.group_checks import ACROSS_GROUPS, group_problems, least_groups
from deepcity.maps.map_settings import ServiceSettings
from deepcity.privacy.secure_sums.roster import LEAST_MEMBERS

SUMMED = ("fedavg", "fedprox")
"""Strategies that need no more than the members' mean."""


def aggregation_problems(
    file: str, key: str, settings: ServiceSettings, parties: Sequence[str]
) -> list[Problem]:
    """Every reason against secure sums in a service that asks for them.

    Args:
        parties: names of all, newcomers included.
    """
    chosen = settings.strategy
    where = f"{key}.strategy"
    members = [party for party in parties if party not in settings.newcomers]
    problems = group_problems(file, where, settings, members)
    if chosen.aggregation == "plain":
        return problems
    rule = fusion_rule(chosen, len(members))
    if rule not in (*SUMMED, *(ACROSS_GROUPS if chosen.group_size else ())):
        reason = "it compares single updates, and secure sums show none"
        right = (
            f'write name = "fedavg" or "fedprox" with secure sums, or aggregation = "plain" '
            f"with {rule}{_or_groups(rule, len(members))}"
        )
        problems.append(Problem(file, f"{where}.name", rule, reason, right))
    if chosen.farthest is not None:
        reason = "distances are those of single updates, and secure sums show none"
        right = 'leave it out, or write aggregation = "plain"'
        problems.append(Problem(file, f"{where}.farthest", chosen.farthest, reason, right))
    if settings.wire.keep is not None:
        reason = "each party keeps other values, and masks cancel only where all send the same"
        right = 'leave wire.keep out, or write aggregation = "plain"'
        problems.append(Problem(file, f"{key}.wire.keep", settings.wire.keep, reason, right))
    if 0 < len(members) < LEAST_MEMBERS:
        reason = f"{len(members)} parties train together, and a sum of two shows each the other's"
        right = f'let {LEAST_MEMBERS} or more take part, or write aggregation = "plain"'
        problems.append(Problem(file, f"{where}.aggregation", "secure", reason, right))
    if settings.vertical is not None and settings.vertical.reuse_level > 0:
        reason = "encoders of several cities are averaged with each one's layers in sight"
        right = 'write vertical.reuse_level = 0, or aggregation = "plain"'
        problems.append(Problem(file, f"{where}.aggregation", "secure", reason, right))
    return problems


def _or_groups(name: str, members: int) -> str:
    """The third way, where a strategy and so many members allow it."""
    if name not in ACROSS_GROUPS or members < LEAST_MEMBERS * least_groups(name):
        return ""
    return f", or group_size = {LEAST_MEMBERS} for sums within groups, whose means {name} compares"
