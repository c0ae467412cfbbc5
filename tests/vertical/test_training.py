"""Vertical training of a small city: three modes, labels kept apart, and what the wire carries."""

from dataclasses import replace

import numpy as np
import pytest
from vertical_rounds import BRIEF, NAMES, TOWN, brief, train_once
from vertical_town import (
    APPLICATION,
    PLACES,
    QUICK,
    SERVICE,
    agencies,
    application,
    exchange_of,
    parties,
    plan,
)

from deepcity.city.errors import ExchangeError, GrantError
from deepcity.exchange.exchange import Exchange
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message
from deepcity.learning.split.labels import HeldLabels
from deepcity.maps.vertical_settings import Mode
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.vertical.training import RemoteLabels, handshake, train_vertical


@pytest.fixture(scope="module")
def alone():
    learner = application(TOWN, ())
    for number in range(QUICK.rounds):
        first = number * QUICK.local_steps
        learner.steps(np.arange(len(learner.train)), {}, first, QUICK.local_steps, 0)
        learner.evaluate({})
    return learner.best


@pytest.fixture(scope="module")
def held():
    return {mode: train_once(mode, taught=60) for mode in Mode}


@pytest.mark.parametrize("mode", Mode)
def test_meeting_beats_learning_alone_where_another_knows_what_drives_it(mode, held, alone):
    assert not any(held[mode].history.failures)
    assert held[mode].learner.best < 0.95 * alone
    assert held[mode].error(without=["office"]) > 1.05 * held[mode].learner.best


@pytest.mark.parametrize("mode", Mode)
def test_the_kept_state_forecasts_as_at_its_best_round(mode, held):
    """Application and agencies stand at the same round, not one at its best, others at the end."""
    assert held[mode].learner.best == min(held[mode].history.errors)
    assert held[mode].error() == pytest.approx(held[mode].learner.best, rel=1e-6)


def test_agencies_return_to_the_best_round_though_later_ones_moved_them():
    encoders = agencies(TOWN, ["office"], taught=0)
    exchange = exchange_of(parties(encoders))
    parties_asked = handshake(exchange, ["office"])
    learner, kept, moved = application(TOWN, ["office"], settings=BRIEF), {}, []
    learner.evaluate = worsening(learner)

    def after_round(number):
        kept[number] = encoders["office"].export(["stem"])["stem"]["weight"]

    train_vertical(
        exchange, parties_asked, learner, plan(TOWN, "block-wise", settings=BRIEF), after_round
    )
    moved = [not np.array_equal(kept[number], kept[1]) for number in (2, 3)]
    assert moved == [True, True]
    stands = encoders["office"].export(["stem"])["stem"]["weight"]
    np.testing.assert_array_equal(stands, kept[1])


def worsening(learner):
    """The first round is the best, whatever is said."""
    errors = iter([1.0, 2.0, 3.0])

    def evaluate(_deep):
        error = next(errors)
        learner.best = min(learner.best, error)
        return error

    return evaluate


def test_one_shot_asks_each_agency_to_encode_once(held):
    assert held[Mode.ONE_SHOT].asked == {"office": ("handshake", "forward")}


def test_block_wise_sends_ten_times_fewer_messages_than_per_batch():
    """At equal optimizer steps of the application."""
    settings = QUICK.model_copy(update={"rounds": 1, "local_steps": 30, "batch_size": 8})
    asked = {
        mode: len(train_once(mode, settings=settings).asked["office"])
        for mode in ("block-wise", "per-batch")
    }
    assert asked["block-wise"] * 10 <= asked["per-batch"]


@pytest.mark.parametrize("mode", Mode)
def test_equal_seeds_meet_equally_and_others_do_not(mode):
    one, same, other = (brief(mode, taught=2, seed=seed, agency_dropout=0.3) for seed in (3, 3, 4))
    assert one.history == same.history
    assert one.exchange.ledger.snapshot() == same.exchange.ledger.snapshot()
    for name in NAMES:
        left, right = (each.encoders[name].export(["stem"])["stem"] for each in (one, same))
        np.testing.assert_array_equal(left["weight"], right["weight"])
    assert one.history.errors != other.history.errors


