"""The coordinator goes on where it and every site can, and reaches nothing of a site."""

import shutil
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reach import frames, reachable
from test_rounds import learner, samples

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.city.level import HIDDEN_LAYERS, LADDER
from deepcity.exchange.coordinator import Coordinator
from deepcity.exchange.inprocess import InProcessExchange, lead_apart
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message
from deepcity.exchange.party import LearningParty
from deepcity.exchange.profile import ProfileHandler, SiteProfile, profile_in
from deepcity.exchange.rounds import FederationPlan
from deepcity.exchange.starting_layers import starting_layers
from deepcity.exchange.strategies import FedAvg
from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.network import Network
from deepcity.learning.networks.reuse import export_layers
from deepcity.learning.training.learner import EVERY_LAYER, Learner, PartyData
from deepcity.store.checkpoint import CheckpointStore

LEVELS = {"a": 6, "b": 5, "c": 2}
NAME = "little.level_6"


class Killed(BaseException):
    """What ends a process in these tests."""


def plan(**how):
    profiles = {name: profile(one) for name, one in learners().items()}
    own = frozenset(LEVELS)
    reference = starting_layers(profiles, seed=5, own_stem=own)
    return FederationPlan(LEVELS, reference, FedAvg(), rounds=4, own_stem=own, **how)


def learners():
    return {name: learner(name) for name in LEVELS}


def profile(one):
    horizon, linear_features = one.data.ridge_skip_HS.shape
    features = one.data.train.features_BNF.shape[-1]
    return SiteProfile(3600, features, horizon, linear_features, 0, 1, one.data.rows, 0, 1)


def run(folder, *, stop_at=None, apart=True, watch=lambda done: None, moved=None, **how):
    """A training kept in a folder, killed after a round; learners, and what was found."""
    found = learners()
    homes = {name: folder / name for name in LEVELS} | (moved or {})
    sites = {
        name: LearningParty(one, LEVELS[name], False, CheckpointStore(homes[name]), NAME)
        for name, one in found.items()
    }
    going = plan(**how)

    def after_round(done):
        watch(done)
        if done == stop_at:
            raise Killed

    def lead(lines):
        ledger = Ledger()
        exchange = InProcessExchange(lines, ledger=ledger)
        store = CheckpointStore(folder / "coordinator")
        return Coordinator(exchange, ledger, store).train(NAME, going, after_round)

    return found, lead_apart(sites, lead) if apart else lead(sites)


def same(one, other):
    return all(
        np.array_equal(values, other[layer][name])
        for layer, tensors in one.items()
        for name, values in tensors.items()
    )


def assert_same_end(first, second):
    (learned, training), (again, resumed) = first, second
    for name, one in learned.items():
        assert same(one.export(EVERY_LAYER), again[name].export(EVERY_LAYER))
    assert same(training.progress.state.layers, resumed.progress.state.layers)
    assert training.progress.errors == resumed.progress.errors
    assert training.ledger.sent_by_layer() == resumed.ledger.sent_by_layer()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("stop_at", [1, 3])
def test_a_killed_training_goes_on_to_the_same_end(whole, tmp_path, stop_at):
    with pytest.raises(Killed):
        run(tmp_path, stop_at=stop_at)
    rounds = []
    assert_same_end(whole, run(tmp_path, watch=rounds.append))
    assert rounds == list(range(stop_at + 1, 5))


def test_sites_that_are_a_round_ahead_go_back_with_the_coordinator(whole, tmp_path):
    """Killed after every site kept a round, and before the coordinator did."""
    with pytest.raises(Killed):
        run(tmp_path, stop_at=3)
    (tmp_path / "coordinator" / f"{NAME}.000003.checkpoint").unlink()
    assert_same_end(whole, run(tmp_path))


@pytest.mark.parametrize("where", ["a", "coordinator"])
def test_a_damaged_checkpoint_costs_all_one_round(whole, tmp_path, where):
    with pytest.raises(Killed):
        run(tmp_path, stop_at=3)
    newest = tmp_path / where / f"{NAME}.000003.checkpoint"
    newest.write_bytes(newest.read_bytes()[:-1])
    rounds = []
    assert_same_end(whole, run(tmp_path, watch=rounds.append))
    assert rounds == [3, 4]


def test_a_site_without_its_folder_is_named_and_nothing_is_begun_anew(whole, tmp_path):
    with pytest.raises(Killed):
        run(tmp_path, stop_at=3)
    shutil.move(tmp_path / "b", tmp_path / "away")
    kept = sorted(path.name for path in (tmp_path / "a").iterdir())
    with pytest.raises(CheckpointError, match="b kept round 0, but trained in round 3"):
        run(tmp_path)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == kept
    assert_same_end(whole, run(tmp_path, moved={"b": tmp_path / "away"}))


