"""A city that comes when a run is over: it starts from what is there, and nobody learns anew."""

import pytest
from little_map import LittleMap, flows, quarters, service, three, without_seconds

from deepcity.city.errors import CheckpointError, DataError
from deepcity.city.progress import NoProgress
from deepcity.maps.city_map import load_map
from deepcity.runs.run import run_map
from deepcity.store.run_folder import LASTING_FILES, RUN_FILES

FIRST = "west/office"
SPAN = {FIRST: 10, "north/port": 8, "east/new": 8}


def written(little, *late, days=None, **how):
    """The map with these newcomers, who own few days."""
    scarce = ", ".join(f'"{name}" = {(days or SPAN)[name]}' for name in late)
    how = {"grant": 'stem = "common"', "span": f"scarce = {{ {scarce} }}", **how}
    return little.write(
        service(levels=(2,), rounds=2, settings=f"newcomers = {list(late)}\npooled = false", **how)
    )


class Trained(NoProgress):
    """Which tasks had steps of their own."""

    def __init__(self, stop_at=()):
        self.tasks, self.skipped, self.stop_at = [], [], stop_at

    def skip(self, task):
        self.skipped.append(task)

    def advance(self, task, done):
        self.tasks.append((task, done))
        if (task, done) == self.stop_at:
            raise KeyboardInterrupt

    def rounds_of(self, word):
        return [done for task, done in self.tasks if word in task]


def run(path, folder, listener=None):
    return run_map(load_map(path), folder, listener)


def files(folder, *beginnings):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.checkpoint")
        if path.name.startswith(beginnings)
    }


MEMBERS = ("water.alone.", "water.level_", "water.episodic-")


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """A little map with one newcomer, run."""
    folder = tmp_path_factory.mktemp("later")
    little = three(folder)
    return little, folder / "run", run(written(little, FIRST), folder / "run")


@pytest.mark.parametrize("new", ["north/port", "east/new"])
def test_it_starts_from_what_is_there_and_nobody_trains_anew(before, tmp_path, new):
    little, folder, earlier = before
    little = LittleMap(little.folder, dict(little.parties)).party(new, flows(seed=9))
    was, listener = files(folder, *MEMBERS), Trained()
    assert any("episodic" in name for name in was)
    results = run(written(little, FIRST, new), folder, listener)
    assert files(folder, *MEMBERS) == was
    assert (
        not listener.rounds_of("water: alone")
        + listener.rounds_of("level")
        + listener.rounds_of("episodic")
    )
    assert len(listener.rounds_of("newcomers alone")) == 2  # its own; the first one's are done
    (only,), (of_before,) = results.services, earlier.services
    late = {party.name: party for party in only.parties if party.newcomer}
    assert set(late) == {FIRST, new}
    for party in of_before.parties:
        (same,) = [one for one in only.parties if one.name == party.name]
        assert same.test == party.test
        assert same.weights_after == party.weights_after
    fresh = run(written(LittleMap(tmp_path, little.parties), FIRST, new), tmp_path / "run")
    found = [without_seconds(one.model_dump(mode="json")) for one in (results, fresh)]
    assert found[0] == found[1]


def test_a_fresh_run_forgets_every_file_of_one_with_newcomers(before):
    _, folder, _ = before
    files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    known = (*RUN_FILES, *LASTING_FILES)
    assert files == {path for path in files if any(path.match(one) for one in known)}


def test_the_first_newcomer_may_come_after_a_run_without_any(tmp_path):
    little = three(tmp_path)
    office = little.parties.pop(FIRST)
    grant = {"grant": 'stem = "common"'}
    run(
        little.write(service(levels=(2,), rounds=2, settings="pooled = false", **grant)),
        tmp_path / "run",
    )
    was, listener = files(tmp_path / "run", "water.alone.", "water.level_"), Trained()
    results = run(written(little.party(FIRST, office), FIRST), tmp_path / "run", listener)
    assert files(tmp_path / "run", "water.alone.", "water.level_") == was
    assert listener.rounds_of("episodic")[-1] in {6, 24}
    assert [party.newcomer for party in results.services[0].parties] == [False, False, True]


