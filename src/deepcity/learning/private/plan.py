"""The noise that a service's plan needs, so that all of it together spends its epsilon."""

from dataclasses import dataclass

from deepcity.learning.private.settings import PrivacySettings, PrivacyUnit
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.privacy.accounting.accountant import NoisySums, noise_multiplier_for

REFERENCE_SHARE = 0.2
"""Of epsilon, for the statistics that inputs are scaled by; as divergences add up, it costs the
rounds some 5 %."""
REFERENCE_SUMS = 3
"""Noisy sums that the statistics of a place take (`deepcity.learning.private.reference`)."""


@dataclass(frozen=True)
class PrivacyPlan:
    """What is spent, and how much noise that takes.

    Attributes:
        reference: the sums for the statistics; none where a unit is a whole place.
        round: the sums of one round.
        rounds: of all trainings.
    """

    settings: PrivacySettings
    reference: NoisySums | None
    round: NoisySums
    rounds: int

    @property
    def all(self) -> list[NoisySums]:
        """Everything that the plan spends."""
        steps = NoisySums(
            self.round.noise_multiplier, self.round.sampling_rate, self.round.steps * self.rounds
        )
        return [steps] if self.reference is None else [self.reference, steps]


def plan_privacy(
    settings: PrivacySettings, training: TrainingSettings, trainings: int
) -> PrivacyPlan:
    """The noise for so many trainings with others.

    Args:
        trainings: each fixed level that a map compares is one, and the one that levels are chosen
            from.
    """
    reference = None
    if settings.unit is PrivacyUnit.SENSOR_DAY:
        share = REFERENCE_SHARE * settings.epsilon
        noise = noise_multiplier_for(share, settings.delta, 1.0, REFERENCE_SUMS)
        reference = NoisySums(noise, 1.0, REFERENCE_SUMS)
    rounds = training.rounds * trainings
    noise = noise_multiplier_for(
        settings.epsilon,
        settings.delta,
        settings.sampling,
        rounds * training.local_steps,
        () if reference is None else (reference,),
    )
    one = NoisySums(noise, settings.sampling, training.local_steps)
    return PrivacyPlan(settings, reference, one, rounds)
