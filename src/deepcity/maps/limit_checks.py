"""Checks of a service whose parties share as deep as policies and measured leakage allow."""

from collections.abc import Mapping

from deepcity.city.problem import Problem
from deepcity.maps.grant_settings import LIMIT
from deepcity.maps.map_settings import ServiceSettings


def limit_problems(
    file: str, key: str, settings: ServiceSettings, policies: Mapping[str, bool]
) -> list[Problem]:
    """Members whose city names no policy: nothing would limit them.

    Args:
        policies: member -> whether its city names a policy.
    """
    if not settings.grant.by_limit:
        return []
    without = [
        one for one, named in policies.items() if not named and one not in settings.newcomers
    ]
    if not without:
        return []
    reason = f"no policy limits how deep {', '.join(without)} may share"
    right = 'write policy = "policy.toml" in their city file, or a level from 0 to 6 here'
    return [Problem(file, f"{key}.grant.level", LIMIT, reason, right)]
