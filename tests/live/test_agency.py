"""An agency encodes each time once, when the rows before it are there."""

from dataclasses import replace

import numpy as np
import pytest
from live_town import DAY, HOUR, NOW

from deepcity.city.errors import GrantError, OutboxFullError
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.live import agency as live_agency
from deepcity.live.agency import LiveAgency
from deepcity.live.revisions import Correction
from deepcity.live.wire import BLOB, cell_names, read_space, unpack_deep
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.privacy.defences.release import hold_small_moves, quantise
from deepcity.privacy.defences.settings import Defences
from deepcity.store.outbox import Outbox


@pytest.fixture
def outbox(tmp_path):
    with Outbox(tmp_path / "outbox") as outbox:
        yield outbox


@pytest.fixture
def gates(town_trained, outbox):
    return LiveAgency(town_trained.encoders["gates"], outbox)


def sent(outbox):
    """(time, cell) of all that waits, in order, and their vectors."""
    keys, vectors = [], []
    while (parcel := outbox.first()) is not None:
        batch = unpack_deep(read_space(parcel.topic), parcel.body, BLOB)
        keys += list(zip(batch.time_R.tolist(), batch.cell_R.tolist(), strict=True))
        vectors.append(batch.vectors_RW)
        outbox.confirm(parcel.number)
    return keys, np.concatenate(vectors) if vectors else np.zeros((0, 3))


def test_it_begins_a_day_back_and_speaks_once_of_each_hour(town_trained, gates, outbox):
    found = gates.encode_new(town_trained.panel("gates", NOW), NOW)
    assert (found.rows, found.until) == (25 * 3, NOW)
    keys, vectors = sent(outbox)
    assert sorted({time for time, _ in keys}) == list(range(NOW - DAY, NOW + 1, HOUR))
    times = np.arange(NOW - DAY, NOW + 1, HOUR)
    encoded = town_trained.learners["gates"].encode(times).vectors_BCD.reshape(-1, 3)
    order = np.argsort([key[1] for key in keys[:3]])
    wanted = encoded.reshape(-1, 3, 3)[0]
    np.testing.assert_allclose(np.sort(vectors[:3][order], 0), np.sort(wanted, 0), atol=1e-5)
    assert not gates.has_due_time(NOW + HOUR - 1)
    assert gates.has_due_time(NOW + HOUR)
    assert gates.encode_new(town_trained.panel("gates", NOW), NOW).rows == 0
    assert gates.encode_new(town_trained.panel("gates", NOW + HOUR), NOW + HOUR).rows == 3
    assert {time for time, _ in sent(outbox)[0]} == {NOW + HOUR}


def test_it_never_speaks_of_times_whose_rows_have_not_come(town_trained, gates, outbox):
    gates.encode_new(town_trained.panel("gates", NOW), NOW + 5 * HOUR)
    assert max(time for time, _ in sent(outbox)[0]) == NOW


def test_it_never_speaks_of_the_future(town_trained, gates, outbox):
    gates.encode_new(town_trained.panel("gates", NOW + 9 * HOUR), NOW)  # a zone told wrong
    assert max(time for time, _ in sent(outbox)[0]) == NOW


