"""What an application asks its city's policy before it takes deep data, and before each read.

What was stored under a grant that has ended or was revoked is hidden at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepcity.city.errors import GrantError
from deepcity.data.city_file import CityFile
from deepcity.learning.split.fused_package import FusedPackage
from deepcity.parties.releases.deep_release import DeepRelease, deep_release
from deepcity.store.deep_data.batch import Space


@dataclass(frozen=True)
class PolicyReads:
    """A city's policy, asked about each space of deep data."""

    checks: Mapping[Space, DeepRelease]

    def check(self, reader: str, space: Space) -> None:
        """Check that a service may read a space now.

        Raises:
            GrantError: unless the city's policy allows it.
        """
        found = self.checks.get(space)
        if found is None or found.service != reader:
            raise GrantError(f"{reader!r} may not read {space}: it was not trained with it")
        found.check_reading()

    def keep_days(self, space: Space) -> int | None:
        """The fewest days that a grant lets a space be kept; None: no grant says."""
        found = self.checks.get(space)
        return None if found is None else found.keep_days()


def policy_reads(city: CityFile, packages: Sequence[FusedPackage]) -> PolicyReads | None:
    """What an application's store asks before every read; None where the city names no policy."""
    checks: dict[Space, DeepRelease] = {}
    for package in packages:
        for agency in package.facts.agencies:
            level = int(agency.space.layer.removeprefix("h"))
            facts = package.facts
            found = deep_release(city, agency.name, facts.service, facts.purpose, level)
            if found is None:
                return None
            checks[agency.space] = found
    return PolicyReads(checks)
