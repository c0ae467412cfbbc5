"""What leaves an agency for one party of a service: its city's policy is asked, and it is recorded.

In addition to its grant (`deepcity.privacy.deep_grant`), in one process and between machines alike.
Activations are checked once they are there: a snapshot of the round has been kept then, so that a
training that is resumed finds it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.city.arrays import Bools, Ints
from deepcity.city.level import Layers, layers_up_to
from deepcity.data.city_file import CityFile
from deepcity.exchange.exchange import Handler
from deepcity.exchange.grant_guard import GuardedHandler
from deepcity.exchange.message import Message
from deepcity.exchange.trust.recorded_deep_data import DeepDataTerms
from deepcity.exchange.trust.recorded_releases import RecordingHandler, ReleaseTerms, Terms
from deepcity.exchange.vertical.names import DEEP, KNOWN, TIMES
from deepcity.learning.networks.encoder import BOTTLENECK
from deepcity.maps.city_policy import PolicyFile, policy_origin
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.releases.deep_release import ReleasedTimes, deep_release
from deepcity.parties.releases.layer_release import LayerRelease, purpose_of
from deepcity.parties.releases.site_ledger import CLAIMS_KEY, measured_leakage, site_ledger
from deepcity.privacy.defences.release import release_times
from deepcity.privacy.defences.settings import Defences
from deepcity.privacy.grants import Grant
from deepcity.store.release_ledger.release import Leakage
from deepcity.store.signatures.ed25519 import signing_key
from deepcity.vertical.encoder_party import EncoderParty
from deepcity.vertical.pretraining import EqualAgencies


@dataclass(frozen=True)
class GuardedActivations:
    """A handler whose activations the city's policy is asked about."""

    inner: Handler
    release: ReleasedTimes
    defences: Defences

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; raises what the handler inside raises.

        Raises:
            GrantError: if the policy does not let its activations leave.
        """
        answer = self.inner.handle(message, caller)
        if DEEP in answer.layers:
            self.release.check(_times(message, answer.layers, self.defences))
        return answer


@dataclass(frozen=True)
class AgencyReleases:
    """The releases of one agency for one party.

    Attributes:
        city: its own.
        agency: its name in the city.
        name: with the city's; the ledger's name.
        receiver: the party whose application gets them; empty: the application's own name.
        level: the cut level.
        defences: of its deep data; its cadence is that of the times that leave.
        folder: of its site; None: nothing is recorded, and nothing was measured.
        key: file of the key that signs its ledger; None: in its folder.
    """

    settings: ServiceSettings
    city: CityFile
    agency: str
    name: str
    receiver: str
    level: int
    defences: Defences = field(default_factory=Defences)
    folder: Path | None = None
    key: Path | None = None

    def of_activations(self, inner: Handler, training: Callable[[], str]) -> Handler:
        """The handler of an agency's answers to an application.

        Args:
            training: names the training that the agency is in.

        Raises:
            CheckpointError: if the key cannot be read, or a new one not written.
        """
        service, check = self.settings.name, self._deep_check()
        defences = self.defences
        found = inner if check is None else GuardedActivations(inner, check, defences)
        terms = DeepDataTerms(
            self.name,
            self.receiver,
            service,
            training,
            self.level,
            self._leakage().get(BOTTLENECK),
            None
            if check is None
            else lambda message, layers: check.check(_times(message, layers, defences)),
        )
        return self._recorded(found, terms)

    def of_layers(self, party: EncoderParty, equals: EqualAgencies) -> Handler:
        """The handler of an agency that pretrains its encoder with equal ones of other cities.

        Raises:
            CheckpointError: if the key cannot be read, or a new one not written.
        """
        service = self.settings.name
        grant = Grant(party=self.name, service=service, level=party.level)
        release = self._layer_release(equals)
        own = party.learner.export(layers_up_to(party.level))
        policy = None if release is None else release.check
        terms = ReleaseTerms(
            grant, equals.training(service), leakage=self._leakage(), policy=policy
        )
        guarded = GuardedHandler(party, grant, self.name, service, own, policy)
        return self._recorded(guarded, terms)

    def _deep_check(self) -> ReleasedTimes | None:
        purpose = purpose_of(self.settings)
        found = deep_release(
            self.city, self.agency, self.settings.name, purpose, self.level, self.folder
        )
        return None if found is None else ReleasedTimes(found)

    def _layer_release(self, equals: EqualAgencies) -> LayerRelease | None:
        origin = policy_origin(self.city)
        if origin is None:
            return None
        return LayerRelease(
            PolicyFile(origin),
            self.settings,
            self.agency,
            self.name,
            equals.cities,
            self.folder,
            encoder=True,
        )

    def _leakage(self) -> dict[str, Leakage]:
        if self.folder is None:
            return {}
        return measured_leakage(self.folder, self.name, self.settings.name, deep=True)

    def _recorded(self, inner: Handler, terms: Terms) -> Handler:
        if self.folder is None:
            return inner
        own = signing_key(self.folder / CLAIMS_KEY if self.key is None else self.key)
        return RecordingHandler(inner, site_ledger(self.folder, self.name, own), terms)


def _times(message: Message, layers: Layers, defences: Defences) -> Ints:
    """Times of a forward pass at which any cell has activations; of others zeros leave."""
    known_BC: Bools = layers[DEEP][KNOWN]  # type: ignore[assignment]
    times_B: Ints = message.layers[TIMES][TIMES]  # type: ignore[assignment]
    return release_times(times_B[known_BC.any(axis=1)], defences)
