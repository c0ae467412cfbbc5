"""A meeting: an application and the agencies of a city learn at a hidden layer.

One protocol, three modes, which differ only in when slopes return to the agencies:

    one-shot    never: each agency teaches itself and says its deep data once
                (one-shot vertical federated learning: Sun et al. 2023)
    block-wise  after a block of local steps, which the agencies then follow for as many steps
                of their own (FedBCD: Liu et al. 2022)
    per-batch   after every batch (split learning: Vepakomma et al. 2018); the reference

An agency that fails, or says what cannot be used, is silent for that stretch; the others and
the application go on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import ExchangeError
from deepcity.exchange.agency_party import (
    BEST,
    CELLS,
    DEEP,
    ENCODE,
    ERROR,
    JUDGE,
    KNOWN,
    LEARN,
    MEET,
    PACKAGE,
    PHASE_S,
    RATE,
    RETURN,
    ROWS,
    RUN,
    SAID,
    SLOPES,
    STEP_S,
    STEPS,
    TIMES,
    VECTORS,
    VERSION,
    WIDTH,
)
from deepcity.exchange.exchange import Exchange, Failure, answers, failures
from deepcity.exchange.message import ROUND, Message
from deepcity.learning.encoder_package import TimeGrid
from deepcity.learning.fused_learner import FusedLearner
from deepcity.learning.hearing import Deep, DeepBatch
from deepcity.learning.training import party_seed


class Mode(StrEnum):
    """When slopes return to the agencies."""

    ONE_SHOT = "one-shot"
    BLOCK = "block-wise"
    BATCH = "per-batch"


@dataclass(frozen=True)
class Guest:
    """What an agency said of itself when it was asked in.

    Attributes:
        cell_C: its cells.
        width: of its deep data.
    """

    cell_C: Ints
    width: int


@dataclass(frozen=True)
class Plan:
    """How a meeting learns.

    Attributes:
        mode: when slopes return.
        rounds: times the application looks at its validation span.
        local_steps: optimizer steps between two looks.
        train_times, validation_times: origins, UTC seconds, as in the learner's samples.
    """

    mode: Mode
    rounds: int
    local_steps: int
    train_times: Ints
    validation_times: Ints
    seed: int = 0


@dataclass(frozen=True)
class Minutes:
    """What came of a meeting.

    Attributes:
        errors: validation error after each round.
        failures: who was silent, and why, by round.
    """

    errors: tuple[float, ...] = ()
    failures: tuple[tuple[Failure, ...], ...] = field(default=())

    @property
    def best(self) -> int:
        """The round with the lowest error, the first of several; -1 before any."""
        known = [error for error in self.errors if error < float("inf")]
        return self.errors.index(min(known)) if known else -1


def ask_in(
    exchange: Exchange, agencies: Sequence[str], *, run: int | None = None, rounds: int = 0
) -> dict[str, Guest]:
    """Ask each agency for its cells and the width of its deep data.

    Args:
        run: which it begins with its pretrained encoder; left out, it goes on as it stands.
        rounds: of this run that are done: it goes on from its own checkpoint of the last.

    Raises:
        ExchangeError: if one cannot come; names each and its reason.
    """
    numbers = {} if run is None else {RUN: float(run), ROUND: float(rounds)}
    replies = exchange.call_group({name: Message(MEET, numbers) for name in sorted(agencies)})
    refused, guests = list(failures(replies)), {}
    for name, reply in answers(replies).items():
        cells, width = reply.layers.get(CELLS, {}).get(CELLS), reply.numbers.get(WIDTH, 0.0)
        if not _are_cells(cells) or not (width >= 1 and width.is_integer()):
            refused.append(Failure(name, "it named no cells, each once, or no width"))
        else:
            guests[name] = Guest(cells, int(width))
    if refused:
        reasons = "; ".join(f"{failure.party}: {failure.reason}" for failure in refused)
        msg = f"these agencies cannot meet: {reasons}. Mend them, or leave them out"
        raise ExchangeError(msg)
    return guests


def _are_cells(found: NDArray[Any] | None) -> TypeGuard[Ints]:
    if found is None or found.dtype != np.int64 or found.ndim != 1 or not len(found):
        return False
    return bool(found.min() >= 0) and len(np.unique(found)) == len(found)


def hear(
    exchange: Exchange,
    guests: Mapping[str, Guest],
    times_B: Ints,
    number: int = -1,
    best: int | None = None,
) -> tuple[dict[str, DeepBatch], list[Failure]]:
    """Each agency's activations for some origins, and who could not send them.

    Args:
        number: of the round; -1: none.
        best: at the end of a round, the best before it (-1: none): agencies snapshot the round.
    """
    numbers = {ROUND: float(number)} if number >= 0 else {}
    numbers |= {} if best is None else {BEST: float(best)}
    asked = Message(ENCODE, numbers, {TIMES: {TIMES: times_B}})  # type: ignore[dict-item]
    replies = exchange.call_group(dict.fromkeys(sorted(guests), asked))
    silent, deep = list(failures(replies)), {}
    for name, reply in answers(replies).items():
        shape = (len(times_B), len(guests[name].cell_C), guests[name].width)
        said = _deep_batch(reply, shape)
        if isinstance(said, str):
            silent.append(Failure(name, said))
        else:
            deep[name] = said
    return deep, silent


def _deep_batch(reply: Message, shape: tuple[int, int, int]) -> DeepBatch | str:
    """What an agency said, or why it cannot be used: one agency must not spoil the others'."""
    said = reply.layers.get(DEEP, {})
    vectors, known = said.get(VECTORS), said.get(KNOWN)
    if vectors is None or known is None or vectors.shape != shape or known.shape != shape[:2]:
        return f"its deep data has not the shape {shape}"
    if vectors.dtype != np.float32 or known.dtype != np.bool_:
        return f"its deep data is {vectors.dtype} and {known.dtype}, not float32 and bool"
    if not np.isfinite(vectors[known]).all():
        return "its deep data holds NaN or infinity"
    if np.abs(vectors[known]).max(initial=0) > 1:
        return "its deep data lies outside -1..1"
    return DeepBatch(vectors, np.asarray(known, np.bool_))


