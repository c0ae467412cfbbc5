"""An agency's site: its rows, its encoder, its grant and its own folder.

A site is reached by messages alone (`handle`). Its own folder holds what is private:

    FOLDER/checkpoints/     its encoder and optimizer after each round of a run
    FOLDER/packages/PARTY/  its encoder as trained for a party, for `deepcity agent`
"""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from deepcity.city.arrays import Ints
from deepcity.exchange.exchange import COORDINATOR
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
from deepcity.store.checkpoint import CheckpointStore
from deepcity.vertical.agency_party import AgencyParty
from deepcity.vertical.encoder_party import EncoderParty


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
    """

    learner: AgencyLearner
    grant: DeepGrant
    origins: Ints
    facts: EncoderFacts | None = None
    labels: Labels | None = None
    pretrained: bool = False
    raw_bytes: int = 0
    answers: AgencyParty = field(init=False)

    def __post_init__(self) -> None:
        service = self.grant.service
        self.answers = AgencyParty(self.learner, self.grant, service, COORDINATOR, self.labels)

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

    def use_folder(self, folder: Path, name: str, packages: Path) -> None:
        """Keep checkpoints and packages in its own folder.

        Args:
            name: prefix of its checkpoints; unique to a map, seed and set of records.
            packages: where in the folder its packages are written.
        """
        self.answers.checkpoints, self.answers.name = CheckpointStore(folder / "checkpoints"), name
        if self.facts is not None:
            self.answers.save = partial(_save, self.facts, folder / packages)

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; see `deepcity.vertical.agency_party`."""
        return self.answers.handle(message, caller)

    def pretrain(self, seed: int) -> None:
        """Pretrain the encoder to predict its own columns."""
        self.learner.pretrain(self.origins, seed=seed)

    def pretraining_party(self, level: int, steps: int) -> EncoderParty:
        """A party for federated pretraining of h1..h`level` with equal agencies of other cities."""
        return EncoderParty(self.learner, level, self.origins, steps)

    def drop_checkpoints(self) -> None:
        """Delete the checkpoints once the service is trained."""
        if self.answers.checkpoints is not None:
            for old in self.answers.checkpoints.folder.glob(f"{self.answers.name}.*"):
                old.unlink()


def _save(
    facts: EncoderFacts, folder: Path, learner: AgencyLearner, grid: TimeGrid
) -> EncoderPackage:
    assert isinstance(learner.columns, Columns)
    package = package_encoder(replace(facts, grid=grid), learner.columns, learner.encoder)
    save_encoder(folder, package)
    return package
