"""A city's policy asked about an agency's deep data: before they leave, and before they are read.

The measured leakage is that of `deepcity audit` in the agency's own folder: of its deep data, the
highest R² that any attacker of a stream has reached, and that of the forecast made from them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import gcd
from pathlib import Path

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.data.city_file import CityFile
from deepcity.maps.city_policy import PolicyFile, policy_origin, shared_policy
from deepcity.parties.releases.deep_leakage import DeepLeakage, deep_leakage
from deepcity.privacy.policy.release import Item, ReleaseAction, ReleaseMeasures, ReleaseRequest


@dataclass(frozen=True)
class DeepRelease:
    """Checks releases of one agency's deep data for one service of its own city.

    Attributes:
        agency: its name in the city.
        purpose: of the service.
        level: the cut level.
        folder: the agency's, where its audits are; None: nothing was measured.
        clock: gives UTC seconds.
        model: version of the encoder that an audit must be of; empty: an earlier one will do.
    """

    policy: PolicyFile
    agency: str
    service: str
    purpose: str
    level: int
    folder: Path | None = None
    clock: Callable[[], float] = time.time
    model: str = ""

    def measured_in(self, folder: Path, model: str) -> "DeepRelease":
        """The same with the audits of a folder, of one encoder alone."""
        return replace(self, folder=folder, model=model)

    def at(self, level: int) -> "DeepRelease":
        """The same at another cut."""
        return self if level == self.level else replace(self, level=level)

    def check(self, cadence_s: int | None, *, in_training: bool = False) -> tuple[str, ...]:
        """Check that deep data may leave now; returns the names of the grants that allow it.

        Args:
            cadence_s: the least seconds between two times that they are of; None: not known.
            in_training: whether the encoder still learns.

        Raises:
            GrantError: with every reason and the next step.
        """
        leakage = self._leakage()
        measured = ReleaseMeasures(
            stream_r2=leakage.stream_r2,
            cadence_s=cadence_s,
            stream_above_forecast=leakage.above_forecast,
            in_training=in_training,
        )
        return self.policy.check(self._request(ReleaseAction.RELEASE_DEEP_DATA, measured))

    def check_reading(self) -> tuple[str, ...]:
        """Check that stored deep data may be read now; returns the names of the grants.

        Raises:
            GrantError: with every reason and the next step.
        """
        return self.policy.check(self._request(ReleaseAction.READ_DEEP_DATA, ReleaseMeasures()))

    def keep_days(self) -> int | None:
        """The fewest days that a grant of these deep data lets them be kept; None: no grant says.

        Grants that have ended or were revoked count too: what is stored may have come by them.

        Raises:
            ConfigError: if the policy cannot be read.
        """
        return min(
            (
                grant.keep_days
                for grant in self.policy.current().grants
                if grant.keep_days is not None
                and (grant.item, grant.agency) == (Item.DEEP_DATA, self.agency)
                and (grant.service, grant.purpose) == (self.service, self.purpose)
            ),
            default=None,
        )

    def _request(self, action: ReleaseAction, measured: ReleaseMeasures) -> ReleaseRequest:
        return ReleaseRequest(
            action=action,
            agency=self.agency,
            recipients=(self.policy.origin.city,),
            service=self.service,
            purpose=self.purpose,
            lowest=self.level,
            highest=self.level,
            now=int(self.clock()),
            measured=measured,
        )

    def _leakage(self) -> DeepLeakage:
        if self.folder is None:
            return DeepLeakage()
        party = f"{self.policy.origin.city}/{self.agency}"
        return deep_leakage(self.folder, party, self.service, self.model)


def deep_release(
    city: CityFile, agency: str, service: str, purpose: str, level: int, folder: Path | None = None
) -> DeepRelease | None:
    """The check of an agency's deep data; None where its city names no policy."""
    origin = policy_origin(city)
    if origin is None:
        return None
    return DeepRelease(shared_policy(origin), agency, service, purpose, level, folder)


@dataclass(frozen=True)
class Cadence:
    """The step of the grid on which all times lie whose deep data have left, in seconds.

    No two of them are nearer to each other, however many messages they came in.

    >>> Cadence().of(np.array([3600, 10800])).of(np.array([14400])).step_s
    3600

    Attributes:
        step_s: None: there are fewer than two times.
    """

    first: int | None = None
    step_s: int | None = None

    def of(self, times_B: Ints) -> "Cadence":
        """With some more times, UTC seconds; in any order."""
        if not len(times_B):
            return self
        first = int(times_B[0]) if self.first is None else self.first
        step_s = gcd(self.step_s or 0, int(np.gcd.reduce(np.abs(times_B - first))))
        return replace(self, first=first, step_s=step_s or None)


@dataclass
class ReleasedTimes:
    """The check of a training's deep data, whose times come in several messages."""

    release: DeepRelease
    cadence: Cadence = field(default_factory=Cadence)

    def check(self, times_B: Ints) -> tuple[str, ...]:
        """Check that deep data of some more times may leave; they count only if they may.

        Raises:
            GrantError: with every reason and the next step.
        """
        cadence = self.cadence.of(times_B)
        grants = self.release.check(cadence.step_s, in_training=True)
        self.cadence = cadence
        return grants