def meet(
    exchange: Exchange,
    guests: Mapping[str, Guest],
    learner: FusedLearner,
    plan: Plan,
    after_round: Callable[[int], None] = lambda _: None,
    *,
    begin: Callable[[], Minutes] = Minutes,
    keep: Callable[[Minutes], None] = lambda _: None,
) -> Minutes:
    """Learn until the plan is done; learner and agencies then stand where the best round ended.

    Args:
        begin: puts learner and ledger back where earlier rounds left them, and gives their
            minutes; asked when all that is sent once has been sent again. Agencies went back
            by themselves when they were asked in.
        keep: told the minutes after each round, for a checkpoint.

    Raises:
        ValueError: if the plan's origins are not the learner's.
    """
    _check(plan, learner)
    once, silent = _hear_once(exchange, guests, plan)
    minutes = begin()
    silent = [] if minutes.errors else silent  # told in the first round's minutes already
    for number in range(len(minutes.errors), plan.rounds):
        failed = list(silent)
        if once is not None:
            train, looked = once
            rows = np.arange(len(plan.train_times))
            learner.steps(rows, train, number * plan.local_steps, plan.local_steps, plan.seed)
        else:
            failed += _round(exchange, guests, learner, plan, number)
            looked, missing = hear(exchange, guests, plan.validation_times, number, minutes.best)
            failed += missing
        error = learner.look(looked)
        minutes = replace(
            minutes,
            errors=(*minutes.errors, error),
            failures=(*minutes.failures, tuple(failed)),
        )
        silent = []
        keep(minutes)
        after_round(number + 1)
    learner.keep_best()
    if once is None and minutes.best >= 0:
        lost = _return(exchange, guests, minutes.best)
        last = (*minutes.failures[-1], *lost)
        minutes = replace(minutes, failures=(*minutes.failures[:-1], last))
    return minutes


def _check(plan: Plan, learner: FusedLearner) -> None:
    planned = (len(plan.train_times), len(plan.validation_times))
    held = (len(learner.train), len(learner.validation))
    if planned != held:
        msg = f"the plan has {planned} training and validation origins, the learner {held}"
        raise ValueError(msg)


def _return(exchange: Exchange, guests: Mapping[str, Guest], number: int) -> list[Failure]:
    """The learner is at its best round: what agencies say must be what it heard then."""
    asked = Message(RETURN, {ROUND: float(number)})
    return list(failures(exchange.call_group(dict.fromkeys(sorted(guests), asked))))


