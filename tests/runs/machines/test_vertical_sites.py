"""Vertical training between sites over several leases: new workers in each, agencies that are away,
silent, lost or lie; the application's results are those of one process.
"""

import json
import shutil
import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from little_map import without_seconds
from little_vertical import quick_map

from deepcity.city.errors import ExchangeError
from deepcity.exchange.flare.access import HEAD_RULES
from deepcity.exchange.flare.link import ANSWER, LOST, TIMEOUT, Reply
from deepcity.exchange.message import Message, from_bytes, to_bytes
from deepcity.exchange.party import EVALUATE, FINISH, JOIN, TRAIN
from deepcity.exchange.vertical.names import ADVANCE, BACKWARD, FORWARD
from deepcity.runs.machines.status import coordinator_status
from deepcity.vertical.run import run_vertical
from deepcity.web.report.vertical_page import render_vertical

pytest.importorskip("nvflare", reason="nvflare is not installed: pip install 'deepcity[flare]'")

from vertical_federation import VerticalFederation

MODES = 'pretrain_steps = 8\ncompare = ["one-shot", "per-batch"]'


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A map, and what comes of it in one process."""
    folder = tmp_path_factory.mktemp("vertical")
    city_map = quick_map(folder, more=MODES, pooled=True)
    return city_map, run_vertical(city_map, folder / "run"), folder / "run"


@pytest.fixture(scope="module")
def between(whole, tmp_path_factory):
    """The same map between machines, with a new lease every four steps."""
    found = VerticalFederation(whole[0], tmp_path_factory.mktemp("between"), lease_rounds=4)
    return found, found.lead()


def comparable(results):
    """What machines show of a map's results: no pooled rows, no forecast that is not granted."""
    found = without_seconds(results.model_dump())
    for party in found["services"][0]["parties"]:
        party["forecast"] = None
        party["curves"] = [one for one in party["curves"] if one["method"] != "pooled"]
        for key in ("test", "metric_errors", "by_seed"):
            party[key].pop("pooled", None)
    return found


def differences(found, expected, where=""):
    """Where two comparable results differ, with both values: a few lines instead of pages."""
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        parts = [(f"{where}.{key}", found[key], expected[key]) for key in found]
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        parts = [(f"{where}[{i}]", *two) for i, two in enumerate(zip(found, expected, strict=True))]
    else:
        return [] if found == expected else [f"{where}: {found!r} for {expected!r}"]
    return [line for key, one, other in parts for line in differences(one, other, key)]


def only(results):
    [service] = results.services
    [party] = service.parties
    return party


def test_results_and_bytes_are_those_of_one_process_in_every_mode(whole, between):
    federation, found = between
    assert len(federation.desks.leases) > 3
    assert comparable(found) == comparable(whole[1])
    assert "mode:per-batch" in only(found).test
    assert only(found).failures == []
    assert "together" in render_vertical(found)


def test_each_site_holds_its_own_alone(whole, between):
    federation, _ = between
    names = [{path.name for path in whole[2].glob(f"sites/*/packages/*/{kind}")}
             for kind in ("*.encoder", "*.fused")]  # fmt: skip
    kits = [federation.kit_run("east_weather"), federation.kit_run("east")]
    assert [[p.name for p in (kit / "sites").iterdir()] for kit in kits] == [
        ["east.weather"],
        ["east.water"],
    ]
    files = [{path.name for path in kit.glob("sites/*/packages/east.water/*")} for kit in kits]
    assert files == names
    assert not list(kits[0].rglob("*.checkpoint"))
    assert not list(kits[1].rglob("*together*.checkpoint"))
    assert not list(federation.run_folder.rglob("*.fused"))


def test_only_the_application_asks_an_agency_and_the_hub_lets_it_go_on(between):
    federation, _ = between
    assert {(site, who) for site, _, who in federation.desks.between} == {("east_weather", "east")}
    verbs = {site: set() for site in ("east", "east_weather")}
    for site, verb, _ in federation.desks.asked:
        verbs[site].add(verb)
    assert ADVANCE in verbs["east"]
    assert verbs["east_weather"] == {*HEAD_RULES}  # heads of its ledger, and nothing else


def test_who_is_done_is_not_asked_again(between):
    federation, found = between
    asked = len(federation.desks.between)
    again = federation.lead()
    assert only(again) == only(found)
    assert len(federation.desks.between) == asked


@pytest.fixture(scope="module")
def brief(tmp_path_factory):
    """A map with one mode, its results in one process, and sites whose vertical training begins."""
    folder = tmp_path_factory.mktemp("brief")
    city_map = quick_map(folder / "map")

    def stop(_site, verb, _service):
        if verb == ADVANCE:
            raise KeyboardInterrupt

    federation = VerticalFederation(city_map, folder / "ready")
    federation.desks.before = stop
    with pytest.raises(KeyboardInterrupt):
        federation.lead()
    return city_map, run_vertical(city_map, folder / "run"), folder / "ready"


