"""Who may ask a site for what: every verb and every role, and all that a rule bounds."""

import math
import re

import numpy as np
import pytest

from deepcity.city.errors import DataError, DeepCityError, ExchangeError
from deepcity.city.problem import Problem
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.flare.access import (
    AGENCY_RULES,
    PRETRAINING_RULES,
    TRAINING_RULES,
    CallAccess,
)
from deepcity.exchange.flare.desk import Desk, PartyDesk
from deepcity.exchange.flare.task import MOST_ENVELOPE, CallTask, site_of, task_from
from deepcity.exchange.message import ROUND, Message, from_bytes, to_bytes
from deepcity.exchange.party import (
    CHOOSE,
    COLLECT,
    EVALUATE,
    FINISH,
    JOIN,
    RESTORE,
    START,
    STATUS,
    TRAIN,
    VALIDATE,
)
from deepcity.exchange.profile import DESCRIBE
from deepcity.exchange.secure.summing_party import MASKS, SUM_KEYS, SUM_SHARES, SUM_UNMASK
from deepcity.exchange.vertical.names import ADVANCE, AGENCY_VERBS, BACKWARD, FORWARD

SUMS = (SUM_KEYS, SUM_SHARES, SUM_UNMASK)
VERBS = (DESCRIBE, JOIN, TRAIN, COLLECT, VALIDATE, EVALUATE, STATUS, RESTORE, FINISH)
VERBS += (START, CHOOSE, ADVANCE)
OTHERS = (*SUMS, "", "shutdown", "TRAIN", "chose", "handshake", "forward", "backward", "loss")
OTHERS += ("open", "close", "package")
CALLERS = (COORDINATOR, "south", "mallory", "server", "", "operator@deepcity.org")
TASK = CallTask(party="north/water", service="water", training="water.level-2", level=2)


def access():
    return CallAccess(peers=frozenset({"south"}), services={"water": 2}, rounds={"water": 5})


def layers(*names):
    return {name: {"w": np.ones(2, np.float32)} for name in names}


def allowed(message, caller=COORDINATOR, task=TASK, decisions=None):
    try:
        (decisions or access()).check(task, message, caller)
    except ExchangeError:
        return False
    return True


def test_table_of_verbs_and_callers():
    table = {
        (verb, caller): allowed(Message(verb, {ROUND: 1.0}), caller)
        for verb in (*VERBS, *OTHERS)
        for caller in CALLERS
    }
    assert {case for case, passed in table.items() if passed} == {
        (verb, COORDINATOR) for verb in VERBS
    }


def test_every_verb_of_the_rounds_has_a_rule_and_no_other():
    assert set(TRAINING_RULES) == {*VERBS, *SUMS}
    assert set(AGENCY_RULES) == {*AGENCY_VERBS}


MET = CallTask(
    party="north/weather",
    caller="north/water",
    service="water",
    training="water.vertical",
    method="agency",
)


def agency_access():
    return CallAccess(
        AGENCY_RULES,
        services={"water": 0, "crime": 0},
        rounds={"water": 5, "crime": 5},
        applications={"water": frozenset({"north/water"}), "crime": frozenset({"north/police"})},
    )


def test_table_of_an_agencys_verbs_and_callers():
    """Its application alone; that a site may speak for it, the desk has checked before."""
    speakers = ["", "north/water", "north/police", "south/water", "north/weather"]
    table = {
        (verb, caller, speaker): allowed(
            Message(verb, {ROUND: 1.0}),
            caller,
            MET.model_copy(update={"caller": speaker}),
            agency_access(),
        )
        for verb in (*AGENCY_VERBS, *VERBS, *OTHERS)
        for caller in (COORDINATOR, "north", "north_water", "server")
        for speaker in speakers
    }
    assert {case for case, passed in table.items() if passed} == {
        (verb, caller, "north/water")
        for verb in AGENCY_VERBS
        for caller in ("north", "north_water", "server")
    }


PRETRAINED = MET.model_copy(
    update={"caller": "", "training": "water.pretraining-weather-1", "level": 3}
)


def pretraining_access():
    return CallAccess(PRETRAINING_RULES, services={"water": 2}, rounds={"water": 6})


def test_table_of_verbs_and_callers_of_pretraining():
    """The coordinator alone, in services whose encoders several cities share."""
    table = {
        (verb, caller, service): allowed(
            Message(verb, {ROUND: 1.0}),
            caller,
            PRETRAINED.model_copy(update={"service": service, "training": f"{service}.x"}),
            pretraining_access(),
        )
        for verb in (*AGENCY_VERBS, *VERBS, *OTHERS)
        for caller in (*CALLERS, "north", "north_weather")
        for service in ("water", "crime")
    }
    assert {case for case, passed in table.items() if passed} == {
        (verb, COORDINATOR, "water") for verb in (JOIN, TRAIN, EVALUATE, FINISH)
    }


