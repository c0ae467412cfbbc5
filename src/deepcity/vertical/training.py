"""Vertical training: an application and the agencies of a city train at a hidden layer.

One protocol, three modes, which differ only in when gradients return to the agencies:

    one-shot    never: each agency pretrains its encoder and sends its activations once
                (one-shot vertical federated learning: Sun et al. 2023)
    block-wise  after a block of local steps; each agency then takes as many local steps
                (FedBCD: Liu et al. 2022)
    per-batch   after every batch (split learning: Vepakomma et al. 2018); the reference

An agency that fails, or sends activations that cannot be used, is left out for that block; the
others and the application continue.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Exchange, Failure, answers, failures, refuse_failures
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.vertical.names import (
    BACKWARD,
    BEST,
    CADENCE_S,
    CELLS,
    DEEP,
    ERROR,
    FORECAST,
    FORWARD,
    GRADIENTS,
    HANDSHAKE,
    KNOWN,
    LOSS,
    OLDER,
    PACKAGE,
    PHASE_S,
    RATE,
    RESTORE,
    ROWS,
    RUN,
    STEP_S,
    STEPS,
    TIMES,
    VECTORS,
    VERSION,
    WIDTH,
)
from deepcity.learning.split.encoder_package import TimeGrid
from deepcity.learning.split.fused_learner import FusedLearner
from deepcity.learning.split.fusion_inputs import DeepBatch, DeepBatches
from deepcity.learning.training.local_training import party_seed
from deepcity.maps.vertical_settings import Mode

_MOST_CELLS = 100_000
_LONGEST_CADENCE_S = 366 * 86_400
_SEED_LABEL = "meeting"  # of the batches; results follow from it, so it stays


@dataclass(frozen=True)
class FeatureParty:
    """An agency as its answer to the handshake describes it.

    Attributes:
        width: of its activations.
    """

    cell_C: Ints
    width: int


@dataclass(frozen=True)
class VerticalPlan:
    """Rounds and steps of a vertical training.

    Attributes:
        mode: when gradients return.
        rounds: evaluations on the validation span.
        local_steps: optimizer steps between two evaluations.
        train_times, validation_times: origins, UTC seconds, as in the learner's samples.
    """

    mode: Mode
    rounds: int
    local_steps: int
    train_times: Ints
    validation_times: Ints
    seed: int = 0


@dataclass(frozen=True)
class History:
    """Outcome of each round.

    Attributes:
        errors: validation error after each round.
        failures: agencies that failed, and why, by round.
    """

    errors: tuple[float, ...] = ()
    failures: tuple[tuple[Failure, ...], ...] = field(default=())

    @property
    def best(self) -> int:
        """The round with the lowest error, the first of several; -1 before any."""
        known = [error for error in self.errors if error < float("inf")]
        return self.errors.index(min(known)) if known else -1


def handshake(
    exchange: Exchange,
    agencies: Sequence[str],
    *,
    run: int | None = None,
    rounds: int = 0,
    widths: Mapping[str, int] | None = None,
) -> dict[str, FeatureParty]:
    """Ask each agency for its cells and the width of its activations.

    Args:
        widths: those of the map; another one is refused.
        run: number of the run, which it begins with its pretrained encoder; None: it keeps its
            current one.
        rounds: completed rounds of this run: it resumes from its own checkpoint of the last.

    Raises:
        ExchangeError: if an agency cannot take part; names each and its reason.
    """
    numbers = {} if run is None else {RUN: float(run), ROUND: float(rounds)}
    replies = exchange.call_group({name: Message(HANDSHAKE, numbers) for name in sorted(agencies)})
    refused, parties = list(failures(replies)), {}
    for name, reply in answers(replies).items():
        cells, width = reply.layers.get(CELLS, {}).get(CELLS), reply.numbers.get(WIDTH, 0.0)
        if not are_cells(cells) or not (width >= 1 and width.is_integer()):
            reason = "its cells are missing or not unique, or its width is no whole number"
            refused.append(Failure(name, reason))
        elif widths and width != widths.get(name, width):
            refused.append(Failure(name, f"its width is {width:g}, in the map {widths[name]}"))
        else:
            parties[name] = FeatureParty(cells, int(width))
    right = "Correct that, or leave them out"
    refuse_failures(refused, "these agencies cannot take part", right)
    return parties


def resume_run(exchange: Exchange, agencies: Sequence[str], *, run: int, rounds: int) -> None:
    """Have each agency that answers resume its newest checkpoint of a run, up to these rounds.

    For agencies that were away in some rounds; those that are still away take part in no block.
    """
    asked = Message(HANDSHAKE, {RUN: float(run), ROUND: float(rounds), OLDER: 1.0})
    exchange.call_group(dict.fromkeys(sorted(agencies), asked))


def are_cells(found: NDArray[Any] | None) -> TypeGuard[Ints]:
    """Whether an agency's cells are: whole numbers, each once, and no more than a city has."""
    if found is None or found.dtype != np.int64 or found.ndim != 1:
        return False
    if not 0 < len(found) <= _MOST_CELLS:
        return False
    return bool(found.min() >= 0) and len(np.unique(found)) == len(found)