def begun(brief, folder, **how):
    """Sites of their own that are about to begin."""
    shutil.copytree(brief[2], folder / "sites")
    return VerticalFederation(brief[0], folder / "sites", **how)


def test_two_cities_at_once_each_with_its_agency_at_its_own_site(tmp_path):
    """A site that asks itself goes no way around, and costs the same bytes."""
    city_map = quick_map(tmp_path / "map", cities=("east", "west"), rounds=2)
    expected = run_vertical(city_map, tmp_path / "run")
    federation = VerticalFederation(city_map, tmp_path, sites=("east", "west"))
    assert comparable(federation.lead()) == comparable(expected)
    assert federation.desks.between == []
    for city in ("east", "west"):
        kit = federation.kit_run(city) / "sites"
        assert sorted(one.name for one in kit.iterdir()) == [f"{city}.water", f"{city}.weather"]


class Nth:
    """Gives another reply to the n-th call of a verb, and then none; counts the calls."""

    def __init__(self, verb, numbers, act):
        self.verb, self.numbers, self.act, self.calls = verb, {*numbers}, act, Counter()

    def __call__(self, site, message, reply):
        if message.verb != self.verb:
            return None
        self.calls[self.verb] += 1
        return self.act(site, reply) if self.calls[self.verb] in self.numbers else None


@pytest.mark.parametrize(("verb", "number"), [(FORWARD, 4), (BACKWARD, 2), ("package", 1)])
def test_a_killed_agency_costs_a_lease_and_no_result(brief, tmp_path, verb, number):
    gone = Nth(verb, [number], lambda _site, _reply: Reply(LOST, "target unreachable"))
    federation = begun(brief, tmp_path)
    federation.desks.changed = gone
    found = federation.lead()
    assert comparable(found) == comparable(brief[1])
    assert len(federation.desks.leases) > 1


@pytest.mark.parametrize("step", [2, 5])
def test_a_killed_hub_goes_on_with_the_same_result(brief, tmp_path, step):
    federation, asked = begun(brief, tmp_path), Counter()

    def die(_site, verb, _service):
        asked[verb] += 1
        if verb == ADVANCE and asked[verb] == step:
            raise KeyboardInterrupt

    federation.desks.before = die
    with pytest.raises(KeyboardInterrupt):
        federation.lead()
    assert comparable(federation.lead()) == comparable(brief[1])


def test_training_goes_on_without_an_agency_that_is_away_and_it_comes_back(brief, tmp_path):
    federation, seen = begun(brief, tmp_path, lease_rounds=1), []

    def leave(site, _reply):
        federation.desks.away.add(site)
        return Reply(LOST, "target unreachable")

    def look(_site, verb, _service):
        if verb == ADVANCE:
            seen.append(coordinator_status(federation.run_folder.parent))
        if any("without" in one for one in seen):
            federation.desks.away.clear()

    federation.desks.changed, federation.desks.before = Nth(FORWARD, [3], leave), look
    found = only(federation.lead())
    assert any("water.vertical, without east/weather" in one for one in seen)
    assert any("weather is not connected in this lease" in one for one in found.failures)
    assert np.isfinite(found.error("together"))
    assert found.cost.bytes < only(brief[1]).cost.bytes  # nothing of it in two rounds
    assert list(federation.kit_run("east_weather").rglob("*.encoder"))


def test_an_agency_that_never_comes_is_named_and_nothing_is_lost(brief, tmp_path):
    federation = begun(brief, tmp_path)
    federation.desks.away.add("east_weather")
    with pytest.raises(AssertionError, match="are away"):  # the engine's: so many sites are needed
        federation.lead()
    assert (federation.run_folder / "results.json").exists()
    federation.desks.away.clear()
    assert comparable(federation.lead()) == comparable(brief[1])


def test_a_hub_that_starts_again_goes_on_without_an_agency_that_is_away(brief, tmp_path):
    """It knows that the training has begun, so not all agencies are needed."""
    federation, asked = begun(brief, tmp_path), Counter()

    def die(_site, verb, _service):
        asked[verb] += 1
        if verb == ADVANCE and asked[verb] == 5:
            federation.desks.away.add("east_weather")
            raise KeyboardInterrupt

    federation.desks.before = die
    with pytest.raises(KeyboardInterrupt):
        federation.lead()
    federation.desks.before = None
    with pytest.raises(ExchangeError, match=r"wrote no encoder package: weather: .*not connected"):
        federation.lead()
    steps = json.loads((federation.run_folder / "coordinator" / "water.vertical.json").read_text())
    assert steps["steps"] == {"east/water": 6}  # all rounds, the last ones without it
    federation.desks.away.clear()
    [failure] = only(federation.lead()).failures
    assert "not connected in this lease" in failure