@pytest.mark.parametrize("name", ["stem", "h1", "h2", "h3", "head", "bottleneck", MASKS])
def test_pretraining_takes_the_layers_that_the_map_shares(name):
    layer = {name: {"weight": np.zeros((2, 2), np.float32)}}
    passed = allowed(
        Message(TRAIN, {ROUND: 1.0}, layer), COORDINATOR, PRETRAINED, pretraining_access()
    )
    assert passed == (name in {"h1", "h2"})
    late = Message(TRAIN, {ROUND: 7.0})
    assert not allowed(late, COORDINATOR, PRETRAINED, pretraining_access())


@pytest.mark.parametrize("verb", AGENCY_VERBS)
@pytest.mark.parametrize("name", ["times", "gradients", "rows", "forecast", "h1", "stem", MASKS])
def test_an_agency_takes_times_and_gradients_and_no_layers(verb, name):
    message = Message(verb, {ROUND: 1.0}, layers(name))
    expected = (verb, name) in {(FORWARD, "times"), (BACKWARD, "gradients")}
    assert allowed(message, "north", MET, agency_access()) is expected


@pytest.mark.parametrize("verb", [BACKWARD, RESTORE])
@pytest.mark.parametrize("number", [-1.0, 0.5, 6.0, math.nan, math.inf, None])
def test_rounds_that_an_agencys_training_does_not_have(verb, number):
    message = Message(verb, {} if number is None else {ROUND: number})
    assert not allowed(message, "north", MET, agency_access())


@pytest.mark.parametrize("wrong", [{"service": "crime"}, {"service": ""}, {"training": "crime.x"}])
def test_an_agency_of_another_service(wrong):
    task = MET.model_copy(update=wrong)
    assert not any(allowed(Message(v, {ROUND: 1.0}), "north", task, agency_access())
                   for v in AGENCY_VERBS)  # fmt: skip


@pytest.mark.parametrize(
    ("site", "speaker", "kind"),
    [
        ("north", "north/water", "answer"),
        ("south", "north/water", "refused"),
        ("north_weather", "north/water", "refused"),
        ("north", "north/weather", "refused"),
        (COORDINATOR, "north/water", "refused"),
        ("south", "south/water", "refused"),
    ],
)
def test_nobody_speaks_for_an_application_but_its_site(site, speaker, kind):
    party, sites = Echo(), ("north", "north_weather", "south")
    agencies = {"north/weather": PartyDesk(agency_access(), lambda _task: party)}
    desk = Desk({"north/weather": PartyDesk(access(), lambda _task: party)}, sites, agencies)
    task = MET.model_copy(update={"caller": speaker}).model_dump_json()
    blob = to_bytes(Message(FORWARD, {}, {"times": {"times": np.arange(3)}}))
    assert desk.answer(task, blob, site)["kind"] == kind
    assert party.callers == (["north/water"] if kind == "answer" else [])


@pytest.mark.parametrize("verb", [*VERBS, *SUMS])
def test_parts_of_sums_come_only_where_the_map_asks_for_secure_sums(verb):
    decisions, message = access(), Message(verb, {ROUND: 1.0}, layers(MASKS))
    assert not allowed(message, decisions=decisions)
    assert allowed(Message(verb, {ROUND: 1.0}), decisions=decisions) == (verb in VERBS)
    decisions.secure = frozenset({"water"})
    assert allowed(message, decisions=decisions) == (verb in {TRAIN, *SUMS})
    assert not allowed(message, "south", decisions=decisions)
    if verb in SUMS:
        assert not allowed(Message(verb, {ROUND: 1.0}, layers("h1")), decisions=decisions)
        assert not allowed(Message(verb, {ROUND: 9.0}, layers(MASKS)), decisions=decisions)


@pytest.mark.parametrize("verb", VERBS)
def test_layers_come_with_five_verbs_alone(verb):
    message = Message(verb, {ROUND: 1.0}, layers("h1", "h2"))
    assert allowed(message) == (verb in {TRAIN, VALIDATE, EVALUATE, START, CHOOSE})


@pytest.mark.parametrize(
    ("name", "level", "passes"),
    [("h2", 2, True), ("h2", 1, False), ("h3", 6, False), ("stem", 6, False), ("head", 6, False)],
)
def test_layers_up_to_the_granted_level_whatever_the_hub_asks(name, level, passes):
    task = TASK.model_copy(update={"level": level, "common_stem": True})
    assert allowed(Message(TRAIN, {ROUND: 0.0}, layers(name)), task=task) is passes


def test_stem_comes_only_where_it_is_granted():
    task = TASK.model_copy(update={"common_stem": True})
    decisions = access()
    decisions.stems = frozenset({"water"})
    assert allowed(Message(TRAIN, {ROUND: 0.0}, layers("stem")), task=task, decisions=decisions)


@pytest.mark.parametrize("number", [-1.0, 0.5, 6.0, 1e300, math.nan, math.inf, None])
@pytest.mark.parametrize("verb", [TRAIN, EVALUATE, STATUS, RESTORE])
def test_rounds_that_a_training_does_not_have(verb, number):
    assert not allowed(Message(verb, {} if number is None else {ROUND: number}))