@pytest.mark.parametrize("mode", Mode)
def test_only_known_groups_pass_and_no_rows_do(mode):
    trained = brief(mode)
    groups = {row[4] for row in trained.exchange.ledger.snapshot()}
    expected = {"cells", "times", "deep", "header"} | (
        {"gradients"} if mode != "one-shot" else set()
    )
    assert groups == expected
    left = trained.exchange.ledger.sent_by_layer()
    assert set(left) == {"cells", "deep", "header"}
    cells, numbers = len(PLACES), 2 * 4 + 1  # two floats and a bool for a cell and a time
    assert left["deep"] % (cells * numbers) == 0


def test_a_plan_of_other_origins_is_refused():
    learner, whole = application(TOWN, ()), plan(TOWN, "one-shot")
    with pytest.raises(ValueError, match="the plan has"):
        train_vertical(
            exchange_of({}), {}, learner, replace(whole, train_times=whole.train_times[1:])
        )


def test_without_any_agency_an_application_learns_alone():
    learner = application(TOWN, (), settings=BRIEF)
    history = train_vertical(exchange_of({}), {}, learner, plan(TOWN, "per-batch", settings=BRIEF))
    assert len(history.errors) == BRIEF.rounds


@pytest.mark.parametrize("mode", ["one-shot", "per-batch"])
def test_labels_may_stay_at_the_agency_that_measured_them(mode):
    """An application with no rows of its own, which never sees a truth, learns all the same."""
    train, validation = TOWN.samples(TOWN.train_rows), TOWN.samples(TOWN.validation_rows)
    kept = HeldLabels(train, validation, 0.5, TOWN.inputs.ridge_skip_HS)
    encoders = agencies(TOWN, NAMES, taught=60)
    handlers = parties(encoders, mill=kept)
    exchange = InProcessExchange(handlers, ledger=Ledger())
    parties_asked = handshake(exchange, NAMES)
    labels = RemoteLabels(exchange, "mill")
    learner = application(TOWN, NAMES, own=False, labels=labels)
    learner.train, learner.validation = (without_truth(part) for part in (train, validation))
    nothing = kept.error(np.zeros_like(validation.baseline_BNH))
    history = train_vertical(exchange, parties_asked, learner, plan(TOWN, mode))
    assert not any(history.failures)
    assert learner.best < 0.95 * nothing
    groups = {row[4] for row in exchange.ledger.snapshot() if row[1] == "loss"}
    assert groups == {"forecast", "rows", "gradients", "header"}


def without_truth(samples):
    return replace(
        samples,
        features_BNF=np.zeros_like(samples.features_BNF),
        linear_BNHS=np.zeros_like(samples.linear_BNHS),
        baseline_BNH=np.zeros_like(samples.baseline_BNH),
        truth_BNH=np.full_like(samples.truth_BNH, np.nan),
        scale_N1=np.ones_like(samples.scale_N1),
    )


def test_a_keeper_of_labels_that_answers_nonsense_is_refused():
    class Nonsense:
        def handle(self, message: Message, caller: str) -> Message:
            return Message("loss", {}, {"gradients": {"forecast": np.zeros((1, 1, 1), np.float32)}})

    labels: RemoteLabels = RemoteLabels(_exchange_to(Nonsense()), "label_party")
    with pytest.raises(ExchangeError, match="no finite gradient"):
        labels.gradient(np.arange(2), np.zeros((2, 2, 1), np.float32))
    with pytest.raises(ExchangeError, match="no validation loss"):
        labels.error(np.zeros((2, 2, 1), np.float32))


def _exchange_to(handler) -> Exchange:
    return exchange_of({"label_party": handler})


def test_grants_are_asked_before_every_answer():
    """One that is withdrawn in the middle of a meeting silences its agency from then on."""
    encoders = agencies(TOWN, NAMES, taught=0)
    handlers = parties(encoders)
    exchange = exchange_of(handlers)
    parties_asked = handshake(exchange, NAMES)

    def withdraw(number):
        if number == 1:
            handlers["mill"].grant = DeepGrant(agency="mill", service=SERVICE, widest=1)

    learner = application(TOWN, NAMES, settings=BRIEF)
    history = train_vertical(
        exchange, parties_asked, learner, plan(TOWN, "block-wise", settings=BRIEF), withdraw
    )
    assert [{f.party for f in failed} for failed in history.failures] == [set(), {"mill"}, {"mill"}]
    with pytest.raises(GrantError, match="2 numbers are more than 1"):
        handlers["mill"].handle(Message("forward"), APPLICATION)
