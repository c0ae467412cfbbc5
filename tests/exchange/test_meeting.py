"""Meetings of a small city: three modes, silent and lying agencies, and what the wire carries."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from meetings import (
    APPLICATION,
    PLACES,
    QUICK,
    SERVICE,
    agencies,
    application,
    exchange_of,
    parties,
    plan,
    town,
)

from deepcity.city.errors import ExchangeError, GrantError
from deepcity.exchange.exchange import Exchange
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.meeting import Mode, RemoteLabels, ask_in, hear, meet
from deepcity.exchange.message import Message
from deepcity.learning.labels import HeldLabels
from deepcity.privacy.deep_grant import DeepGrant

TOWN = town()
BRIEF = QUICK.model_copy(update={"rounds": 3, "local_steps": 2, "batch_rows": 24})
NAMES = ("mill", "office")


@dataclass
class Counting:
    """A handler that counts what it is asked, and fails or lies when told to."""

    inner: object
    asked: list[str] = field(default_factory=list)
    fails: object = lambda count, verb: False
    lies: object = None

    def handle(self, message: Message, caller: str) -> Message:
        self.asked.append(message.verb)
        if self.fails(len(self.asked), message.verb):
            raise ConnectionResetError("the line went dead")
        answer = self.inner.handle(message, caller)
        if self.lies is not None and message.verb == "encode":
            return Message("encode", answer.numbers, self.lies(answer.layers))
        return answer


@dataclass
class Held:
    """A meeting that took place."""

    exchange: InProcessExchange
    guests: dict
    learner: object
    minutes: object
    handlers: dict
    encoders: dict
    asked: dict

    def error(self, without=()):
        """On the validation span, by what agencies say now."""
        times = TOWN.time_T[TOWN.validation_rows]
        deep, failed = hear(self.exchange, self.guests, times)
        assert not failed
        deep = {name: said for name, said in deep.items() if name not in without}
        return self.learner.labels.error(self.learner.say(self.learner.validation, deep))


def hold(mode, names=("office",), *, settings=QUICK, taught=0, seed=0, how=None, **app):
    encoders = agencies(TOWN, names, taught=taught, seed=seed)
    handlers = {
        name: Counting(party, **(how or {}).get(name, {}))
        for name, party in parties(encoders).items()
    }
    exchange = exchange_of(handlers)
    guests = ask_in(exchange, names)
    learner = application(TOWN, names, settings=settings, seed=seed, **app)
    minutes = meet(exchange, guests, learner, plan(TOWN, mode, settings=settings, seed=seed))
    asked = {name: tuple(handler.asked) for name, handler in handlers.items()}
    return Held(exchange, guests, learner, minutes, handlers, encoders, asked)


def brief(mode="block-wise", names=NAMES, **how):
    return hold(mode, names, settings=BRIEF, **how)


@pytest.fixture(scope="module")
def alone():
    learner = application(TOWN, ())
    for number in range(QUICK.rounds):
        first = number * QUICK.local_steps
        learner.steps(np.arange(len(learner.train)), {}, first, QUICK.local_steps, 0)
        learner.look({})
    return learner.best


@pytest.fixture(scope="module")
def held():
    return {mode: hold(mode, taught=60) for mode in Mode}


@pytest.mark.parametrize("mode", Mode)
def test_meeting_beats_learning_alone_where_another_knows_what_drives_it(mode, held, alone):
    assert not any(held[mode].minutes.failures)
    assert held[mode].learner.best < 0.95 * alone
    assert held[mode].error(without=["office"]) > 1.05 * held[mode].learner.best


@pytest.mark.parametrize("mode", Mode)
def test_what_is_kept_says_after_the_meeting_what_it_said_at_its_best(mode, held):
    """Application and agencies stand at the same round, not one at its best, others at the end."""
    assert held[mode].learner.best == min(held[mode].minutes.errors)
    assert held[mode].error() == pytest.approx(held[mode].learner.best, rel=1e-6)


def test_agencies_return_to_the_best_round_though_later_ones_moved_them():
    encoders = agencies(TOWN, ["office"], taught=0)
    exchange = exchange_of(parties(encoders))
    guests = ask_in(exchange, ["office"])
    learner, kept, moved = application(TOWN, ["office"], settings=BRIEF), {}, []
    learner.look = worsening(learner)

    def after_round(number):
        kept[number] = encoders["office"].export(["stem"])["stem"]["weight"]

    meet(exchange, guests, learner, plan(TOWN, "block-wise", settings=BRIEF), after_round)
    moved = [not np.array_equal(kept[number], kept[1]) for number in (2, 3)]
    assert moved == [True, True]
    stands = encoders["office"].export(["stem"])["stem"]["weight"]
    np.testing.assert_array_equal(stands, kept[1])


def worsening(learner):
    """The first round is the best, whatever is said."""
    errors = iter([1.0, 2.0, 3.0])

    def look(_deep):
        error = next(errors)
        learner.best = min(learner.best, error)
        return error

    return look


def test_one_shot_asks_each_agency_to_encode_once(held):
    assert held[Mode.ONE_SHOT].asked == {"office": ("meet", "encode")}


def test_block_wise_sends_ten_times_fewer_messages_than_per_batch():
    """At equal optimizer steps of the application."""
    settings = QUICK.model_copy(update={"rounds": 1, "local_steps": 30, "batch_rows": 8})
    asked = {
        mode: len(hold(mode, settings=settings).asked["office"])
        for mode in ("block-wise", "per-batch")
    }
    assert asked["block-wise"] * 10 <= asked["per-batch"]


@pytest.mark.parametrize("mode", Mode)
def test_equal_seeds_meet_equally_and_others_do_not(mode):
    one, same, other = (brief(mode, taught=2, seed=seed, silence=0.3) for seed in (3, 3, 4))
    assert one.minutes == same.minutes
    assert one.exchange.ledger.snapshot() == same.exchange.ledger.snapshot()
    for name in NAMES:
        left, right = (each.encoders[name].export(["stem"])["stem"] for each in (one, same))
        np.testing.assert_array_equal(left["weight"], right["weight"])
    assert one.minutes.errors != other.minutes.errors


@pytest.mark.parametrize("mode", Mode)
def test_only_known_groups_pass_and_no_rows_do(mode):
    told = brief(mode)
    groups = {row[4] for row in told.exchange.ledger.snapshot()}
    expected = {"cells", "times", "deep", "header"} | ({"slopes"} if mode != "one-shot" else set())
    assert groups == expected
    left = told.exchange.ledger.left_by_layer()
    assert set(left) == {"cells", "deep", "header"}
    cells, numbers = len(PLACES), 2 * 4 + 1  # two floats and a bool for a cell and a time
    assert left["deep"] % (cells * numbers) == 0


def test_an_agency_that_fails_is_silent_for_that_stretch_and_others_go_on():
    """The second round's first question to the mill fails; it is back right after."""
    encodes = []

    def once(count, verb):
        encodes.append(verb)
        return verb == "encode" and encodes.count("encode") == 3  # 2 a round: the second round's

    told = brief(how={"mill": {"fails": once}})
    assert [len(failed) for failed in told.minutes.failures] == [0, 1, 0]
    (failure,) = told.minutes.failures[1]
    assert failure.party == "mill"
    assert "ConnectionResetError" in failure.reason or "went dead" in failure.reason
    assert told.handlers["office"].asked.count("learn") == 3
    assert told.handlers["mill"].asked.count("learn") == 2


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("names", [("office",), NAMES])
def test_an_agency_killed_in_the_middle_does_not_stop_a_meeting(mode, names):
    """From its second call on (asked in, then dead); alone it leaves nobody to be heard."""
    dies = {"office": {"fails": lambda count, _verb: count > 1}}
    told = brief(mode, names, how=dies)
    assert len(told.minutes.errors) == BRIEF.rounds
    assert np.isfinite(told.minutes.errors).all()
    assert {failure.party for failed in told.minutes.failures for failure in failed} == {"office"}
    assert told.minutes.failures[0]


