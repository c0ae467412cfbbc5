"""Services that start from a layer package, between machines: the package lies beside each map."""

import shutil

import pytest
from little_map import service, three

from deepcity.city.errors import ExchangeError, LayerPackageError
from deepcity.maps.city_map import load_map
from deepcity.runs.machines.federated_map import map_of_federation
from deepcity.runs.run import load_results, run_map
from deepcity.store.packages.layer_package import load_package

pytest.importorskip("nvflare", reason="nvflare is not installed: pip install 'deepcity[flare]'")

from test_choices import errors, federation

from deepcity.exchange.flare.kits import FederationFile

HOW = {"levels": (3,), "rounds": 2, "settings": "pooled = false", "grant": "level = 3"}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Common layers of another little map."""
    folder = tmp_path_factory.mktemp("source")
    quick = {"levels": (6,), "rounds": 1, "settings": "automatic = false\npooled = false"}
    run_map(load_map(two(folder, **quick)), folder / "run")
    [found] = (folder / "run" / "coordinator" / "layers").glob("*.layers")
    return found


def reusing(folder, package, *, level=3, frozen=False, parties="east/*"):
    """A map with a copy of the package beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(package, folder)
    how = f'package = "{package.name}"\nlevel = {level}\nfrozen = {str(frozen).lower()}'
    return load_map(two(folder, parties, **HOW, more=f"[service.reuse]\n{how}"))


def two(folder, parties="east/*", **how):
    """Two parties of one city, for speed."""
    return three(folder).write(service(**how).replace("*/*", parties))


@pytest.mark.parametrize(
    ("level", "frozen", "parties"), [(3, True, "east/*"), (5, False, "west/*")]
)
def test_same_map_gives_the_same_choices_as_in_one_process(
    package, tmp_path, level, frozen, parties
):
    """A lone party chooses among the package's layers, also deeper ones than it would share."""
    city_map = reusing(tmp_path, package, level=level, frozen=frozen, parties=parties)
    desks, leader = federation(city_map, tmp_path, lease_rounds=3)
    [outcome] = leader.run()
    found = load_results(leader.folder)
    expected = run_map(city_map, tmp_path / "run")
    assert errors(found) == pytest.approx(errors(expected), rel=1e-6)
    ours, theirs = ([one.level for one in r.services[0].parties] for r in (found, expected))
    assert ours == theirs
    started = [one.code for one in found.services[0].notes if one.code.startswith("started")]
    assert started == ["started_frozen" if frozen else "started"]
    joined = outcome.trainings["level_3"].progress.state.layers["h1"]
    begun = load_package(package).layers["h1"]
    assert all((joined[name] == begun[name]).all() for name in begun) == frozen
    assert len(desks.leases) > 1


def test_a_site_without_the_package_takes_no_part_and_says_so(package, tmp_path):
    city_map = reusing(tmp_path / "map", package)
    desks, leader = federation(city_map, tmp_path)
    (tmp_path / "map" / package.name).rename(tmp_path / package.name)
    with pytest.raises(LayerPackageError, match="layers"):
        leader.run()  # the hub has none either
    assert desks.asked == []
    shutil.copytree(tmp_path / "map", tmp_path / "site")
    path = tmp_path / "east_south" / "local" / "deepcity.json"
    path.write_text(path.read_text().replace(str(tmp_path / "map"), str(tmp_path / "site")))
    (tmp_path / package.name).rename(tmp_path / "map" / package.name)
    with pytest.raises(ExchangeError, match=r"east/south.*cannot take part \(LayerPackageError\)"):
        leader.run()


def test_a_package_with_other_content_is_refused_by_the_hub(package, tmp_path):
    city_map = reusing(tmp_path, package)
    file = FederationFile(name="tests", map=str(city_map.path))
    assert map_of_federation(tmp_path, file).services
    copy = tmp_path / package.name
    copy.write_bytes(copy.read_bytes()[:-1] + b"x")
    with pytest.raises(LayerPackageError):
        map_of_federation(tmp_path, file)