@pytest.mark.parametrize(
    "wrong",
    [{"service": "crime"}, {"service": ""}, {"training": "crime.level-2"}, {"training": ""}],
)
def test_other_services_and_trainings(wrong):
    task = TASK.model_copy(update=wrong)
    assert not any(allowed(Message(v, {ROUND: 1.0}), task=task) for v in VERBS if v != DESCRIBE)


def test_replayed_round_is_trained_once_until_it_is_restored():
    decisions, message = access(), Message(TRAIN, {ROUND: 3.0})
    assert allowed(message, decisions=decisions)
    decisions.done(TASK, message)
    assert not allowed(message, decisions=decisions)
    assert not allowed(Message(TRAIN, {ROUND: 2.0}), decisions=decisions)
    assert allowed(Message(TRAIN, {ROUND: 4.0}), decisions=decisions)
    decisions.done(TASK, Message(RESTORE, {ROUND: 3.0}))
    assert allowed(message, decisions=decisions)


class Echo:
    """A party that answers with what it was asked, or raises."""

    def __init__(self, error=None):
        self.error, self.callers = error, []

    def handle(self, message, caller):
        self.callers.append(caller)
        if self.error is not None:
            raise self.error
        return message


def asked(blob=None, task=None, caller=COORDINATOR, party=None):
    party = party or Echo()
    desk = Desk({"north/water": PartyDesk(access(), lambda _task: party)}, ("north", "south"))
    text = TASK.model_dump_json() if task is None else task
    return desk.answer(text, to_bytes(Message(JOIN)) if blob is None else blob, caller), party


def test_desk_answers_the_coordinator():
    found, party = asked()
    assert found["kind"] == "answer"
    assert from_bytes(found["blob"]) == Message(JOIN)
    assert party.callers == [COORDINATOR]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"blob": b""}, "not a message"),
        ({"blob": b"\xff" * 100}, "not a message"),
        ({"task": "{"}, "not an envelope"),
        ({"task": "[]"}, "not an envelope"),
        ({"task": '{"party": "north/water", "role": "coordinator"}'}, "role"),
        ({"task": '{"party": "north/water", "level": 7}'}, "level"),
        ({"task": '{"party": "north/water", "level": "2"}'}, "level"),
        ({"task": '{"party": "north/water", "training": "water./../../x"}'}, "training"),
        ({"task": '{"party": "north/water", "method": "a\\n"}'}, "method"),
        ({"task": "x" * (MOST_ENVELOPE + 1)}, "at most"),
        ({"task": CallTask(party="centre/water").model_dump_json()}, "no party 'centre/water'"),
        (
            {"task": CallTask(party="north/water", version="0.0.1").model_dump_json()},
            "caller's deepcity is version 0.0.1",
        ),
        ({"task": '{"party": "north/water"}'}, "version without a number"),
        ({"caller": "south"}, "south .peer. may not"),
        ({"caller": "mallory"}, "mallory .stranger. may not"),
    ],
)
def test_desk_refuses_with_a_reason_and_never_asks_the_party(how, reason):
    found, party = asked(**how)
    assert found["kind"] == "refused"
    assert re.search(reason, found["text"])
    assert party.callers == []


def test_site_may_speak_for_its_own_parties_only():
    task = TASK.model_copy(update={"caller": "north/water"}).model_dump_json()
    found, party = asked(task=task, caller="south")
    assert "may not speak for" in found["text"]
    assert party.callers == []


def test_party_that_crashes_costs_its_answer_alone():
    found, _ = asked(party=Echo(ZeroDivisionError("by zero")))
    assert (found["kind"], found["text"]) == ("failed", "ZeroDivisionError: by zero")
    found, _ = asked(party=Echo(DeepCityError("not on a Sunday")))
    assert (found["kind"], found["text"]) == ("refused", "not on a Sunday")


def test_what_is_wrong_with_records_stays_with_the_site():
    def unreadable(_task):
        raise DataError([Problem("secret.csv", "row 7", "4711", "no number", "correct it")])

    desk = Desk({"north/water": PartyDesk(access(), unreadable)}, ("north",))
    found = desk.answer(TASK.model_dump_json(), to_bytes(Message(JOIN)), COORDINATOR)
    assert found["kind"] == "refused"
    assert "DataError" in found["text"]
    assert "4711" not in str(found)
    assert "secret" not in str(found)


def test_envelope_survives_the_way():
    assert task_from(TASK.model_dump_json()) == TASK


@pytest.mark.parametrize(
    ("party", "sites", "owner"),
    [
        ("a/b:c", ["a", "a_b", "a_b_c"], "a_b_c"),
        ("a/b:c", ["a", "a_b"], "a_b"),
        ("a/b:c", ["a", "b"], "a"),
        ("a/b:c", ["b", "c"], None),
        ("a/b:c", [], None),
    ],
)
def test_nearest_site_answers_for_a_party(party, sites, owner):
    assert site_of(party, sites) == owner