def test_an_agency_killed_while_it_learns_is_told_and_the_rest_learn_on():
    dies = {"office": {"fails": lambda count, _verb: count > 7}}  # the second round's slopes
    told = brief("per-batch", how=dies)
    assert [bool(failed) for failed in told.minutes.failures] == [False, True, True]
    assert told.handlers["mill"].asked.count("learn") == BRIEF.rounds * BRIEF.local_steps


def told_otherwise(change):
    def lie(layers):
        deep = {name: array.copy() for name, array in layers["deep"].items()}
        return {"deep": change(deep)}

    return lie


def first_value(value):
    def change(deep):
        deep["vectors"][0, 0, 0] = value
        deep["known"][0, 0] = True
        return deep

    return change


LIES = {
    "NaN": (first_value(np.nan), "NaN or infinity"),
    "infinity": (first_value(-np.inf), "NaN or infinity"),
    "beyond what an encoder says": (first_value(1e30), "outside -1..1"),
    "fewer origins": (lambda deep: {k: v[1:] for k, v in deep.items()}, "shape"),
    "another width": (lambda deep: {**deep, "vectors": deep["vectors"][..., :1]}, "shape"),
    "another cell": (lambda deep: {k: v[:, :1] for k, v in deep.items()}, "shape"),
    "nothing known": (lambda deep: {"vectors": deep["vectors"]}, "shape"),
    "no vectors": (lambda _deep: {}, "shape"),
    "doubles": (lambda deep: {**deep, "vectors": deep["vectors"].astype(float)}, "float64"),
    "integers": (lambda deep: {**deep, "vectors": deep["vectors"].astype(np.int64)}, "int64"),
    "numbers for known": (lambda deep: {**deep, "known": deep["known"].astype(float)}, "float64"),
}


