"""An asynchronous training that is killed anywhere goes on, and ends as if it had not been."""

from dataclasses import dataclass, replace
from functools import partial

import pytest
from test_coordinator import LEVELS, NAME, Killed, learners, plan, same

from deepcity.city.errors import CheckpointError
from deepcity.exchange.asynchronous.buffered_fusion import BufferedFusion
from deepcity.exchange.asynchronous.pending_calls import SimulatedCalls
from deepcity.exchange.coordinator import Coordinator
from deepcity.exchange.exchange import PausedError
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import ROUND
from deepcity.exchange.party import COLLECT, TRAIN, LearningParty
from deepcity.learning.training.learner import EVERY_LAYER
from deepcity.store.checkpoint import CheckpointStore

SECONDS = {"c": 3.2}
ROUNDS = 8


@dataclass
class Dying:
    """Ends the process after so many answers to ``train``, which are saved and never leave."""

    inner: LearningParty
    name: str
    count: list
    log: list
    kill_at: int | None

    def handle(self, message, caller):
        answer = self.inner.handle(message, caller)
        if message.verb in {TRAIN, COLLECT}:
            self.log.append((message.verb, self.name, int(message.numbers[ROUND])))
        if message.verb == TRAIN:
            self.count.append(self.name)
            if len(self.count) == self.kill_at:
                raise Killed
        return answer


class Run:
    """A training kept in a folder; learners, what was asked, and what was found."""

    def __init__(
        self,
        folder,
        *,
        answer=None,
        fusion=None,
        trained=None,
        pause=None,
        homes=None,
        log=None,
    ):
        self.learners, self.log, self.saves = learners(), [] if log is None else log, 0
        homes = homes or {}
        count = []
        sites = {}
        for name, one in self.learners.items():
            store = CheckpointStore(homes.get(name, folder / name))
            inner = LearningParty(one, LEVELS[name], False, store, NAME)
            sites[name] = Dying(inner, name, count, self.log, trained)
        ledger = Ledger()
        exchange = InProcessExchange(sites, ledger=ledger)
        store = CheckpointStore(folder / "coordinator")
        self.coordinator = Coordinator(
            exchange, ledger, store, calls=lambda one, now: SimulatedCalls(one, SECONDS, now)
        )
        if answer is not None:
            kept = self.coordinator._keep
            object.__setattr__(self.coordinator, "_keep", partial(self._killing, kept, answer))

        def after(done):
            if done == fusion:
                raise Killed
            if done == pause:
                raise PausedError("enough for now")

        going = replace(plan(), rounds=ROUNDS, asynchronous=BufferedFusion(2))
        self.training = self.coordinator.train(NAME, going, after)

    def _killing(self, kept, answer, *arguments):
        kept(*arguments)
        self.saves += 1
        if self.saves == answer:
            raise Killed


def rounds_in(log):
    """The versions that parties trained."""
    return [(name, number) for verb, name, number in log if verb == TRAIN]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("whole"))


def assert_same_end(one, other):
    for name, learner in one.learners.items():
        assert same(learner.export(EVERY_LAYER), other.learners[name].export(EVERY_LAYER))
    first, second = one.training.progress, other.training.progress
    assert same(first.state.layers, second.state.layers)
    assert first.errors == second.errors
    assert first.trained == second.trained
    assert first.asynchronous == second.asynchronous
    assert not any(first.failures + second.failures)


@pytest.mark.parametrize(
    ("what", "number"),
    [("answer", 1), ("answer", 2), ("answer", 9), ("fusion", 1), ("fusion", 5), ("fusion", ROUNDS)],
)
def test_a_killed_coordinator_goes_on_to_the_same_end(whole, tmp_path, what, number):
    with pytest.raises(Killed):
        Run(tmp_path, **{what: number})
    assert_same_end(whole, Run(tmp_path))


@pytest.mark.parametrize("trained", [4, 5, 9, 12])
def test_what_was_trained_and_not_received_is_collected_and_not_trained_again(
    whole, tmp_path, trained
):
    log = []
    with pytest.raises(Killed):
        Run(tmp_path, trained=trained, log=log)
    again = Run(tmp_path)
    assert_same_end(whole, again)
    assert sorted(rounds_in(log + again.log)) == sorted(rounds_in(whole.log))
    assert any(verb == COLLECT for verb, _, _ in again.log)


def test_a_pause_keeps_what_is_under_way(whole, tmp_path):
    """As where a lease is over: all that were at work are waited for, and nothing is lost."""
    log = []
    with pytest.raises(PausedError):
        Run(tmp_path, pause=2, log=log)
    kept = CheckpointStore(tmp_path / "coordinator").load_latest(NAME).values["asynchronous"]
    assert kept["awaited"] == {}
    assert kept["buffer"] == {"c": 0}
    again = Run(tmp_path)
    assert not any(verb == COLLECT for verb, _, _ in again.log)
    rounds = rounds_in(log + again.log)
    assert len(set(rounds)) == len(rounds)
    assert again.training.progress.round == ROUNDS


def test_a_coordinator_with_an_older_checkpoint_goes_on(whole, tmp_path):
    with pytest.raises(Killed):
        Run(tmp_path, fusion=5)
    (tmp_path / "coordinator" / f"{NAME}.000005.checkpoint").unlink()
    again = Run(tmp_path)
    assert_same_end(whole, again)


def test_a_site_without_its_folder_is_named(tmp_path):
    with pytest.raises(Killed):
        Run(tmp_path, fusion=5)
    with pytest.raises(CheckpointError, match="b kept round 0, but trained in round 5"):
        Run(tmp_path, homes={"b": tmp_path / "elsewhere"})
