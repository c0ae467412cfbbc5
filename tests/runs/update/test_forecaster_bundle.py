"""What a run keeps of each party says the same again, to the bit."""

import numpy as np
import pytest
from little_map import service, three

from deepcity.city.errors import CheckpointError
from deepcity.maps.city_map import load_map
from deepcity.runs.run import run_map
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.runs.update.party import build_refine_data
from deepcity.runs.update.record_check import load_records
from deepcity.runs.update.refinable_experts import experts_of
from deepcity.runs.update.save_forecaster import save_forecasters
from deepcity.store.blob import seal, unseal
from deepcity.store.run_folder import site_folder
from deepcity.store.signatures.keyring import own_keyring
from deepcity.store.signatures.signed_files import sign_file

NEWCOMER = {
    "settings": 'newcomers = ["west/office"]\npooled = false',
    "grant": 'stem = "common"',
    "span": 'scarce = { "west/office" = 10 }',
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run with a newcomer, its map, and what `save_forecasters` was given."""
    given = {"parties": [], "choices": {}}
    folder = tmp_path_factory.mktemp("kept")
    path = three(folder).write(service(levels=(), rounds=2, **NEWCOMER))
    patch = pytest.MonkeyPatch()

    def kept(site, one, party, choice, tested):
        given["parties"].append(party)
        given["choices"][party.name] = choice
        save_forecasters(site, one, party, choice, tested)

    with patch.context() as context:
        context.setattr("deepcity.runs.site.save_forecasters", kept)
        run_map(load_map(path), folder / "run")
    return folder, load_map(path), given


def restored(done, name):
    folder, city_map, _ = done
    (one,) = city_map.services
    member = next(member for member in one.members if member.name == name)
    package = BundleStore.of(site_folder(folder / "run", name)).load(one.settings.name, name)
    refine_data = build_refine_data(one, load_records(one, member, package), 1)
    return package, refine_data, experts_of(package.experts, refine_data)


@pytest.mark.parametrize("name", ["east/north", "west/office"])
def test_every_expert_forecasts_as_before_it_was_saved(done, name):
    _, refine_data, experts = restored(done, name)
    party = next(party for party in done[2]["parties"] if party.name == name)
    before = done[2]["choices"][name].experts
    assert len(before) == len(experts)
    samples = refine_data.inputs.samples(party.test_origins)
    for (level, original), again in zip(before, experts, strict=True):
        assert level == again.level
        np.testing.assert_array_equal(
            again.expert.predict(samples, party.test_origins),
            original.predict(party.test, party.test_origins),
        )


def test_a_newcomer_keeps_networks_in_others_scale_and_its_ridge(done):
    _, refine_data, experts = restored(done, "west/office")
    networks = [one.kept.arrays for one in experts if one.expert.kind == "network"]
    assert len({arrays["scale_N1"].tobytes() for arrays in networks}) == 2
    assert {bool(arrays["every_weekday"]) for arrays in networks} == {False, True}
    assert sum(one.expert.kind == "ridge" for one in experts) == 1
    assert all(arrays["scale_N1"].shape == refine_data.inputs.scale_N1.shape for arrays in networks)


def test_nothing_is_forgotten_before_anything_is_learned(done):
    for name in ("east/north", "west/office"):
        _, _, experts = restored(done, name)
        assert [one.forgetting for one in experts] == pytest.approx([0.0] * len(experts))


def test_a_package_goes_round(done, tmp_path):
    package, _, _ = restored(done, "west/office")
    packages = BundleStore.of(tmp_path)
    packages.save(package)
    again = packages.load("water", "west/office")
    assert (again.identity, again.times, again.days) == (
        package.identity,
        package.times,
        package.days,
    )
    np.testing.assert_array_equal(again.ensemble.weights_E, package.ensemble.weights_E)
    for one, other in zip(again.experts, package.experts, strict=True):
        assert (one.level, one.kind, one.known) == (other.level, other.kind, other.known)
        assert one.arrays.keys() == other.arrays.keys()
        assert bool(one.arrays) == (one.kind in ("network", "ridge"))
        for name, values in one.arrays.items():
            np.testing.assert_array_equal(values, other.arrays[name])


def test_a_package_of_another_layout_is_refused_with_the_next_step(done, tmp_path):
    package, _, _ = restored(done, "east/north")
    packages = BundleStore.of(tmp_path)
    path = packages.save(package)
    arrays, header = unseal(path.read_bytes())
    del header["sha256"]
    header["values"]["times"]["dreamt_to"] = 0
    path.write_bytes(seal(arrays, header))
    sign_file(path, own_keyring())
    with pytest.raises(CheckpointError, match="another version of deepcity"):
        packages.load("water", "east/north")