def _hear_once(
    exchange: Exchange, guests: Mapping[str, Guest], plan: Plan
) -> tuple[tuple[Deep, Deep] | None, list[Failure]]:
    """One-shot: all deep data of the training and validation spans, said once."""
    if plan.mode is not Mode.ONE_SHOT:
        return None, []
    every = np.concatenate([plan.train_times, plan.validation_times])
    deep, silent = hear(exchange, guests, every)
    cut, last = len(plan.train_times), len(every)
    parts = [np.arange(cut), np.arange(cut, last)]
    train, validation = ({n: said.of(rows) for n, said in deep.items()} for rows in parts)
    return (train, validation), silent


def _round(
    exchange: Exchange, guests: Mapping[str, Guest], learner: FusedLearner, plan: Plan, number: int
) -> list[Failure]:
    """One block of local steps and one message of slopes; or as many blocks of one step."""
    rng = np.random.default_rng(party_seed(plan.seed, "meeting", number))
    blocks, steps = (1, plan.local_steps) if plan.mode is Mode.BLOCK else (plan.local_steps, 1)
    size = max(1, learner.settings.batch_rows // learner.train.anchor_BNH.shape[1])
    origins = len(plan.train_times)
    failed: list[Failure] = []
    for block in range(blocks):
        rows = np.sort(rng.permutation(origins)[: min(origins, size * steps)])
        deep, silent = hear(exchange, guests, plan.train_times[rows], number)
        first = number * plan.local_steps + block * steps
        learner.steps(rows, deep, first, steps, plan.seed)
        failed += silent + _tell(
            exchange, learner.slopes(rows, deep), number, steps, learner.rate(first)
        )
    return failed


def _tell(
    exchange: Exchange, slopes: Mapping[str, Floats], number: int, steps: int, rate: float
) -> list[Failure]:
    numbers = {ROUND: float(number), STEPS: float(steps), RATE: rate}
    messages = {
        name: Message(LEARN, numbers, {SLOPES: {VECTORS: slope}}) for name, slope in slopes.items()
    }
    return list(failures(exchange.call_group(messages)))


def package_encoders(
    exchange: Exchange, agencies: Sequence[str], grid: TimeGrid
) -> dict[str, tuple[str, int]]:
    """Have each agency write its encoder into its own folder.

    Args:
        grid: the times at which the application will ask for activations.

    Returns:
        agency -> version of its encoder (16 hex digits), and the step of its own rows in seconds.

    Raises:
        ExchangeError: if one cannot; names each and its reason.
    """
    numbers = {STEP_S: float(grid.step_s), PHASE_S: float(grid.phase_s)}
    replies = exchange.call_group({name: Message(PACKAGE, numbers) for name in sorted(agencies)})
    if refused := failures(replies):
        reasons = "; ".join(f"{failure.party}: {failure.reason}" for failure in refused)
        msg = f"no encoder package from these agencies: {reasons}. Correct it, then run again"
        raise ExchangeError(msg)
    return {
        name: (reply.layers[VERSION][VERSION].tobytes().hex(), int(reply.numbers[STEP_S]))
        for name, reply in answers(replies).items()
    }


@dataclass(frozen=True)
class RemoteLabels:
    """Labels that stay with the agency that measured them; see `deepcity.learning.labels`."""

    exchange: Exchange
    keeper: str

    def slope(self, rows_B: Ints, said_BNH: Floats) -> Floats:
        """Ask the keeper.

        Raises:
            ExchangeError: if it does not answer, or with another shape.
        """
        brought = {SAID: {SAID: said_BNH}, ROWS: {ROWS: rows_B}}
        reply = self.exchange.call(self.keeper, Message(JUDGE, {}, brought))  # type: ignore[arg-type]
        found = reply.layers.get(SLOPES, {}).get(SAID)
        if found is None or found.shape != said_BNH.shape or not np.isfinite(found).all():
            msg = f"{self.keeper} judged {said_BNH.shape} with no slope of that shape"
            raise ExchangeError(msg)
        return found

    def error(self, said_BNH: Floats) -> float:
        """Ask the keeper.

        Raises:
            ExchangeError: if it does not answer with a number.
        """
        reply = self.exchange.call(self.keeper, Message(JUDGE, {}, {SAID: {SAID: said_BNH}}))
        if ERROR not in reply.numbers:
            msg = f"{self.keeper} judged with no error"
            raise ExchangeError(msg)
        return reply.numbers[ERROR]