def test_a_slow_agency_is_left_out_of_that_block_alone(brief, tmp_path):
    late = Nth(FORWARD, [3], lambda _site, _reply: Reply(TIMEOUT, "no answer within 7 s"))
    federation = begun(brief, tmp_path)
    federation.desks.changed = late
    found = only(federation.lead())
    [failure] = found.failures
    assert "whether it did the work is unknown" in failure
    assert np.isfinite(found.error("together"))


def spoilt(change):
    """Replies in which an agency's activations are changed."""

    def act(_site, reply):
        message = from_bytes(reply.blob)
        deep = change({**message.layers["deep"]})
        return replace(reply, blob=to_bytes(Message(message.verb, {}, {"deep": deep})))

    return act


LIES = {
    "contain NaN": lambda deep: {**deep, "vectors": deep["vectors"] * np.float32(np.nan)},
    "outside -1..1": lambda deep: {**deep, "vectors": deep["vectors"] + np.float32(1e30)},
    "have not the shape": lambda deep: {**deep, "vectors": deep["vectors"][:, :, :1]},
    "are float64": lambda deep: {**deep, "vectors": deep["vectors"].astype(float)},
}


def test_activations_that_lie_are_left_out_and_named(brief, tmp_path):
    acts = dict(zip((2, 3, 4, 5), map(spoilt, LIES.values()), strict=True))
    acts[6] = lambda _site, _reply: Reply(ANSWER, "", b"nonsense" * 9)
    count = Counter()

    def lie(site, message, reply):
        count[message.verb] += message.verb == FORWARD
        act = acts.get(count[FORWARD]) if message.verb == FORWARD else None
        return act(site, reply) if act else None

    federation = begun(brief, tmp_path)
    federation.desks.changed = lie
    found = only(federation.lead())
    for reason in (*LIES, "not a message"):
        assert any(reason in one for one in found.failures), reason
    assert np.isfinite([found.error(method) for method in ("together", "automatic")]).all()


def reusing(folder, **how):
    """Two cities whose weather offices pretrain h1 and h2 of their encoders together."""
    more = "pretrain_steps = 60\nreuse_level = 2"
    return quick_map(folder, more=more, cities=("east", "west"), rounds=2, **how)


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    folder = tmp_path_factory.mktemp("together")
    city_map = reusing(folder / "map")
    return city_map, run_vertical(city_map, folder / "run")


@pytest.mark.parametrize("sites", [("east", "west"), ("east", "east_weather", "west")])
def test_equal_agencies_of_two_cities_pretrain_together(tmp_path, together, sites):
    city_map, expected = together
    federation = VerticalFederation(city_map, tmp_path, sites=sites)
    assert comparable(federation.lead()) == comparable(expected)
    weather = "east_weather" if "east_weather" in sites else "east"
    verbs = Counter(verb for site, verb, _ in federation.desks.asked if site == weather)
    assert verbs[FINISH] >= 1
    assert not list(tmp_path.rglob("*.pretrained*"))


@pytest.mark.parametrize(
    ("verb", "number"), [(JOIN, 2), (TRAIN, 7), (EVALUATE, 2), (FINISH, 1), (FINISH, 2)]
)
@pytest.mark.parametrize("dies", ["site", "hub"])
def test_pretraining_that_was_broken_off_begins_anew_with_the_same_result(
    tmp_path, together, verb, number, dies
):
    city_map, expected = together
    federation = VerticalFederation(city_map, tmp_path, sites=("east", "west"))
    opened, calls = [], Counter()

    def die(_site, called, _service):
        opened.append(called == ADVANCE)
        calls[called] += any(opened)
        if called != verb or not any(opened) or calls[verb] != number:
            return None
        if dies == "hub":
            raise KeyboardInterrupt
        return Reply(LOST, "target unreachable")

    federation.desks.before = die
    if dies == "hub":
        with pytest.raises(KeyboardInterrupt):
            federation.lead()
    assert comparable(federation.lead()) == comparable(expected)
    assert calls[JOIN] == 4  # each agency twice, none after that


def test_an_agency_is_not_pretrained_twice(tmp_path, together):
    """The hub dies after it, and knows."""
    federation = VerticalFederation(together[0], tmp_path, sites=("east", "west"))
    calls, dead = Counter(), []

    def die(_site, verb, _service):
        calls[verb] += 1
        if dead or verb == FORWARD or (verb == ADVANCE and calls[ADVANCE] == 6):
            dead.append(verb)  # a hub that is gone asks no site any more, by no thread
            raise KeyboardInterrupt

    federation.desks.before = die
    with pytest.raises(KeyboardInterrupt):
        federation.lead()
    for thread in threading.enumerate():
        if thread.name.startswith(("call", "ask")):
            thread.join(30)
    joined, federation.desks.before = calls[JOIN], None
    before = len(federation.desks.asked)
    assert differences(comparable(federation.lead()), comparable(together[1])) == []
    again = Counter(verb for _, verb, _ in federation.desks.asked[before:])
    assert joined
    assert again[JOIN] == again[TRAIN] == 0
