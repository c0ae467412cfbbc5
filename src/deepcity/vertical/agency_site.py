"""An agency's site: its rows, its encoder, its grant and its own folder.

A site is reached by messages alone (`handle`). Its own folder holds what is private:

    FOLDER/checkpoints/     its encoder and optimizer after each round of a run
    FOLDER/packages/PARTY/  its encoder as trained for a party, for `deepcity agent`
    FOLDER/releases.jsonl   its release ledger: every activation and layer that has left
"""

import secrets
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from deepcity.city.arrays import Ints
from deepcity.exchange.exchange import COORDINATOR, Handler
from deepcity.exchange.message import Message
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.split.agency_learner import AgencyLearner
from deepcity.learning.split.encoder_package import (
    EncoderFacts,
    EncoderPackage,
    TimeGrid,
    package_encoder,
    save_encoder,
)
from deepcity.learning.split.labels import Labels
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.privacy.defences.release import KEY_BYTES
from deepcity.store.checkpoint import CheckpointStore
from deepcity.vertical.agency_party import AgencyParty
from deepcity.vertical.agency_releases import AgencyReleases
from deepcity.vertical.encoder_party import EncoderParty
from deepcity.vertical.pretraining import EqualAgencies


@dataclass
class AgencySite:
    """One agency of one city in one service.

    Attributes:
        learner: its encoder over its rows; every run trains a copy.
        grant: what may leave.
        origins: times of its own rows on which the encoder is pretrained, UTC seconds.
        facts: description for the encoder package; None: it writes none.
        labels: computes the loss where the agency holds the labels.
        pretrained: whether the encoder was loaded from another service's training.
        raw_bytes: size of its records, which do not leave.
        releases: asks its city's policy and records what leaves; None: neither is done.
    """

    learner: AgencyLearner
    grant: DeepGrant
    origins: Ints
    facts: EncoderFacts | None = None
    labels: Labels | None = None
    pretrained: bool = False
    raw_bytes: int = 0
    releases: AgencyReleases | None = None
    answers: AgencyParty = field(init=False)
    _handler: Handler = field(init=False, repr=False)

    def __post_init__(self) -> None:
        service = self.grant.service
        self.answers = AgencyParty(self.learner, self.grant, service, COORDINATOR, self.labels)
        self._set_handler()

    @property
    def name(self) -> str:
        """The agency's name."""
        return self.learner.name

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Name and unit of each field that it encodes."""
        return self.facts.fields if self.facts is not None else ()

    @property
    def step_s(self) -> int:
        """Of its own records, in seconds."""
        return self.facts.step_s if self.facts is not None else 0

    def use_folder(self, folder: Path, name: str, packages: Path, key: Path | None = None) -> None:
        """Keep checkpoints, packages and the record of what leaves in its own folder.

        Args:
            name: prefix of its checkpoints; unique to a map, seed and set of records.
            packages: where in the folder its packages are written.
            key: file of the key that signs its ledger; None: in its folder.

        Raises:
            CheckpointError: if the key cannot be read, or a new one not written.
        """
        self.answers.checkpoints, self.answers.name = CheckpointStore(folder / "checkpoints"), name
        if self.facts is not None:
            self.answers.save = partial(_save, self.facts, folder / packages)
        if self.releases is not None:
            self.releases = replace(self.releases, folder=folder, key=key)
            self._set_handler()

    def _set_handler(self) -> None:
        self._handler = self.answers
        if self.releases is not None:
            service = self.grant.service
            self._handler = self.releases.of_activations(
                self.answers, lambda: f"{service}.vertical.run-{self.answers.run}"
            )

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; see `deepcity.vertical.agency_party`.

        Raises:
            GrantError: if its city's policy does not let its activations leave.
            LedgerError: if what leaves cannot be recorded.
        """
        return self._handler.handle(message, caller)

    def pretrain(self, seed: int) -> None:
        """Pretrain the encoder to predict its own columns."""
        self.learner.pretrain(self.origins, seed=seed)

    def pretraining_party(self, level: int, steps: int, equals: EqualAgencies) -> Handler:
        """A party for federated pretraining of h1..h`level` with equal agencies of other cities.

        Raises:
            CheckpointError: if the key of its ledger cannot be read, or a new one not written.
        """
        party = EncoderParty(self.learner, level, self.origins, steps)
        return party if self.releases is None else self.releases.of_layers(party, equals)

    def drop_checkpoints(self) -> None:
        """Delete the checkpoints once the service is trained."""
        if self.answers.checkpoints is not None:
            for old in self.answers.checkpoints.folder.glob(f"{self.answers.name}.*"):
                old.unlink()


def _save(
    facts: EncoderFacts, folder: Path, learner: AgencyLearner, grid: TimeGrid
) -> EncoderPackage:
    assert isinstance(learner.columns, Columns)
    defences = learner.settings.defences
    facts = replace(
        facts,
        grid=grid.slowed(defences.cadence_s),
        defences=replace(defences, hold_s=max(defences.hold_s, grid.step_s)),
        noise_key=secrets.token_hex(KEY_BYTES) if defences.noise else "",
    )
    package = package_encoder(facts, learner.columns, learner.encoder)
    save_encoder(folder, package)
    return package