def forward_all(
    exchange: Exchange,
    parties: Mapping[str, FeatureParty],
    times_B: Ints,
    number: int = -1,
    best: int | None = None,
) -> tuple[dict[str, DeepBatch], list[Failure]]:
    """Each agency's activations for some origins, and the agencies that failed.

    Args:
        number: of the round; -1: none.
        best: at the end of a round, the best before it (-1: none): agencies snapshot the round.
    """
    numbers = {ROUND: float(number)} if number >= 0 else {}
    numbers |= {} if best is None else {BEST: float(best)}
    asked = Message(FORWARD, numbers, {TIMES: {TIMES: times_B}})  # type: ignore[dict-item]
    replies = exchange.call_group(dict.fromkeys(sorted(parties), asked))
    absent, deep = list(failures(replies)), {}
    for name, reply in answers(replies).items():
        shape = (len(times_B), len(parties[name].cell_C), parties[name].width)
        batch = _deep_batch(reply, shape)
        if isinstance(batch, str):
            absent.append(Failure(name, batch))
        else:
            deep[name] = batch
    return deep, absent


def _deep_batch(reply: Message, shape: tuple[int, int, int]) -> DeepBatch | str:
    """An agency's activations, or why they cannot be used."""
    sent = reply.layers.get(DEEP, {})
    vectors, known = sent.get(VECTORS), sent.get(KNOWN)
    if vectors is None or known is None or vectors.shape != shape or known.shape != shape[:2]:
        return f"its activations have not the shape {shape}"
    if vectors.dtype != np.float32 or known.dtype != np.bool_:
        return f"its activations are {vectors.dtype} and {known.dtype}, not float32 and bool"
    if not np.isfinite(vectors[known]).all():
        return "its activations contain NaN or infinity"
    if np.abs(vectors[known]).max(initial=0) > 1:
        return "its activations lie outside -1..1"
    return DeepBatch(vectors, np.asarray(known, np.bool_))


def train_vertical(
    exchange: Exchange,
    parties: Mapping[str, FeatureParty],
    learner: FusedLearner,
    plan: VerticalPlan,
    after_round: Callable[[int], None] = lambda _: None,
    *,
    begin: Callable[[], History] = History,
    keep: Callable[[History], None] = lambda _: None,
) -> History:
    """Train until the plan is done; learner and agencies then have the weights of the best round.

    Args:
        begin: restores learner and ledger from a checkpoint, and returns the history; called
            after the activations of one-shot mode were sent again. The agencies restored
            their own checkpoints at the handshake.
        keep: called with the history after each round, to write a checkpoint.

    Raises:
        ValueError: if the plan's origins are not the learner's.
    """
    _check(plan, learner)
    once, absent = _forward_once(exchange, parties, plan)
    history = begin()
    absent = [] if history.errors else absent  # resumed: in the first round's history already
    for number in range(len(history.errors), plan.rounds):
        failed = list(absent)
        if once is not None:
            train, validation = once
            rows = np.arange(len(plan.train_times))
            learner.steps(rows, train, number * plan.local_steps, plan.local_steps, plan.seed)
        else:
            failed += _round(exchange, parties, learner, plan, number)
            validation, missing = forward_all(
                exchange, parties, plan.validation_times, number, history.best
            )
            failed += missing
        error = learner.evaluate(validation)
        history = replace(
            history,
            errors=(*history.errors, error),
            failures=(*history.failures, tuple(failed)),
        )
        absent = []
        keep(history)
        after_round(number + 1)
    learner.keep_best()
    if once is None and history.best >= 0:
        lost = _restore(exchange, parties, history.best)
        last = (*history.failures[-1], *lost)
        history = replace(history, failures=(*history.failures[:-1], last))
    return history


def _check(plan: VerticalPlan, learner: FusedLearner) -> None:
    planned = (len(plan.train_times), len(plan.validation_times))
    held = (len(learner.train), len(learner.validation))
    if planned != held:
        raise ValueError(
            f"the plan has {planned} training and validation origins, the learner {held}"
        )


def _restore(exchange: Exchange, parties: Mapping[str, FeatureParty], number: int) -> list[Failure]:
    """Have agencies restore the learner's best round, so that their activations match it."""
    asked = Message(RESTORE, {ROUND: float(number)})
    return list(failures(exchange.call_group(dict.fromkeys(sorted(parties), asked))))


