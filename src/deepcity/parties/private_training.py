"""A party's private training: its rows by unit, the noise of its rounds, its budget."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

from deepcity.city.errors import DataError
from deepcity.city.level import ALONE, Layers
from deepcity.city.problem import Problem
from deepcity.learning.features.inputs import Inputs, train_origins
from deepcity.learning.private.inputs import day_reference, inputs_by_day, inputs_by_place
from deepcity.learning.private.learner import PrivateData, PrivateLearner
from deepcity.learning.private.plan import PrivacyPlan, plan_privacy
from deepcity.learning.private.settings import PrivacySettings
from deepcity.learning.private.units import PrivacyUnits
from deepcity.learning.training.learner import PartyData
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.party import Party
from deepcity.parties.releases.privacy_budget import PrivacyBudget
from deepcity.privacy.accounting.accountant import NoisySums
from deepcity.privacy.accounting.budget import Charge, Limit
from deepcity.privacy.accounting.noise_stream import NoiseKey, NoiseStream


@dataclass(frozen=True)
class PrivateTraining:
    """How one party trains layers that leave, where its service asks for differential privacy.

    Attributes:
        settings: of its service, with `privacy`.
        budget: of its records.
        key: of its noise.
    """

    settings: ServiceSettings
    party: Party
    plan: PrivacyPlan
    budget: PrivacyBudget
    key: NoiseKey

    @classmethod
    def of(
        cls, settings: ServiceSettings, party: Party, folder: Path | None, key: NoiseKey | None
    ) -> "PrivateTraining | None":
        """That of a service; None where it asks for none.

        Args:
            folder: of the party's site.
            key: of its noise; left out, that of the folder, and without a folder a new one.

        Raises:
            CheckpointError: if budget or key cannot be read or written.
        """
        privacy = settings.privacy
        if privacy is None:
            return None
        plan = plan_privacy(privacy, settings.training, shared_trainings(settings))
        limit = Limit(str(privacy.unit), privacy.most, privacy.delta)
        budget = PrivacyBudget(party.name, limit, folder)
        return cls(settings, party, plan, budget, key or budget.key())

    def learner(
        self,
        training: str,
        settings: TrainingSettings,
        seed: int,
        level: int,
        start: Layers,
        frozen: tuple[str, ...],
    ) -> PrivateLearner:
        """A learner of one training with others.

        Raises:
            GrantError: if the budget does not allow the service's plan.
            DataError: if its records hold no whole window.
        """
        self.budget.check_room(self.settings.name, self.plan.all)
        return PrivateLearner(
            self._data,
            self.party.data,
            settings,
            seed,
            plan=self.plan,
            level=level,
            noise=self._noise(training),
            start=start,
            frozen=frozen,
        )

    def _noise(self, training: str) -> Callable[[int, bytes, NoisySums], NoiseStream]:
        def paid(number: int, context: bytes, sums: NoisySums) -> NoiseStream:
            return self._paid(training, number, f"{training} {number} ".encode() + context, sums)

        return paid

    def _paid(self, training: str, number: int, context: bytes, sums: NoisySums) -> NoiseStream:
        """Noise for a use of the records that is charged first."""
        digest = sha256(f"{self.party.name} ".encode() + context).digest()
        charge = Charge(
            key=digest.hex(),
            service=self.settings.name,
            training=training,
            round=number,
            noise_multiplier=sums.noise_multiplier,
            sampling_rate=sums.sampling_rate,
            steps=sums.steps,
        )
        self.budget.charge(charge)
        return self.key.stream(digest)

    @cached_property
    def _data(self) -> PrivateData:
        party, privacy = self.party, self._privacy
        train, window = party.split.train, party.inputs.settings
        try:
            origins_B = train_origins(window, train)
        except ValueError as error:
            right = (
                "give it more days or a shorter history, or make it a newcomer, which sends none"
            )
            raise DataError(
                [Problem(party.name, "privacy", len(train), str(error), right)]
            ) from error
        origins_B = origins_B[::-1][:: 1 if party.scarce else self.settings.training.stride][::-1]
        digest = _digest(party)
        inputs = self._inputs(digest)
        rows = PartyData(
            party.name,
            inputs.samples(origins_B, until=train.end),
            inputs.samples(party.validation_origins, until=party.split.validation.end),
            inputs.ridge_skip_HS,
            party.data.measured,
        )
        units = PrivacyUnits.of(privacy.unit, inputs, origins_B, privacy.windows)
        return PrivateData(rows, units, digest)

    def _inputs(self, digest: bytes) -> Inputs:
        """Inputs in which units are apart; statistics of days are paid for."""
        party, reference = self.party, self.plan.reference
        if reference is None:
            return inputs_by_place(party.inputs, party.split.train)
        noise = self._paid("", -1, b"reference " + digest + repr(reference).encode(), reference)
        found = day_reference(party.inputs, party.split.train, noise, reference.noise_multiplier)
        return inputs_by_day(party.inputs, found)

    @property
    def _privacy(self) -> PrivacySettings:
        assert self.settings.privacy is not None
        return self.settings.privacy


def shared_trainings(settings: ServiceSettings) -> int:
    """Trainings of a service in which layers leave: each fixed level, and the choice's."""
    deepest = settings.grant.level
    asked = {min(level, deepest) for level in settings.levels}
    return max(1, len((asked | ({deepest} if settings.automatic else set())) - {ALONE}))


def simulated_key(seed: int, party: str) -> NoiseKey:
    """Noise that follows from a seed, for trainings whose layers stay in one process."""
    return NoiseKey(sha256(f"{seed}/{party}/noise".encode()).digest())


def _digest(party: Party) -> bytes:
    """Of all records that private training reads, and of where they are cut."""
    train, validation = party.split.train, party.split.validation
    values_TN = np.ascontiguousarray(party.inputs.values_TN[: validation.end])
    window = party.inputs.settings.model_dump_json()
    text = f"{party.field} {party.panel.time_T[0]} {train} {validation} {values_TN.shape} {window}"
    return sha256(text.encode() + values_TN.tobytes()).digest()
