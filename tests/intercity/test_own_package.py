"""What a run keeps of each party says the same again, to the bit."""

import numpy as np
import pytest
from little_map import service, three

from deepcity.city.errors import CheckpointError
from deepcity.intercity.city_map import load_map
from deepcity.intercity.keeping import keep
from deepcity.intercity.own_networks import experts_of
from deepcity.intercity.own_package import OwnPackages
from deepcity.intercity.present_rows import rows_of
from deepcity.intercity.refine_party import ground_of
from deepcity.intercity.run import run_map
from deepcity.intercity.run_folder import site_folder
from deepcity.store.blob import seal, unseal

NEWCOMER = {
    "settings": 'newcomers = ["west/office"]\npooled = false',
    "grant": 'stem = "common"',
    "span": 'scarce = { "west/office" = 10 }',
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run with a newcomer, its map, and what `keep` was given."""
    given = {"parties": [], "choices": {}}
    folder = tmp_path_factory.mktemp("kept")
    path = three(folder).write(service(levels=(), rounds=2, **NEWCOMER))
    patch = pytest.MonkeyPatch()

    def kept(site, one, party, choice, tested):
        given["parties"].append(party)
        given["choices"][party.name] = choice
        keep(site, one, party, choice, tested)

    with patch.context() as context:
        context.setattr("deepcity.intercity.site.keep", kept)
        run_map(load_map(path), folder / "run")
    return folder, load_map(path), given


def restored(done, name):
    folder, city_map, _ = done
    (one,) = city_map.services
    member = next(member for member in one.members if member.name == name)
    package = OwnPackages.of(site_folder(folder / "run", name)).load(one.settings.name, name)
    ground = ground_of(one, rows_of(one, member, package), 1)
    return package, ground, experts_of(package.experts, ground)


@pytest.mark.parametrize("name", ["east/north", "west/office"])
def test_every_expert_says_what_it_said(done, name):
    _, ground, experts = restored(done, name)
    party = next(party for party in done[2]["parties"] if party.name == name)
    before = done[2]["choices"][name].experts
    assert len(before) == len(experts)
    samples = ground.inputs.samples(party.test_origins)
    for (level, said), again in zip(before, experts, strict=True):
        assert level == again.level
        np.testing.assert_array_equal(
            again.expert.predict(samples, party.test_origins),
            said.predict(party.test, party.test_origins),
        )


def test_a_newcomer_keeps_networks_in_others_scale_and_its_ridge(done):
    _, ground, experts = restored(done, "west/office")
    networks = [one.kept.arrays for one in experts if one.expert.kind == "network"]
    assert len({arrays["scale_N1"].tobytes() for arrays in networks}) == 2
    assert {bool(arrays["every_weekday"]) for arrays in networks} == {False, True}
    assert sum(one.expert.kind == "ridge" for one in experts) == 1
    assert all(arrays["scale_N1"].shape == ground.inputs.scale_N1.shape for arrays in networks)


def test_nothing_is_forgotten_before_anything_is_learned(done):
    for name in ("east/north", "west/office"):
        _, _, experts = restored(done, name)
        assert [one.forgot for one in experts] == pytest.approx([0.0] * len(experts))


def test_a_package_goes_round(done, tmp_path):
    package, _, _ = restored(done, "west/office")
    packages = OwnPackages.of(tmp_path)
    packages.save(package)
    again = packages.load("water", "west/office")
    assert (again.identity, again.times, again.days) == (
        package.identity,
        package.times,
        package.days,
    )
    np.testing.assert_array_equal(again.council.weights_E, package.council.weights_E)
    for one, other in zip(again.experts, package.experts, strict=True):
        assert (one.level, one.kind, one.known) == (other.level, other.kind, other.known)
        assert one.arrays.keys() == other.arrays.keys()
        assert bool(one.arrays) == (one.kind in ("network", "ridge"))
        for name, values in one.arrays.items():
            np.testing.assert_array_equal(values, other.arrays[name])


def test_a_package_of_another_layout_is_refused_with_the_next_step(done, tmp_path):
    package, _, _ = restored(done, "east/north")
    packages = OwnPackages.of(tmp_path)
    path = packages.save(package)
    arrays, header = unseal(path.read_bytes())
    del header["sha256"]
    header["values"]["times"]["dreamt_to"] = 0
    path.write_bytes(seal(arrays, header))
    with pytest.raises(CheckpointError, match="another version of deepcity"):
        packages.load("water", "east/north")