@pytest.mark.parametrize("change", ["days", "records", "member", "members"])
def test_whoever_is_there_must_be_as_it_was(before, change):
    little, folder, _ = before
    little = LittleMap(little.folder, dict(little.parties))
    reason = "newcomer west/office have changed"
    if change == "days":
        path = written(little, FIRST, days={FIRST: 12})
    elif change == "records":
        path = written(little.party(FIRST, flows(seed=77)), FIRST)
    elif change == "member":
        path, reason = written(little), "another map"
    else:
        path, reason = written(little, FIRST, local_steps=5), "another map"
    with pytest.raises(CheckpointError, match=reason):
        run(path, folder)
    three(little.folder)
    run(written(three(little.folder), FIRST), folder)  # as it was: still good


def test_a_newcomer_that_was_refused_may_come_with_more_days(before):
    little, folder, _ = before
    little = LittleMap(little.folder, dict(little.parties)).party("north/pier", flows(seed=3))
    with pytest.raises(DataError, match="north/pier"):
        run(written(little, FIRST, "north/pier", days={FIRST: 10, "north/pier": 400}), folder)
    results = run(written(little, FIRST, "north/pier", days={FIRST: 10, "north/pier": 9}), folder)
    assert len(results.services[0].parties) == 4


def test_episodic_training_that_was_stopped_goes_on_and_ends_the_same(before, tmp_path):
    little, _, whole = before
    path = written(LittleMap(tmp_path, dict(little.parties)), FIRST)
    with pytest.raises(KeyboardInterrupt):
        run(path, tmp_path / "run", Trained(stop_at=("water: episodic training for newcomers", 4)))
    listener = Trained()
    again = run(path, tmp_path / "run", listener)
    assert listener.rounds_of("episodic")[0] == 5
    assert not listener.rounds_of("level")
    first, second = (without_seconds(one.model_dump(mode="json")) for one in (whole, again))
    assert first == second


def of_two_steps(folder, *late):
    """An hourly party and one by quarters of an hour; newcomers are by quarters, too."""
    little = LittleMap(folder).party("east/north", flows(seed=0, places=1))
    for seed, name in enumerate(("west/fine", *late), 1):
        little.party(name, flows(seed=seed, places=2))
    path = little.write(
        service(
            levels=(),
            rounds=2,
            settings=f"newcomers = {list(late)}\npooled = false",
            grant='stem = "common"',
        )
    )
    quarters(path, "west")
    windows = [f'"{name}" = {{ history = 8, horizon = 24 }}' for name in ("west/fine", *late)]
    path.write_text("\n".join([path.read_text(), "[service.windows]", *windows]))
    return path


def test_members_begin_anew_where_a_newcomer_changes_what_they_share(tmp_path):
    """A lone party's stem and head fit nobody; with a newcomer of its step they are shared."""
    run(of_two_steps(tmp_path), tmp_path / "run")
    path, listener = of_two_steps(tmp_path, "west/late"), Trained()
    late = run(path, tmp_path / "run", listener)
    assert listener.rounds_of("level") == [1, 2]
    assert listener.skipped == [
        "water: episodic training for newcomers"
    ]  # shapes differ: no episodes
    assert not listener.rounds_of("water: alone")
    fresh = run(path, tmp_path / "fresh")
    first, second = (without_seconds(one.model_dump(mode="json")) for one in (late, fresh))
    assert first == second
    assert_forecaster_bundles_equal(tmp_path / "run", tmp_path / "fresh")


def assert_forecaster_bundles_equal(*folders):
    first, second = (
        {path.name: path.read_bytes() for path in folder.glob("sites/*/own/*")}
        for folder in folders
    )
    assert first == second
