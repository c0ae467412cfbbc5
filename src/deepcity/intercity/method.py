"""A training method among the sites of a service: a name, and each site's reuse level."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deepcity.city.level import ALONE


@dataclass(frozen=True)
class Method:
    """A method: its name, and the reuse level of each site."""

    name: str
    levels: Mapping[str, int]


def alone(sites: Iterable[str], name: str = "alone") -> Method:
    """Every site trains alone."""
    return Method(name, dict.fromkeys(sites, ALONE))