def test_a_site_carried_elsewhere_goes_on_there(whole, tmp_path):
    with pytest.raises(Killed):
        run(tmp_path / "here", stop_at=2)
    shutil.copytree(tmp_path / "here" / "c", tmp_path / "there")
    shutil.rmtree(tmp_path / "here" / "c")
    assert_same_end(whole, run(tmp_path / "here", moved={"c": tmp_path / "there"}))
    assert not (tmp_path / "here" / "c").exists()


def test_a_training_that_begins_anew_forgets_what_sites_kept(whole, tmp_path):
    with pytest.raises(Killed):
        run(tmp_path, stop_at=3)
    shutil.rmtree(tmp_path / "coordinator")
    assert_same_end(whole, run(tmp_path))


def test_layers_to_begin_with_are_those_of_the_sites_without_asking_for_them():
    found = learners()
    reference = plan().reference
    first = export_layers(found["a"].network, LADDER)
    assert set(reference) == set(LADDER)
    assert same({name: first[name] for name in HIDDEN_LAYERS}, reference)
    assert not reference["head"]["ridge_skip"].any()


OWN = (Learner, PartyData, Samples, Network, LearningParty)


def own_in(*roots):
    return {type(one).__name__ for one in reachable(*roots) if isinstance(one, OWN)}


@pytest.mark.parametrize("apart", [True, False], ids=["apart", "control"])
def test_nothing_of_a_site_can_be_reached_while_the_coordinator_leads(tmp_path, apart):
    """The control shows that the walk finds a learner where the coordinator holds handlers."""
    reached = []
    run(tmp_path, apart=apart, watch=lambda _done: reached.append(own_in(*frames())))
    assert len(reached) == 4
    assert all(found == set() for found in reached) == apart
    assert apart or {"Learner", "PartyData", "Samples"} <= reached[0]


class Failing:
    """A site that fails, with its rows at hand."""

    def __init__(self, error):
        self.error, self.rows = error, samples(1)

    def handle(self, message, caller):
        rows = self.rows
        raise self.error from KeyError(rows.features_BNF.shape)


def test_what_a_failing_site_raises_does_not_lead_back_to_its_rows():
    def lead(lines):
        try:
            lines["a"].handle(Message("look"), "coordinator")
        except ValueError as error:
            return str(error), own_in(error)
        return None

    assert lead_apart({"a": Failing(ValueError("no rain"))}, lead) == ("no rain", set())


def test_a_site_that_is_interrupted_ends_the_coordinators_thread():
    threads, led = threading.active_count(), []

    def lead(lines):
        for _ in range(3):
            replies = InProcessExchange(lines).call_group({"a": Message("look")})
            led.append(replies)

    with pytest.raises(KeyboardInterrupt):
        lead_apart({"a": Failing(KeyboardInterrupt())}, lead)
    assert threading.active_count() == threads
    assert not led


def test_what_the_coordinator_raises_is_raised_where_it_was_started():
    with pytest.raises(ExchangeError, match="could not describe themselves: a: "):
        lead_apart(
            {"a": Failing(ValueError("no rain"))},
            lambda lines: Coordinator(InProcessExchange(lines), Ledger()).profiles(),
        )


SIZES = {
    "step_s": 3600, "features": 40, "horizon": 24, "linear_features": 5, "recent": 24,
    "places": 3, "rows": 900, "train_from": 0, "train_to": 86400,
}  # fmt: skip


@given(
    name=st.sampled_from(sorted(SIZES)),
    value=st.sampled_from([np.nan, np.inf, -np.inf, 1e18, 0.5, None]),
)
def test_a_site_that_claims_impossible_sizes_is_refused_by_name(name, value):
    claimed = {key: float(one) for key, one in SIZES.items()} | {name: value}
    claimed = {key: one for key, one in claimed.items() if one is not None}

    class Liar:
        def handle(self, message, caller):
            return Message(message.verb, claimed)

    honest = ProfileHandler(SiteProfile(**SIZES))
    exchange = InProcessExchange({"a": honest, "b": Liar()})
    with pytest.raises(ExchangeError, match=rf"describe themselves: b: its .*: {name} = "):
        Coordinator(exchange, Ledger()).profiles()


@pytest.mark.parametrize("name", ["features", "recent", "horizon", "linear_features"])
def test_no_site_makes_the_coordinator_allocate_what_it_claims(name):
    claimed = {key: float(one) for key, one in SIZES.items()} | {name: 1e9}
    with pytest.raises(ExchangeError, match=f"{name} = 1000000000.0"):
        profile_in(claimed)
    assert profile_in({key: float(one) for key, one in SIZES.items()}) == SiteProfile(**SIZES)


@pytest.mark.parametrize(
    ("name", "value"),
    [("train_from", -(2**53)), ("train_to", 2**53), ("places", 2**53), ("step_s", 0)],
)
def test_no_site_claims_what_results_cannot_hold(name, value):
    """No date, no step: else the coordinator would stop after all training, again and again."""
    claimed = {key: float(one) for key, one in SIZES.items()} | {name: float(value)}
    with pytest.raises(ExchangeError, match=f"{name} = "):
        profile_in(claimed)