@pytest.mark.parametrize("lie", LIES)
def test_deep_data_that_cannot_be_used_is_refused_and_others_are_heard(lie):
    change, reason = LIES[lie]
    encoders = agencies(TOWN, NAMES, taught=0)
    handlers = parties(encoders)
    handlers["mill"] = Counting(handlers["mill"], lies=told_otherwise(change))
    exchange = exchange_of(handlers)
    deep, failed = hear(exchange, ask_in(exchange, NAMES), TOWN.time_T[50:60])
    assert set(deep) == {"office"}
    assert [failure.party for failure in failed] == ["mill"]
    assert reason in failed[0].reason


def test_an_agency_that_lies_all_along_spoils_no_others_learning():
    lies = {"mill": {"lies": told_otherwise(first_value(1e30))}}
    spoilt, clean = brief(how=lies), brief(names=NAMES, how={"mill": {"fails": _encodes}})
    assert spoilt.minutes.errors == clean.minutes.errors
    assert all(failed for failed in spoilt.minutes.failures)


def _encodes(_count, verb):
    return verb == "encode"


@dataclass
class SaysOfItself:
    """An agency that answers `meet` with anything."""

    width: float
    cells: object

    def handle(self, message: Message, caller: str) -> Message:
        layers = {} if self.cells is None else {"cells": {"cells": self.cells}}
        return Message("meet", {"width": self.width}, layers)


@pytest.mark.parametrize(
    ("width", "cells"),
    [
        (2.0, None),
        (2.0, np.zeros(0, np.int64)),
        (2.0, np.zeros((1, 1), np.int64)),
        (2.0, np.array([1.5, np.nan])),
        (2.0, np.array([-1])),
        (2.0, np.array([4, 4])),
        (0.0, np.array([4])),
        (1.5, np.array([4])),
        (np.nan, np.array([4])),
        (np.inf, np.array([4])),
    ],
)
def test_who_names_no_cells_or_no_width_cannot_come(width, cells):
    exchange = exchange_of({"ghost": SaysOfItself(width, cells)})
    with pytest.raises(ExchangeError, match="ghost: it named no cells"):
        ask_in(exchange, ["ghost"])


