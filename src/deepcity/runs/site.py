"""A site: one party of one service, with everything private to it.

It owns its rows, learners and checkpoints, the choice of its level, its forecaster and a folder.
Others reach it by messages only; `deepcity.exchange.party` answers them, and
`deepcity.intercity.party_choices` chooses the level.

FOLDER/run.json        the runs it takes part in, with SHA-256 of its rows
FOLDER/checkpoints/    its learner after each round of each training
FOLDER/own/            its forecaster, for `deepcity update`
FOLDER/result.json     its results, measured values included
FOLDER/claims.pem      the key with which it signs the rows that it claims, and its ledger's heads
FOLDER/privacy.json    what of its privacy budget is spent, where a service trains with one
FOLDER/noise.key       the secret from which its noise follows
FOLDER/releases.jsonl  its release ledger: every layer that has left
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deepcity.city.level import ALONE as ALONE_LEVEL
from deepcity.city.level import Layers
from deepcity.exchange.compression.sparse_party import SparseParty
from deepcity.exchange.exchange import Handler
from deepcity.exchange.grant_guard import GuardedHandler
from deepcity.exchange.party import LearningParty
from deepcity.exchange.precision import Precision
from deepcity.exchange.profile import ProfileHandler, SiteProfile
from deepcity.exchange.trust.recorded_releases import RecordingHandler, ReleaseTerms
from deepcity.exchange.trust.row_claims import ClaimingParty, RowClaim
from deepcity.intercity.party_choices import (
    Offer,
    PartyChoice,
    alone_errors,
    choose_from,
    joined_method,
    level_errors,
)
from deepcity.learning.training.learner import EVERY_LAYER, Learner
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.method_errors import (
    ALONE,
    MethodErrors,
    naive_errors,
    score_forecast,
)
from deepcity.parties.party import Party
from deepcity.parties.private_training import PrivateTraining, simulated_key
from deepcity.parties.releases.layer_release import LayerRelease
from deepcity.parties.releases.site_ledger import CLAIMS_KEY, measured_leakage, site_ledger
from deepcity.privacy.grants import Grant
from deepcity.runs.note import Note
from deepcity.runs.releases.level_limit import LevelLimit, level_limit
from deepcity.runs.results import PartyResult, SiteResults
from deepcity.runs.summary import party_result
from deepcity.runs.update.save_forecaster import save_forecasters
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.run_folder import read_results, write_file
from deepcity.store.signatures.ed25519 import signing_key

RESULT = "result.json"


@dataclass(frozen=True)
class SiteTask:
    """A training as a site needs it; all of it follows from the map.

    Attributes:
        training: name of its checkpoints.
        method: name of the method.
        level: h1..h`level` are shared; 6: the head too.
        common_stem: whether the stem is shared.
        settings, seed: of the training.
        start: layers to start from.
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
        folder: its own; None: nothing is written.
        recorded: whether what leaves is recorded in its release ledger.
        learners: by method, at their best states once a training is done.
        test: test errors by method.
        release: the policy of its city; None: it names none.
    """

    settings: ServiceSettings
    party: Party
    seed: int
    folder: Path | None = None
    recorded: bool = True
    learners: dict[str, Learner] = field(default_factory=dict)
    test: dict[str, MethodErrors] = field(default_factory=dict)
    release: LayerRelease | None = None

    @property
    def name(self) -> str:
        """The party's name, unique in a map."""
        return self.party.name

    @property
    def profile(self) -> SiteProfile:
        """Sizes and time span of its rows."""
        train, split = self.party.data.train, self.party.split
        horizon, linear_features = self.party.data.ridge_skip_HS.shape
        first, step_s = int(self.party.panel.time_T[0]), self.party.panel.clock.step_s
        return SiteProfile(
            step_s=step_s,
            features=train.features_BNF.shape[-1],
            horizon=horizon,
            linear_features=linear_features,
            recent=train.recent,
            places=len(self.party.panel.places),
            rows=self.party.data.rows,
            train_from=first + split.train.start * step_s,
            train_to=first + split.train.end * step_s,
            most_level=self.limit.level,
        )

    @cached_property
    def limit(self) -> LevelLimit:
        """How deep it may share, as it was when first asked for; a newcomer shares nothing."""
        grant, newcomer = self.settings.grant, self.name in self.settings.newcomers
        stem = grant.stem_of(self.name) == "common"
        release = None if newcomer else self.release
        if release is not None and self.settings.privacy is not None:
            planned = self.settings.privacy.epsilon
            release = replace(release, epsilon=lambda: planned)
        return level_limit(release, grant.level_of(self.name), common_stem=stem)

    @cached_property
    def private(self) -> PrivateTraining | None:
        """How it trains layers that leave with differential privacy; None: without.

        Raises:
            CheckpointError: if its budget or key cannot be read or written.
        """
        key = None if self.folder else simulated_key(self.seed, self.name)
        return PrivateTraining.of(self.settings, self.party, self.folder, key)

    @cached_property
    def _release(self) -> LayerRelease | None:
        """The policy of its city, which gets what was spent."""
        if self.release is None or self.private is None:
            return self.release
        return replace(self.release, epsilon=self.private.budget.spent)

    def describe(self) -> Handler:
        """A handler that answers with its profile; no layer leaves by it."""
        grant = Grant(party=self.name, service=self.settings.name, level=0)
        return GuardedHandler(ProfileHandler(self.profile), grant, self.name, self.settings.name)

    def claiming(
        self, handler: Handler, training: str, level: int, federation: str, key: Path | None = None
    ) -> ClaimingParty:
        """A training's handler, by which the site joins with a signed claim of its rows.

        Args:
            level: up to which it shares layers.
            key: file of its key; left out, in its folder, and without a folder a new one.

        Raises:
            CheckpointError: if the key cannot be read, or a new one not written.
        """
        path = self.folder / CLAIMS_KEY if key is None and self.folder is not None else key
        claim = RowClaim(
            federation=federation,
            training=training,
            party=self.name,
            level=level,
            rows=0,
            places=self.profile.places,
            step_s=self.profile.step_s,
            challenge=0,
        )
        own = Ed25519PrivateKey.generate() if path is None else signing_key(path)
        return ClaimingParty(handler, claim, own)

    def recording(
        self,
        handler: Handler,
        training: str,
        level: int,
        *,
        secure: bool = False,
        precision: Precision = "float32",
        key: Path | None = None,
    ) -> Handler:
        """A training's handler whose layers are recorded in the site's ledger before they leave.

        Args:
            level: up to which it shares layers.
            secure: whether they leave in secure sums.
            precision: of layers on the wire.
            key: file of its key; left out, in its folder. Without a folder nothing is recorded.

        Raises:
            CheckpointError: if the key cannot be read, or a new one not written.
        """
        if self.folder is None or not self.recorded:
            return handler
        terms = ReleaseTerms(
            self._grant(level),
            training,
            secure=secure,
            precision=precision,
            leakage=measured_leakage(self.folder, self.name, self.settings.name),
            policy=None if self._release is None else self._release.check,
            epsilon=None if self.private is None else self.private.budget.spent,
        )
        own = signing_key(self.folder / CLAIMS_KEY if key is None else key)
        return RecordingHandler(handler, site_ledger(self.folder, self.name, own), terms)

    def _grant(self, level: int) -> Grant:
        """Its grant for a training that shares layers up to a level."""
        return Grant(
            party=self.name,
            service=self.settings.name,
            level=min(level, self.settings.grant.level_of(self.name)),
            stem=self.settings.grant.stem_of(self.name),
        )

    def join(self, task: SiteTask) -> Handler:
        """A handler of a training's messages, with a new learner.

        Raises:
            LayerPackageError: if the layers to start from do not fit.
            GrantError: if its privacy budget does not allow the training.
        """
        reuse, service = self.settings.reuse, self.settings.name
        frozen = tuple(task.start) if reuse is not None and reuse.frozen else ()
        training = task.settings.training
        private = self.private if task.level > ALONE_LEVEL else None
        learner = (
            Learner(self.party.data, training, task.seed, start=task.start, frozen=frozen)
            if private is None
            else private.learner(task.training, training, task.seed, task.level, task.start, frozen)
        )
        self.learners[task.method] = learner
        grant = self._grant(task.level)
        party = LearningParty(
            learner, task.level, task.common_stem, self._checkpoints, task.training
        )
        own_layers = learner.export(EVERY_LAYER)
        policy = None if self._release is None else self._release.check
        guarded = GuardedHandler(party, grant, self.name, service, own_layers, policy)
        moves = task.settings.wire.moves
        if moves is None:
            return guarded
        return SparseParty(guarded, moves, self._checkpoints, task.training)

    @property
    def _checkpoints(self) -> CheckpointStore | None:
        return None if self.folder is None else CheckpointStore(self.folder / "checkpoints")

    def evaluate(self, method: str) -> None:
        """Record a method's test errors."""
        forecast = self.learners[method].forecast(self.party.test)
        forecast = np.maximum(forecast, np.float32(self.party.floor))
        self.test[method] = score_forecast(forecast, self.party.test.truth_BNH, self.party.metric)

    def choose(self, offer: Offer | None) -> PartyChoice:
        """Choose among learning alone and every level offered."""
        joined = self.learners.get(joined_method(self.settings))
        alone = self.learners[ALONE]
        return choose_from(self.settings, self.party, alone, joined, offer, self.seed)

    def finish(
        self, chosen: PartyChoice, levels: Sequence[int], notes: Sequence[Note]
    ) -> PartyResult:
        """Write its forecaster and results into its own folder.

        Args:
            levels: fixed levels, at which a newcomer is evaluated.

        Raises:
            CheckpointError: if a file cannot be written.
        """
        test = {**naive_errors(self.party), **self.test, **alone_errors(chosen, self.party)}
        if self.party.newcomer:
            test |= level_errors(chosen, self.party, levels)
        tested = chosen.choice.forecast(self.party)
        found = party_result(
            self.settings,
            self.party,
            chosen.choice,
            tested,
            self.learners[ALONE],
            test,
            notes,
            self.limit,
        )
        if self.folder is not None:
            save_forecasters(self.folder, self.settings, self.party, chosen.choice, tested)
            self._write(self.folder / RESULT, found)
        return found

    def _write(self, path: Path, found: PartyResult) -> None:
        known: Mapping[str, PartyResult] = {}
        if path.exists():
            known = read_results(path, SiteResults, "deepcity run").services
        results = SiteResults(site=self.name, services={**known, self.settings.name: found})
        write_file(path, results.model_dump_json(indent=1).encode(), private=True)
