"""What is run among the sites of a service: a name, and how deep each joins."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deepcity.city.level import ALONE


@dataclass(frozen=True)
class Method:
    """What is run: its name, and the level of each site."""

    name: str
    levels: Mapping[str, int]


def alone(sites: Iterable[str], name: str = "alone") -> Method:
    """Everyone for itself."""
    return Method(name, dict.fromkeys(sites, ALONE))