def test_a_cell_that_is_late_is_waited_for_and_then_left_out(town_trained, gates, outbox):
    panel = town_trained.panel("gates", NOW)
    values = panel.values_TNF.copy()
    values[-1, 0] = np.nan
    late = replace(panel, values_TNF=values)
    gates.encode_new(late, NOW)
    assert max(time for time, _ in sent(outbox)[0]) == NOW - HOUR
    gates.encode_new(late, NOW + HOUR // 2 - 1)
    assert not sent(outbox)[0]
    gates.encode_new(panel, NOW + 60)  # it came
    assert [time for time, _ in sent(outbox)[0]] == [NOW] * 3
    values = town_trained.panel("gates", NOW + HOUR).values_TNF.copy()
    values[-1, 0] = np.nan
    gates.encode_new(
        replace(town_trained.panel("gates", NOW + HOUR), values_TNF=values), NOW + 6000
    )
    assert [time for time, _ in sent(outbox)[0]] == [NOW + HOUR] * 3  # by its older rows


def test_what_a_restart_encodes_again_is_the_same_to_the_bit(town_trained, tmp_path):
    panel, found = town_trained.panel("gates", NOW), []
    for number, step in enumerate((1, 24)):  # hour by hour, and at once
        with Outbox(tmp_path / f"outbox-{number}") as outbox:
            live = LiveAgency(town_trained.encoders["gates"], outbox, since=NOW - 23 * HOUR)
            for hour in range(0, 24, step):
                until = NOW - (23 - hour - step + 1) * HOUR
                live.encode_new(panel.between(0, until), until)
            found.append(sent(outbox))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_a_full_outbox_stops_it_and_room_lets_it_go_on(town_trained, tmp_path):
    panel = town_trained.panel("gates", NOW)
    with Outbox(tmp_path / "outbox", max_bytes=100) as outbox:
        with pytest.raises(OutboxFullError):
            LiveAgency(town_trained.encoders["gates"], outbox).encode_new(panel, NOW)
        outbox.max_bytes = 10**6
        live = LiveAgency(town_trained.encoders["gates"], outbox)
        assert live.encode_new(panel, NOW).rows == 75


def test_nothing_is_put_that_the_grant_does_not_cover(town_trained, gates, outbox):
    grant = DeepGrant(agency="gates", service="ridership", least_level=4)
    with pytest.raises(GrantError, match="shallower"):
        replace(gates, grant=grant).encode_new(town_trained.panel("gates", NOW), NOW)
    assert outbox.first() is None


def corrected(panel, changes):
    """The panel with other values: {(time, place): value}."""
    values = panel.values_TNF.copy()
    for (time, place), value in changes.items():
        values[np.searchsorted(panel.time_T, time), place] = value
    return replace(panel, values_TNF=values)


def parcels(outbox):
    found = []
    while (parcel := outbox.first()) is not None:
        batch = unpack_deep(read_space(parcel.topic), parcel.body, BLOB)
        found.append((parcel.revision, batch))
        outbox.confirm(parcel.number)
    return found


@pytest.mark.parametrize("restarted", [False, True])
def test_a_correction_is_sent_as_a_revision_of_what_it_touches_alone(
    town_trained, gates, outbox, restarted
):
    package, panel = town_trained.encoders["gates"], town_trained.panel("gates", NOW)
    gates.encode_new(panel, NOW)
    first = np.concatenate([batch.vectors_RW for _, batch in parcels(outbox)])
    other = corrected(panel, {(NOW - 3 * HOUR, 1): 400})
    again = LiveAgency(package, outbox) if restarted else gates
    found = again.encode_new(other, NOW + 60)
    ((revision, batch),) = parcels(outbox)
    assert (found.rows, found.until, found.revised) == (0, NOW, len(batch))
    assert revision == NOW + 60
    assert batch.known_R.all()
    times = np.arange(NOW - DAY, NOW + 1, HOUR)
    encoded = package.encode(other, times).vectors_BCD
    before = package.encode(panel, times).vectors_BCD
    assert np.allclose(np.sort(before.reshape(-1, 3), 0), np.sort(first, 0), atol=1e-6)
    moved = np.abs(encoded - before).max(axis=2) > 1e-5
    assert set(batch.time_R.tolist()) == {NOW - 2 * HOUR, NOW - HOUR, NOW}  # who looked at it
    assert len(batch) == moved.sum() == 3
    np.testing.assert_array_equal(np.sort(batch.vectors_RW, 0), np.sort(encoded[moved], 0))
    assert again.encode_new(other, NOW + 120).revised == 0  # once


def test_a_second_correction_is_of_a_higher_revision_whatever_the_clock(
    town_trained, gates, outbox
):
    panel = town_trained.panel("gates", NOW)
    gates.encode_new(panel, NOW)
    parcels(outbox)
    revisions = []
    for value, now in ((400, NOW + 60), (300, NOW + 60), (400, NOW)):
        assert gates.encode_new(corrected(panel, {(NOW - HOUR, 1): value}), now).revised
        revisions += [revision for revision, _ in parcels(outbox)]
    assert revisions == [NOW + 60, NOW + 61, NOW + 62]


def test_what_a_correction_takes_back_is_reported_and_may_come_again(town_trained, gates, outbox):
    panel = town_trained.panel("gates", NOW)
    gates.encode_new(panel, NOW)
    parcels(outbox)
    broken = {(NOW - hours * HOUR, 1): np.nan for hours in range(1, 6)}  # longer than it looks
    gates.encode_new(corrected(panel, broken), NOW + 60)
    ((_, batch),) = parcels(outbox)
    silent = ~batch.known_R
    assert set(batch.time_R[silent].tolist()) == {NOW - HOUR, NOW}
    assert not batch.vectors_RW[silent].any()
    assert gates.encode_new(panel, NOW + 120).revised == len(batch)
    assert all(batch.known_R.all() for _, batch in parcels(outbox))


def test_rows_that_come_after_the_late_wait_are_sent_again(town_trained, gates, outbox):
    panel = town_trained.panel("gates", NOW)
    gates.encode_new(corrected(panel, {(NOW - HOUR, 0): np.nan}), NOW + HOUR // 2 + 1)
    parcels(outbox)
    assert gates.encode_new(panel, NOW + 2000).revised == 1
    ((_, batch),) = parcels(outbox)
    encoded = town_trained.encoders["gates"].encode(panel, np.array([NOW])).vectors_BCD[0]
    assert any(np.allclose(batch.vectors_RW[0], vector, atol=1e-5) for vector in encoded)


@pytest.mark.parametrize(("hours", "correction"), [(0, 0), (1, 2), (None, 4)])
def test_how_far_back_corrections_are_sent_is_bounded(town_trained, outbox, hours, correction):
    back = None if hours is None else hours * HOUR
    gates = LiveAgency(town_trained.encoders["gates"], outbox, revision_window_s=back)
    panel = town_trained.panel("gates", NOW)
    gates.encode_new(panel, NOW)
    parcels(outbox)
    assert gates.encode_new(corrected(panel, {(NOW - 4 * HOUR, 2): 400}), NOW).revised == correction


def test_rows_that_are_forgotten_are_no_correction(town_trained, outbox):
    gates = LiveAgency(town_trained.encoders["gates"], outbox, since=NOW - 20 * DAY)
    gates.encode_new(town_trained.panel("gates", NOW), NOW)
    parcels(outbox)
    shorter = town_trained.panel("gates").between(NOW - 9 * DAY, NOW + HOUR)
    assert gates.encode_new(shorter, NOW + HOUR).revised == 0
    other = corrected(shorter, {(NOW - HOUR, 1): 400})
    assert gates.encode_new(other, NOW + HOUR).revised == 2  # those whose whole week is there
    old = corrected(other, {(NOW - 8 * DAY, 1): 400})
    found = gates.encode_new(old, NOW + HOUR)
    assert all((batch.time_R >= NOW - 2 * DAY).all() for _, batch in parcels(outbox)), found


def test_a_correction_that_does_not_fit_into_the_outbox_waits_for_room(town_trained, tmp_path):
    panel = town_trained.panel("gates", NOW)
    other = corrected(panel, {(NOW - 2 * HOUR, 1): 400})
    with Outbox(tmp_path / "outbox") as outbox:
        gates = LiveAgency(town_trained.encoders["gates"], outbox)
        gates.encode_new(panel, NOW)
        parcels(outbox)
        outbox.max_bytes = 100
        with pytest.raises(OutboxFullError):
            gates.encode_new(other, NOW)
        outbox.max_bytes = 10**6
        assert gates.encode_new(other, NOW).revised == 2


def test_no_parcel_is_larger_than_agreed(town_trained, outbox, monkeypatch):
    monkeypatch.setattr(live_agency, "PARCEL_ROWS", 2)  # fewer than there are cells
    gates = LiveAgency(town_trained.encoders["gates"], outbox, since=NOW - 2 * HOUR)
    assert gates.encode_new(town_trained.panel("gates", NOW), NOW).rows == 9
    assert [len(batch) for _, batch in parcels(outbox)] == [2, 1] * 3


def test_steps_too_small_to_be_sent_add_up():
    """What is remembered is what was said, not what would have been."""
    before = DeepBatch(np.zeros((1, 2, 3), np.float32), np.ones((1, 2), bool))
    little = DeepBatch(np.full((1, 2, 3), 0.6e-5, np.float32), before.known_BC)
    correction = Correction(np.array([NOW]), before, {})
    assert not correction.changed(slice(0, 1), little).any()
    kept = correction.merged(slice(0, 1), little, np.array([[False, True]]))
    np.testing.assert_array_equal(kept.vectors_BCD[0, :, 0], np.float32([0, 0.6e-5]))
    more = DeepBatch(2 * little.vectors_BCD, before.known_BC)
    changed = Correction(np.array([NOW]), kept, {}).changed(slice(0, 1), more)
    assert changed.tolist() == [[True, False]]


def test_its_defences_are_on_the_wire(town_trained, outbox):
    """Two bits, and a cell that has hardly moved is sent at every other time at the most."""
    plain = town_trained.encoders["gates"]
    defences = Defences(bits=2, min_change=0.5, hold_s=HOUR)
    package = replace(plain, facts=replace(plain.facts, defences=defences))
    panel = town_trained.panel("gates", NOW)
    found = LiveAgency(package, outbox).encode_new(panel, NOW)
    keys, vectors = sent(outbox)
    assert len(np.unique(np.round(vectors, 4))) <= 4
    assert 12 * 3 < found.rows == len(keys) < 25 * 3
    last = {}
    for time, cell in keys:
        assert time - last.get(cell, time) <= 2 * HOUR
        last[cell] = time
    times = np.arange(NOW - DAY, NOW + 1, HOUR)
    raw = plain.encode(panel, times)
    has = hold_small_moves(
        quantise(raw.vectors_BCD, 2), raw.known_BC, times, package.facts.defences
    )
    index = {cell: row for row, cell in enumerate(cell_names(plain.cells).tolist())}
    for (time, cell), vector in zip(keys, vectors, strict=True):
        np.testing.assert_allclose(vector, has[(time - times[0]) // HOUR, index[cell]], atol=1e-6)
