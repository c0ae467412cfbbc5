"""A site asked to choose its level: what it needs, what it grants, and what leaves it."""

import json
import shutil

import numpy as np
import pytest
from little_map import service, three

from deepcity.city.errors import DataError, ExchangeError
from deepcity.city.problem import Problem
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import Message, from_bytes, to_bytes
from deepcity.exchange.party import CHOOSE
from deepcity.intercity.method import Method, alone
from deepcity.intercity.party_choices import Offer
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.runs.choosing_site import JSON, RESULT, ChoosingSite, offer_message
from deepcity.runs.machines.kept_answers import MOST_ANSWERS
from deepcity.runs.results import PartyResult
from deepcity.runs.site import Site
from deepcity.runs.trainings import ServiceRun, profiles_of, run_method

NORTH = "east/north"
TRAINED = {"alone", "level_6"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A service's sites after both trainings that a choice needs."""
    folder = tmp_path_factory.mktemp("choosing")
    little = three(folder)
    little.party("west/office", little.parties["west/office"] + 1000.0)
    city_map = load_map(little.write(service(levels=(), rounds=1, settings="pooled = false")))
    [only] = city_map.services
    sites = [Site(only.settings, one, 1, folder / one.name) for one in parties_of(only)]
    run = ServiceRun(only.settings, profiles_of(sites), 1)
    for method in (alone(run.profiles), Method("level_6", dict.fromkeys(run.profiles, 6))):
        run_method(run, method, sites)
    return only, sites


def choosing(trained, finished=TRAINED, name=NORTH):
    only, sites = trained
    site = next(one for one in sites if one.name == name)
    shutil.rmtree(site.folder / "answers", ignore_errors=True)
    return ChoosingSite(only, site, [], set(finished))


def sent(answer):
    return PartyResult.model_validate_json(answer.layers[RESULT][JSON].tobytes())


def test_choice_writes_a_forecaster_and_sends_errors_alone(trained):
    asked = choosing(trained)
    found = sent(from_bytes(to_bytes(asked.handle(offer_message(Offer(6, False)), COORDINATOR))))
    own = json.loads((asked.site.folder / "result.json").read_text())["services"]["water"]
    assert list((asked.site.folder / "own").glob("*.checkpoint"))
    assert found.level == own["level"]
    assert found.test["automatic"].mae == own["test"]["automatic"]["mae"]
    assert set(found.weights) == {"alone", *(f"level_{level}" for level in range(1, 7))}
    assert own["forecast"]["truth"]
    text = found.model_dump_json()
    for value in (*own["forecast"]["truth"], *own["forecast"]["forecast"], *own["forecast"]["low"]):
        assert str(value) not in text
    assert own["decision"] is not None
    assert (found.decision, found.decision_scores, found.notes) == (None, {}, [])


def test_same_offer_is_answered_once_and_another_anew(trained, monkeypatch):
    asked, calls = choosing(trained), []
    choose = Site.choose
    monkeypatch.setattr(
        Site, "choose", lambda self, offer: calls.append(offer) or choose(self, offer)
    )
    first = asked.handle(offer_message(Offer(1, False)), COORDINATOR)
    again = ChoosingSite(asked.service, asked.site, [], set())  # of another worker, after a crash
    for one in (asked, again):
        assert to_bytes(one.handle(offer_message(Offer(1, False)), COORDINATOR)) == to_bytes(first)
    assert len(calls) == 1
    assert sent(asked.handle(offer_message(None), COORDINATOR)).level == 0
    assert len(calls) == 2


def test_ever_new_offers_are_not_answered(trained, monkeypatch):
    """Each answer tells errors on test days: of a fourth offer none, nor of one trained anew."""
    asked = choosing(trained)
    known = [offer_message(Offer(level, False)) for level in range(MOST_ANSWERS)]
    first = [to_bytes(asked.handle(one, COORDINATOR)) for one in known]
    monkeypatch.setattr(Site, "choose", lambda *_: pytest.fail("it was tried on test days"))
    for worker in (asked, ChoosingSite(asked.service, asked.site, [], set(TRAINED))):
        with pytest.raises(ExchangeError, match="3 offers were answered in this run"):
            worker.handle(offer_message(Offer(5, False)), COORDINATOR)
        assert [to_bytes(worker.handle(one, COORDINATOR)) for one in known] == first


def test_answer_that_cannot_be_kept_does_not_leave(trained):
    asked = choosing(trained)
    (asked.site.folder / "answers").write_text("in the way")
    with pytest.raises(ExchangeError, match="see its own log"):
        asked.handle(offer_message(None), COORDINATOR)
    (asked.site.folder / "answers").unlink()


@pytest.mark.parametrize(
    ("numbers", "layers", "reason"),
    [
        ({"level": 7.0, "common_stem": 0.0}, {}, "grants levels up to 6"),
        ({"level": 1.5, "common_stem": 0.0}, {}, "level 1.5"),
        ({"level": -1.0, "common_stem": 0.0}, {}, "level -1"),
        ({"level": float("nan"), "common_stem": 0.0}, {}, "level nan"),
        ({"level": float("inf"), "common_stem": 0.0}, {}, "level inf"),
        ({"level": 2.0}, {}, "common stem -1"),
        ({"level": 2.0, "common_stem": 0.5}, {}, "common stem 0.5"),
        ({}, {"h1": {"w": np.ones(2, np.float32)}}, "level -1"),
        (
            {"level": 1.0, "common_stem": 0.0},
            {"h1": {"w": np.ones(2)}},
            "only newcomers get layers",
        ),
    ],
)
def test_offers_beyond_the_grant_are_refused(trained, numbers, layers, reason):
    with pytest.raises(ExchangeError, match=reason):
        choosing(trained).handle(Message(CHOOSE, numbers, layers), COORDINATOR)


@pytest.mark.parametrize(
    ("finished", "offer", "missing"),
    [
        (set(), None, "alone"),
        ({"level_6"}, Offer(6, False), "alone"),
        ({"alone"}, Offer(6, False), "level_6"),
    ],
)
def test_nobody_chooses_from_networks_that_are_not_trained(trained, finished, offer, missing):
    with pytest.raises(ExchangeError, match=f"has not finished {missing} in this lease"):
        choosing(trained, finished).handle(offer_message(offer), COORDINATOR)


@pytest.mark.parametrize(("verb", "caller"), [(CHOOSE, "west/office"), ("train", COORDINATOR)])
def test_only_the_coordinator_may_ask_and_only_for_a_choice(trained, verb, caller):
    with pytest.raises(ExchangeError, match="may not ask"):
        choosing(trained).handle(Message(verb), caller)


def test_a_private_stem_is_not_made_common_by_an_offer(trained):
    asked = choosing(trained)
    assert asked._offer(offer_message(Offer(6, True))) == Offer(6, False)


@pytest.mark.parametrize(
    "error",
    [ValueError("4711"), DataError([Problem("secret.csv", "row 7", "4711", "none", "fix")])],
)
def test_what_is_wrong_at_a_site_stays_in_its_log(trained, monkeypatch, error):
    def fail(_site, _offer):
        raise error

    monkeypatch.setattr(Site, "choose", fail)
    with pytest.raises(ExchangeError, match="see its own log") as refused:
        choosing(trained).handle(offer_message(None), COORDINATOR)
    assert "4711" not in str(refused.value)
    assert type(error).__name__ in str(refused.value)
