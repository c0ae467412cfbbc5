"""A city's policy asked about each answer of a site that holds layers, before it leaves.

The measured leakage is that of `deepcity audit` in the site's own folder: of the layers that leave,
the highest R² that any attacker of a stream has reached. A layer that was not attacked is unknown.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from deepcity.audit.layer_leakage import layer_leakage
from deepcity.audit.results import FORECAST
from deepcity.city.level import HEAD
from deepcity.maps.city_map import Member, Service
from deepcity.maps.city_policy import PolicyFile, policy_origin
from deepcity.maps.group_checks import least_members
from deepcity.maps.map_settings import ServiceSettings
from deepcity.privacy.policy.policy import ReleaseDecision
from deepcity.privacy.policy.release import (
    ReleaseAction,
    ReleaseMeasures,
    ReleaseRequest,
    depths_of,
)


@dataclass(frozen=True)
class LayerRelease:
    """Checks releases of one party's layers for one service.

    Attributes:
        agency, party: its name in the city, and in the map.
        recipients: cities of all members of the service, newcomers too.
        folder: the site's, where its audits are; None: nothing was measured.
        clock: gives UTC seconds.
        epsilon: what is spent on its records, with these layers; None: they leave without noise.
        encoder: whether they are layers of an agency's encoder, which leave each as it is.
    """

    policy: PolicyFile
    settings: ServiceSettings
    agency: str
    party: str
    recipients: tuple[str, ...]
    folder: Path | None
    clock: Callable[[], float] = time.time
    encoder: bool = False
    epsilon: Callable[[], float] | None = None

    def check(self, layers: Collection[str]) -> tuple[str, ...]:
        """Check that these layers may leave now; returns the names of the grants that allow it.

        Raises:
            GrantError: with every reason and the next step.
        """
        return self.policy.check(self._request(layers))

    def decide(self, layers: Collection[str]) -> ReleaseDecision:
        """Whether these layers may leave now, or why not."""
        return self.policy.decide(self._request(layers))

    def _request(self, layers: Collection[str]) -> ReleaseRequest:
        lowest, highest = depths_of(layers)
        secure = self.settings.strategy.aggregation == "secure" and not self.encoder
        measured = ReleaseMeasures(
            stream_r2=self._stream_r2(layers),
            joined=least_members(self.settings) if secure else 1,
            epsilon=None if self.epsilon is None else self.epsilon(),
        )
        return ReleaseRequest(
            action=ReleaseAction.RELEASE_LAYERS,
            agency=self.agency,
            recipients=self.recipients,
            service=self.settings.name,
            purpose=purpose_of(self.settings),
            lowest=lowest,
            highest=highest,
            now=int(self.clock()),
            measured=measured,
        )

    def _stream_r2(self, layers: Collection[str]) -> float | None:
        """What the leakiest of these layers reveals; None where one was not attacked."""
        if self.folder is None:
            return None
        by_layer = layer_leakage(self.folder, self.party, self.settings.name, deep=self.encoder)
        # what a head gives is the forecast, which is attacked under that name
        found = [by_layer.get(FORECAST if one == HEAD else one) for one in layers]
        values = [None if one is None else one.stream_r2 for one in found]
        known = [one for one in values if one is not None]
        return max(known) if len(known) == len(values) else None


def purpose_of(settings: ServiceSettings) -> str:
    """What a service is for: as its map states it, else its application's name."""
    return settings.grant.purpose or settings.application


def layer_release(service: Service, member: Member, folder: Path | None) -> LayerRelease | None:
    """The check of a member's releases; None where its city names no policy."""
    origin = policy_origin(member.city_file)
    if origin is None:
        return None
    cities = dict.fromkeys(one.city_file.city.name for one in service.members)
    return LayerRelease(
        PolicyFile(origin),
        service.settings,
        member.agency.name,
        member.name,
        tuple(cities),
        folder,
    )
