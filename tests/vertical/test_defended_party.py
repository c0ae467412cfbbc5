"""What a map or agency sets is what leaves: in training, in its package, and on the wire."""

from dataclasses import replace

import numpy as np
import pytest
from little_vertical import deep_grant, name_policy, quick_map
from vertical_town import APPLICATION, SERVICE, agencies, town

from deepcity.city.errors import ConfigError
from deepcity.exchange.message import Message
from deepcity.learning.split.encoder_package import load_encoder
from deepcity.learning.split.fused_package import load_fused
from deepcity.maps.city_map import load_map
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.privacy.defences.settings import Defences
from deepcity.vertical.agency_party import AgencyParty
from deepcity.vertical.run import run_vertical

TOWN = town(days=12)
TIMES = TOWN.time_T[30:40]
SET = (
    "defences = { bits = 2, clip = 0.5, noise = 0.1, cadence = '2h', min_change = 0.1, "
    "distance_correlation = 0.1, adversary = 0.1 }\nleakage = 'any'"
)


def sent(defences, times=TIMES):
    """Activations of an agency with these defences, and those of one without, (B, C, D)."""
    learner = agencies(TOWN, ["office"], taught=0)["office"]
    raw = learner.encode(times).vectors_BCD
    learner.settings = replace(learner.settings, defences=defences)
    party = AgencyParty(learner, DeepGrant(agency="office", service=SERVICE), SERVICE, APPLICATION)
    message = Message("forward", {}, {"times": {"times": times}})
    return [party.handle(message, APPLICATION).layers["deep"]["vectors"] for _ in range(2)], raw


def test_bits_are_what_leaves():
    (one, again), raw = sent(Defences(bits=1))
    assert set(np.unique(one)) == {-1.0, 1.0}
    np.testing.assert_array_equal(one, np.where(raw > 0, 1, -1))
    np.testing.assert_array_equal(one, again)


def test_noise_is_fresh_in_each_message_of_a_training():
    (one, again), raw = sent(Defences(noise=0.1))
    assert 0.05 < (one - raw).std() < 0.15
    assert not np.array_equal(one, again)


def test_a_cadence_holds_the_newest_release():
    (one, _), raw = sent(Defences(cadence_s=7200))
    odd = int(TIMES[0] % 7200 != 0)
    np.testing.assert_array_equal(one[odd::2][:4], one[odd + 1 :: 2][:4])
    np.testing.assert_allclose(one[odd::2], raw[odd::2], atol=1e-6)


def test_gradients_still_train_a_defended_agency():
    learner = agencies(TOWN, ["office"], taught=0)["office"]
    learner.settings = replace(learner.settings, defences=Defences(bits=1, cadence_s=7200))
    party = AgencyParty(learner, DeepGrant(agency="office", service=SERVICE), SERVICE, APPLICATION)
    party.handle(Message("forward", {}, {"times": {"times": TIMES}}), APPLICATION)
    before = learner.encode(TIMES).vectors_BCD
    gradient = np.full(before.shape, 0.1, np.float32)
    backward = Message("backward", {"steps": 20.0}, {"gradients": {"vectors": gradient}})
    party.handle(backward, APPLICATION)
    assert learner.encode(TIMES).vectors_BCD.mean() < before.mean()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("defended")
    town_map = quick_map(folder, agency=SET)
    name_policy(folder, "east", deep_grant(more='cadence = "2h"\nleakage = "any"'))
    run_vertical(load_map(town_map.path), folder / "run")
    return folder / "run"


def test_a_trained_package_carries_them_and_releases_so(trained):
    [file] = trained.glob("sites/east.weather/packages/*/*.encoder")
    package = load_encoder(file)
    facts = package.facts
    assert (facts.defences.bits, facts.defences.clip, facts.defences.noise) == (2, 0.5, 0.1)
    assert (facts.defences.hold_s, facts.grid.step_s, facts.any_leakage) == (3600, 7200, True)
    assert len(bytes.fromhex(facts.noise_key)) == 32
    assert facts.noise_key not in repr(package.facts)
    raw = np.random.default_rng(0).uniform(-1, 1, (5, 1, 4)).astype(np.float32)
    times = facts.grid.between(0, 5 * 7200)
    found = package.released(raw, np.ones((5, 1), bool), times)
    assert len(np.unique(np.round(found, 4))) <= 4
    assert np.abs(found).max() <= 0.5


def test_the_application_expects_the_slower_grid_and_the_policy_was_content(trained):
    [file] = trained.glob("sites/east.water/packages/*/*.fused")
    [agency] = load_fused(file).facts.agencies
    assert (agency.grid.step_s, agency.grid.phase_s) == (7200, 0)


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ("defences = { bits = 99 }", "bits"),
        ("defences = { noise = -1 }", "noise"),
        ("defences = { clip = 0 }", "clip"),
        ("defences = { cadence = 'often' }", "cadence"),
        ("leakage = 'much'", "leakage"),
    ],
)
def test_what_a_map_cannot_mean_is_refused_by_name(tmp_path, wrong, key):
    with pytest.raises(ConfigError, match=key):
        quick_map(tmp_path, agency=wrong)
