"""A node's forecasters learn from new days, and what changed is an event."""

from live_city import DAY, HOUR, START

from deepcity.live.node.updates import DailyUpdate, working_copies
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.store.events.event import EventKind, EventQuery
from deepcity.store.run_folder import site_folder


def newest(folder, party="a/x"):
    return BundleStore.of(site_folder(folder, party)).newest("water", party)


def test_at_the_beginning_of_a_day_it_learns_from_the_days_before(open_node, trained, tmp_path):
    (copy,) = working_copies([trained / "run"], tmp_path)
    update = DailyUpdate((copy,), "a")
    node = open_node(run=copy, update=update, start=START + 2 * DAY - HOUR)
    node.tick()
    assert not node.events.read(EventQuery((EventKind.UPDATE,)))
    before = node.parties["water", "a/x"].forecast
    node.tick()
    found = node.events.read(EventQuery((EventKind.UPDATE,)))
    assert [event.party for event in found] == ["a/x", "a/y"]
    body = found[0].body
    assert body["outcome"] in ("refined", "kept"), body
    assert body["learned_to_s"] <= node.clock.now()
    assert body["forgetting"] <= body["max_forgetting"]
    assert newest(copy) == newest(trained / "run") + 1
    assert node.parties["water", "a/x"].forecast.origin_s == before.origin_s + HOUR
    node.tick()
    assert len(node.events.read(EventQuery((EventKind.UPDATE,)))) == 2


def test_a_run_that_cannot_be_updated_says_why(open_node, trained, tmp_path):
    (copy,) = working_copies([trained / "run"], tmp_path)
    for path in copy.glob("sites/*/own/*"):
        path.write_bytes(b"damaged")
    node = open_node(update=DailyUpdate((copy,), "a"), start=START + DAY - HOUR)
    node.tick()
    node.tick()
    found = node.events.read(EventQuery((EventKind.UPDATE,)))
    assert {event.body["outcome"] for event in found} == {"problem"}
    assert "damaged" in found[0].body["problem"]
    assert node.parties["water", "a/x"].forecast is not None


def test_copies_are_made_once_and_whole(trained, tmp_path):
    first = working_copies([trained / "run"], tmp_path)
    (first[0] / "mark").write_text("kept")
    assert working_copies([trained / "run"], tmp_path) == first
    assert (first[0] / "mark").exists()
