"""A learner whose shared layers hold hardly anything of any single unit's records.

*All* of its parameters are trained with clipped, noisy gradients, its private stem and head too:
the gradients of shared layers depend on stem and head, so without noise in these a unit's records
would reach the shared layers past their own noise. What is done to noisy gradients afterwards
(AdamW, averaging, rounding, fusing) needs no more.

Hidden layers above the level stay as they began, each the identity: they would add noise alone.

Once the rounds are over, the shared layers are frozen under a stem and a head of the party's
ordinary inputs, trained without noise. They do not leave, and nothing is learned from them that
does (`deepcity.runs.site`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import torch

from deepcity.city.arrays import Floats
from deepcity.city.level import HIDDEN_LAYERS, Layers, layers_up_to
from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.reuse import freeze, import_layers
from deepcity.learning.private.plan import PrivacyPlan
from deepcity.learning.private.unit_gradients import clipped_sum
from deepcity.learning.private.units import PrivacyUnits
from deepcity.learning.training.learner import Learner, PartyData
from deepcity.learning.training.local_training import TrainingSettings, learning_rate, party_seed
from deepcity.learning.training.training_state import Arrays
from deepcity.privacy.accounting.accountant import NoisySums
from deepcity.privacy.accounting.noise_stream import NoiseStream

OWN_STEPS = 2  # times `refit_steps`: stem and head begin with random weights

Noise = Callable[[int, bytes, NoisySums], NoiseStream]
"""Charges a round to the budget, and gives its noise: of the round, all that the noise hides, and
its sums. Raises GrantError where the budget does not allow it."""


@dataclass(frozen=True)
class PrivateData:
    """A party's rows for private training; none ever leaves it.

    Attributes:
        data: of inputs in which units are apart (`deepcity.learning.private.inputs`).
        digest: of all its records.
    """

    data: PartyData
    units: PrivacyUnits
    digest: bytes


class PrivateLearner(Learner):
    """Trains in rounds with noise, and then on its own without.

    Args of `PrivateLearner(...)`:
        own: rows of the party's ordinary inputs.
        level: h1..h`level` are shared.
    """

    def __init__(
        self,
        private: PrivateData,
        own: PartyData,
        settings: TrainingSettings,
        seed: int,
        *,
        plan: PrivacyPlan,
        level: int,
        noise: Noise,
        start: Layers | None = None,
        frozen: tuple[str, ...] = (),
    ) -> None:
        self._shared = layers_up_to(level, common_stem=False)
        above = [name for name in HIDDEN_LAYERS if name not in self._shared]
        super().__init__(private.data, settings, seed, start=start, frozen=(*frozen, *above))
        self._own, self._plan, self._noise = own, plan, noise
        self._units, self._digest, self._fixed = private.units, private.digest, frozenset(frozen)
        self._tuned: Learner | None = None

    def receive(self, layers: Layers) -> float:
        """Import common layers, validate, keep the best state.

        They stay also where a forecast is not finite with them: whether layers are used must not
        depend on records.
        """
        common = {name: part for name, part in layers.items() if name not in self.frozen}
        import_layers(self.network, common)
        error = self.evaluate()
        if not error >= self.best:
            self._keep(error)
        return error

    def train_round(self, round_number: int, *, proximal: float = 0.0) -> float:
        """Noisy steps of one round; the mean loss is not sent, for it has no noise.

        Raises:
            GrantError: if the budget does not allow the round; nothing was trained then.
        """
        self._tuned = None
        seed = party_seed(self.seed, self.data.party, round_number)
        stream = self._noise(round_number, self._context(seed, proximal), self._plan.round)
        rng = np.random.default_rng(seed)
        parameters = [one for one in self.network.parameters() if one.requires_grad]
        reference = [one.detach().clone() for one in parameters]
        average = [one.detach().clone() for one in parameters]
        first = round_number * self.settings.local_steps
        for done in range(1, self.settings.local_steps + 1):
            rate = learning_rate(self.settings, first + done - 1, self.settings.total_steps)
            self._optimizer.rate = rate
            self._noisy_gradients(parameters, stream, rng)
            for parameter, start in zip(parameters, reference, strict=True):
                assert parameter.grad is not None
                parameter.grad.add_(parameter.detach() - start, alpha=proximal)
            self._optimizer.step()
            decay = min(self.settings.ema_decay, done / (done + 1))
            torch._foreach_lerp_(average, [one.detach() for one in parameters], 1 - decay)
        with torch.no_grad():
            for parameter, mean in zip(parameters, average, strict=True):
                parameter.copy_(mean)
        return float("nan")

    def clipped_sum(
        self, stream: NoiseStream, rng: np.random.Generator
    ) -> tuple[list[torch.Tensor], float]:
        """The summed gradient of a step before noise, and how many units it has on average."""
        sample = self._units.sample(self._plan.round.sampling_rate, stream, rng)
        place_UM = torch.from_numpy(sample.place_U)[:, None].expand(sample.window_UM.shape)
        window_UM = torch.from_numpy(sample.window_UM)
        target_UMH = self._target[window_UM, place_UM]
        unknown_UM1 = ~torch.from_numpy(sample.known_UM)[..., None]
        found = clipped_sum(
            self.network,
            self._features[window_UM, place_UM],
            self._linear_features[window_UM, place_UM],
            target_UMH.masked_fill(unknown_UM1, float("nan")),
            clip=self._plan.settings.clip,
            mae_weight=self.settings.mae_weight,
        )
        return found, sample.expected

    def _noisy_gradients(
        self, parameters: list[torch.nn.Parameter], stream: NoiseStream, rng: np.random.Generator
    ) -> None:
        """Set each parameter's gradient: the sum with noise, over the expected number of units."""
        total, expected = self.clipped_sum(stream, rng)
        spread = self._plan.round.noise_multiplier * self._plan.settings.clip
        for parameter, gradient in zip(parameters, total, strict=True):
            drawn = torch.from_numpy(stream.normal(gradient.numel())).reshape(gradient.shape)
            parameter.grad = ((gradient + spread * drawn) / expected).to(parameter.dtype)

    def _context(self, seed: int, proximal: float) -> bytes:
        """A digest of everything that the round's answer depends on, but for its noise."""
        settings = self.settings.model_dump_json() + self._plan.settings.model_dump_json(
            exclude={"limit"}
        )
        numbers = f"{seed} {proximal!r} {self._plan.round!r} {sorted(self.frozen)} {settings}"
        digest = sha256(self._digest + numbers.encode())
        for name, array in sorted(self.state().items()):
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.digest()

    def keep_best(self) -> None:
        """The shared layers at their best state, under a stem and a head of ordinary inputs."""
        super().keep_best()
        shared = self.export(self._shared)
        steps = OWN_STEPS * self.settings.refit_steps
        own = Learner(self._own, self.settings, self.seed, start=shared)
        seed = party_seed(self.seed, f"{self.data.party}/own", 0)
        self._tuned = own.refit(shared, steps, seed)
        self._tuned.frozen = self._fixed  # lower levels fine-tune what is shared above them
        freeze(self._tuned.network, self._fixed)

    def restore(self, arrays: Arrays) -> None:
        """Continue exactly where `state` was taken."""
        self._tuned = None
        super().restore(arrays)

    def refit(self, frozen: Iterable[str], steps: int, seed: int) -> Learner:
        """Fine-tune the network of ordinary inputs, without noise; it does not leave."""
        return self._finished.refit(frozen, steps, seed)

    def forecast(self, samples: Samples) -> Floats:
        """Forecasts from ordinary inputs, (B, N, H)."""
        return self._finished.forecast(samples)

    @property
    def _finished(self) -> Learner:
        if self._tuned is None:
            self.keep_best()
        assert self._tuned is not None
        return self._tuned