def _forward_once(
    exchange: Exchange, parties: Mapping[str, FeatureParty], plan: VerticalPlan
) -> tuple[tuple[DeepBatches, DeepBatches] | None, list[Failure]]:
    """One-shot mode: activations of the training and validation spans, requested once."""
    if plan.mode is not Mode.ONE_SHOT:
        return None, []
    every = np.concatenate([plan.train_times, plan.validation_times])
    deep, absent = forward_all(exchange, parties, every)
    cut, last = len(plan.train_times), len(every)
    parts = [np.arange(cut), np.arange(cut, last)]
    train, validation = ({n: batch.of(rows) for n, batch in deep.items()} for rows in parts)
    return (train, validation), absent


def _round(
    exchange: Exchange,
    parties: Mapping[str, FeatureParty],
    learner: FusedLearner,
    plan: VerticalPlan,
    number: int,
) -> list[Failure]:
    """One block of local steps and one gradient message; or as many blocks of one step."""
    rng = np.random.default_rng(party_seed(plan.seed, _SEED_LABEL, number))
    blocks, steps = (1, plan.local_steps) if plan.mode is Mode.BLOCK else (plan.local_steps, 1)
    size = max(1, learner.settings.batch_size // learner.train.baseline_BNH.shape[1])
    origins = len(plan.train_times)
    failed: list[Failure] = []
    for block in range(blocks):
        rows = np.sort(rng.permutation(origins)[: min(origins, size * steps)])
        deep, absent = forward_all(exchange, parties, plan.train_times[rows], number)
        first = number * plan.local_steps + block * steps
        learner.steps(rows, deep, first, steps, plan.seed)
        failed += absent + _send_gradients(
            exchange, learner.gradients(rows, deep), number, steps, learner.rate(first)
        )
    return failed


def _send_gradients(
    exchange: Exchange, gradients: Mapping[str, Floats], number: int, steps: int, rate: float
) -> list[Failure]:
    numbers = {ROUND: float(number), STEPS: float(steps), RATE: rate}
    messages = {
        name: Message(BACKWARD, numbers, {GRADIENTS: {VECTORS: gradient}})
        for name, gradient in gradients.items()
    }
    return list(failures(exchange.call_group(messages)))


def package_encoders(
    exchange: Exchange, agencies: Sequence[str], grid: TimeGrid
) -> dict[str, tuple[str, int, TimeGrid]]:
    """Have each agency write its encoder into its own folder.

    Args:
        grid: the times at which the application needs activations.

    Returns:
        agency -> version of its encoder (16 hex digits), the step of its own rows in seconds, and
        the times at which it encodes.

    Raises:
        ExchangeError: if an agency cannot; names each and its reason.
    """
    numbers = {STEP_S: float(grid.step_s), PHASE_S: float(grid.phase_s)}
    replies = exchange.call_group({name: Message(PACKAGE, numbers) for name in sorted(agencies)})
    right = "Correct that, then run again"
    refuse_failures(failures(replies), "these agencies wrote no encoder package", right)
    return {
        name: (
            reply.layers[VERSION][VERSION].tobytes().hex(),
            int(reply.numbers[STEP_S]),
            grid.slowed(_cadence_s(reply)),
        )
        for name, reply in answers(replies).items()
    }


def _cadence_s(reply: Message) -> int:
    """The cadence that an agency names; one that is none counts as 0."""
    found = reply.numbers.get(CADENCE_S, 0.0)
    return int(found) if 0 <= found <= _LONGEST_CADENCE_S else 0


@dataclass(frozen=True)
class RemoteLabels:
    """Labels that stay with the agency that measured them; see `deepcity.learning.split.labels`."""

    exchange: Exchange
    label_party: str

    def gradient(self, rows_B: Ints, forecast_BNH: Floats) -> Floats:
        """Ask the label party for the gradient, (B, N, H).

        Raises:
            ExchangeError: if it does not answer, or with another shape.
        """
        brought = {FORECAST: {FORECAST: forecast_BNH}, ROWS: {ROWS: rows_B}}
        reply = self.exchange.call(self.label_party, Message(LOSS, {}, brought))  # type: ignore[arg-type]
        found = reply.layers.get(GRADIENTS, {}).get(FORECAST)
        if found is None or found.shape != forecast_BNH.shape or not np.isfinite(found).all():
            raise ExchangeError(
                f"{self.label_party} returned no finite gradient of the forecast's shape "
                f"{forecast_BNH.shape}"
            )
        return found

    def error(self, forecast_BNH: Floats) -> float:
        """Ask the label party for the validation loss.

        Raises:
            ExchangeError: if it does not answer with a number.
        """
        reply = self.exchange.call(
            self.label_party, Message(LOSS, {}, {FORECAST: {FORECAST: forecast_BNH}})
        )
        if ERROR not in reply.numbers:
            raise ExchangeError(f"{self.label_party} returned no validation loss")
        return reply.numbers[ERROR]
