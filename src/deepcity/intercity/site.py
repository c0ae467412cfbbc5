"""A site: one party of one service, with all that is its own.

It owns its rows, its learners and their checkpoints, the choice of its level, what it forecasts
with, and a folder. Others reach it by messages alone; what it answers to them lies in
`deepcity.exchange.party`, how it chooses in `deepcity.intercity.choices`.

FOLDER/run.json        which runs it takes part in, and SHA-256 of the rows it does so with
FOLDER/checkpoints/    its learner after each round of each training
FOLDER/own/            what it forecasts with, for `deepcity update`
FOLDER/result.json     what was found out for it, measured values among it
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.city.level import Layers
from deepcity.exchange.exchange import Handler
from deepcity.exchange.granted import GrantedHandler
from deepcity.exchange.party import LearningParty
from deepcity.exchange.profile import ProfileHandler, SiteProfile
from deepcity.intercity.choices import Chosen, Offer, alone_errors, choose_from, level_errors
from deepcity.intercity.keeping import keep
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.parties import Party
from deepcity.intercity.results import ALONE, Errors, Note, PartyResult, SiteResults, fixed
from deepcity.intercity.run_folder import put, read
from deepcity.intercity.summary import errors_of, naive_errors, party_result
from deepcity.learning.learner import EVERY_LAYER, Learner
from deepcity.privacy.grants import Grant
from deepcity.store.checkpoint import CheckpointStore

RESULT = "result.json"


@dataclass(frozen=True)
class SiteTask:
    """What a site is told of a training before it begins; all of it follows from the map.

    Attributes:
        training: what its checkpoints are called.
        level: down to which layers are in common; h1..h`level`, 6 the head too.
        start: layers to begin with.
    """

    training: str
    method: str
    level: int
    common_stem: bool
    settings: ServiceSettings
    seed: int
    start: Layers


@dataclass
class Site:
    """One party of one service.

    Attributes:
        folder: its own; None keeps nothing.
        learners: its networks by method, at their best states once a training ended.
        test: errors of its test days by method.
    """

    settings: ServiceSettings
    party: Party
    seed: int
    folder: Path | None = None
    learners: dict[str, Learner] = field(default_factory=dict)
    test: dict[str, Errors] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Unique in a map."""
        return self.party.name

    @property
    def profile(self) -> SiteProfile:
        """Its sizes."""
        train, split = self.party.data.train, self.party.split
        horizon, summaries = self.party.data.recall_HS.shape
        first, step_s = int(self.party.panel.time_T[0]), self.party.panel.clock.step_s
        return SiteProfile(
            step_s=step_s,
            features=train.features_BNF.shape[-1],
            horizon=horizon,
            summaries=summaries,
            recent=train.recent,
            places=len(self.party.panel.places),
            rows=self.party.data.rows,
            train_from=first + split.train.start * step_s,
            train_to=first + split.train.end * step_s,
        )

    def describe(self) -> Handler:
        """Answers what its sizes are; no layer leaves by it."""
        grant = Grant(party=self.name, service=self.settings.name, level=0)
        return GrantedHandler(ProfileHandler(self.profile), grant, self.name, self.settings.name)

    def join(self, task: SiteTask) -> Handler:
        """Its answers in a training, with a new learner.

        Raises:
            LayerPackageError: if the layers to start from do not fit.
        """
        reuse, service = self.settings.reuse, self.settings.name
        frozen = tuple(task.start) if reuse is not None and reuse.frozen else ()
        training = task.settings.training
        learner = Learner(self.party.data, training, task.seed, start=task.start, frozen=frozen)
        self.learners[task.method] = learner
        grant = Grant(
            party=self.name,
            service=service,
            level=min(task.level, self.settings.grant.level_of(self.name)),
            stem=self.settings.grant.stem_of(self.name),
        )
        party = LearningParty(
            learner, task.level, task.common_stem, self._checkpoints, task.training
        )
        like = learner.export(EVERY_LAYER)
        return GrantedHandler(party, grant, self.name, service, like=like)

    @property
    def _checkpoints(self) -> CheckpointStore | None:
        return None if self.folder is None else CheckpointStore(self.folder / "checkpoints")

    def try_out(self, method: str) -> None:
        """Note a method's errors over the test days."""
        forecast = self.learners[method].forecast(self.party.test)
        self.test[method] = errors_of(forecast, self.party.test.truth_BNH, self.party.metric)

    def choose(self, offer: Offer | None) -> Chosen:
        """Weigh learning alone and every level that is offered."""
        joined = self.learners.get(fixed(self.settings.grant.level))
        alone = self.learners[ALONE]
        return choose_from(self.settings, self.party, alone, joined, offer, self.seed)

    def finish(self, chosen: Chosen, levels: Sequence[int], notes: Sequence[Note]) -> PartyResult:
        """Keep what it forecasts with and what was found out, in its own folder.

        Args:
            levels: fixed ones, at which a newcomer is tried out.

        Raises:
            CheckpointError: if something cannot be written.
        """
        test = {**naive_errors(self.party), **self.test, **alone_errors(chosen, self.party)}
        if self.party.newcomer:
            test |= level_errors(chosen, self.party, levels)
        tested = chosen.choice.forecast(self.party)
        found = party_result(
            self.settings, self.party, chosen.choice, tested, self.learners[ALONE], test, notes
        )
        if self.folder is not None:
            keep(self.folder, self.settings, self.party, chosen.choice, tested)
            self._write(self.folder / RESULT, found)
        return found

    def _write(self, path: Path, found: PartyResult) -> None:
        known: Mapping[str, PartyResult] = {}
        if path.exists():
            known = read(path, SiteResults, "deepcity run").services
        results = SiteResults(site=self.name, services={**known, self.settings.name: found})
        put(path, results.model_dump_json(indent=1).encode())