def test_all_who_cannot_come_are_named_at_once():
    handlers = parties(agencies(TOWN, NAMES, taught=0))
    for handler in handlers.values():
        handler.service = "espionage"
    with pytest.raises(ExchangeError) as refused:
        ask_in(exchange_of(handlers), [*NAMES, "nobody"])
    for part in ("mill", "office", "nobody", "espionage", "leave them out"):
        assert part in str(refused.value)


def test_a_plan_of_other_origins_is_refused():
    learner, whole = application(TOWN, ()), plan(TOWN, "one-shot")
    with pytest.raises(ValueError, match="the plan has"):
        meet(exchange_of({}), {}, learner, replace(whole, train_times=whole.train_times[1:]))


def test_without_any_agency_an_application_learns_alone():
    learner = application(TOWN, (), settings=BRIEF)
    minutes = meet(exchange_of({}), {}, learner, plan(TOWN, "per-batch", settings=BRIEF))
    assert len(minutes.errors) == BRIEF.rounds


@pytest.mark.parametrize("mode", ["one-shot", "per-batch"])
def test_labels_may_stay_at_the_agency_that_measured_them(mode):
    """An application with no rows of its own, which never sees a truth, learns all the same."""
    train, validation = TOWN.samples(TOWN.train_rows), TOWN.samples(TOWN.validation_rows)
    kept = HeldLabels(train, validation, 0.5, TOWN.inputs.recall_HS)
    encoders = agencies(TOWN, NAMES, taught=60)
    handlers = parties(encoders, mill=kept)
    exchange = InProcessExchange(handlers, ledger=Ledger())
    guests = ask_in(exchange, NAMES)
    labels = RemoteLabels(exchange, "mill")
    learner = application(TOWN, NAMES, own=False, labels=labels)
    learner.train, learner.validation = (without_truth(part) for part in (train, validation))
    nothing = kept.error(np.zeros_like(validation.anchor_BNH))
    minutes = meet(exchange, guests, learner, plan(TOWN, mode))
    assert not any(minutes.failures)
    assert learner.best < 0.95 * nothing
    groups = {row[4] for row in exchange.ledger.snapshot() if row[1] == "judge"}
    assert groups == {"said", "rows", "slopes", "header"}


def without_truth(samples):
    return replace(
        samples,
        features_BNF=np.zeros_like(samples.features_BNF),
        summaries_BNHS=np.zeros_like(samples.summaries_BNHS),
        anchor_BNH=np.zeros_like(samples.anchor_BNH),
        truth_BNH=np.full_like(samples.truth_BNH, np.nan),
        scale_N1=np.ones_like(samples.scale_N1),
    )


def test_a_keeper_of_labels_that_answers_nonsense_is_refused():
    class Nonsense:
        def handle(self, message: Message, caller: str) -> Message:
            return Message("judge", {}, {"slopes": {"said": np.zeros((1, 1, 1), np.float32)}})

    labels: RemoteLabels = RemoteLabels(_exchange_to(Nonsense()), "keeper")
    with pytest.raises(ExchangeError, match="no slope of that shape"):
        labels.slope(np.arange(2), np.zeros((2, 2, 1), np.float32))
    with pytest.raises(ExchangeError, match="no error"):
        labels.error(np.zeros((2, 2, 1), np.float32))


def _exchange_to(handler) -> Exchange:
    return exchange_of({"keeper": handler})


def test_grants_are_asked_before_every_answer():
    """One that is withdrawn in the middle of a meeting silences its agency from then on."""
    encoders = agencies(TOWN, NAMES, taught=0)
    handlers = parties(encoders)
    exchange = exchange_of(handlers)
    guests = ask_in(exchange, NAMES)

    def withdraw(number):
        if number == 1:
            handlers["mill"].grant = DeepGrant(agency="mill", service=SERVICE, widest=1)

    learner = application(TOWN, NAMES, settings=BRIEF)
    minutes = meet(exchange, guests, learner, plan(TOWN, "block-wise", settings=BRIEF), withdraw)
    assert [{f.party for f in failed} for failed in minutes.failures] == [set(), {"mill"}, {"mill"}]
    with pytest.raises(GrantError, match="2 numbers are more than 1"):
        handlers["mill"].handle(Message("encode"), APPLICATION)
