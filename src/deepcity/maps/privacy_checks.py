"""Checks of services that train with differential privacy: what would undo it."""

from collections.abc import Iterable, Sequence

from deepcity.city.problem import Problem
from deepcity.maps.map_settings import ServiceSettings

DEEPEST = 5
"""A head holds the ridge's coefficients, which are fitted without noise."""


def privacy_problems(file: str, key: str, settings: ServiceSettings) -> list[Problem]:
    """Parts of a service that would leave without noise."""
    if settings.privacy is None:
        return []
    problems = []
    if settings.grant.level > DEEPEST:
        reason = "the head of level 6 holds coefficients that are fitted without noise"
        right = f"write level = {DEEPEST} or less in [service.grant]"
        problems.append(Problem(file, f"{key}.grant.level", settings.grant.level, reason, right))
    if settings.grant.stem == "common":
        reason = "with [service.privacy] a stem of ordinary inputs is trained without noise"
        right = 'write stem = "private", or leave privacy out'
        problems.append(Problem(file, f"{key}.grant.stem", "common", reason, right))
    if settings.vertical is not None:
        reason = "activations of vertical training leave without noise"
        right = "leave vertical out, or privacy"
        problems.append(Problem(file, f"{key}.vertical", None, reason, right))
    return problems


def shared_record_problems(
    file: str, services: Sequence[tuple[ServiceSettings, Iterable[str]]]
) -> list[Problem]:
    """Parties that train with a budget in one service, and without it in another.

    Args:
        services: each with the names of its members.
    """
    found = [(one, {name.partition(":")[0] for name in names}) for one, names in services]
    private = [(one, names) for one, names in found if one.privacy is not None]
    problems = []
    for other, names in found:
        if other.privacy is not None or not other.grant.level:
            continue
        for one, parties in private:
            if shared := sorted(parties & names - set(other.newcomers)):
                reason = (
                    f"{', '.join(shared)} would send layers of the same records without noise, "
                    f"which {one.name} promises not to"
                )
                right = "add [service.privacy] here too, or write grant.level = 0"
                problems.append(
                    Problem(file, f"service[{other.name}].privacy", None, reason, right)
                )
    units = [(one.name, str(one.privacy.unit), names) for one, names in private if one.privacy]
    for first, unit, parties in units:
        for name, other_unit, names in units:
            if first < name and unit != other_unit and parties & names:
                reason = f"budgets for each {unit} ({first}) do not add to it"
                where, right = f"service[{name}].privacy.unit", f'write unit = "{unit}" in both'
                problems.append(Problem(file, where, other_unit, reason, right))
    return problems
