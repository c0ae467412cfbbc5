"""An agency's site: its rows, its encoder, what it grants, and a folder of its own.

A site is reached by messages alone (`handle`). A folder of its own holds what is private:

    FOLDER/checkpoints/     its encoder and optimizer after each round of a run
    FOLDER/packages/PARTY/  its encoder as trained for a party, for daily use (`deepcity agency`)
"""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from deepcity.city.arrays import Ints
from deepcity.exchange.agency_party import AgencyParty
from deepcity.exchange.encoding_party import EncodingParty
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import Message
from deepcity.learning.agency_learner import AgencyLearner
from deepcity.learning.columns import Columns
from deepcity.learning.encoder_package import (
    EncoderFacts,
    EncoderPackage,
    TimeGrid,
    package_encoder,
    save_encoder,
)
from deepcity.learning.labels import Labels
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.store.checkpoint import CheckpointStore


@dataclass
class AgencySite:
    """One agency of one city in one service.

    Attributes:
        learner: its encoder over its rows; every run trains a copy of its own.
        grant: what may leave.
        origins: times of its own rows by which the encoder pretrains itself, UTC seconds.
        facts: whose encoder it is, for its package; None: it leaves none.
        labels: where it holds them, by which it judges forecasts.
        pretrained: whether the encoder comes from another service's training.
        raw_bytes: size of its records, which stay.
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
        """Of the agency."""
        return self.learner.name

    def keep_in(self, folder: Path, name: str, packages: Path) -> None:
        """Keep checkpoints and packages in a folder of its own.

        Args:
            name: of its checkpoints; another map, seed or record has another name.
            packages: where in the folder its packages lie.
        """
        self.answers.checkpoints, self.answers.name = CheckpointStore(folder / "checkpoints"), name
        if self.facts is not None:
            self.answers.save = partial(_save, self.facts, folder / packages)

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; see `deepcity.exchange.agency_party`."""
        return self.answers.handle(message, caller)

    def pretrain(self, seed: int) -> None:
        """Train the encoder to predict its own columns, before anybody asks."""
        self.learner.teach_itself(self.origins, draw=seed)

    def pretraining_party(self, level: int, steps: int) -> EncodingParty:
        """Answers for h1..h`level` where equal agencies of several cities pretrain together."""
        return EncodingParty(self.learner, level, self.origins, steps)

    def drop_checkpoints(self) -> None:
        """The service is trained: rounds are not needed any more."""
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
