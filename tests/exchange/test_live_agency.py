"""An agency encodes each time once, when the rows before it are there."""

from dataclasses import replace

import numpy as np
import pytest
from live_town import DAY, HOUR, NOW

from deepcity.city.errors import GrantError, OutboxFullError
from deepcity.data.arrow import ARROW
from deepcity.exchange.deep_wire import read_space, unpack_deep
from deepcity.exchange.live_agency import LiveAgency
from deepcity.privacy.deep_grant import DeepGrant
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
        batch = unpack_deep(read_space(parcel.topic), parcel.body, ARROW)
        keys += list(zip(batch.time_R.tolist(), batch.cell_R.tolist(), strict=True))
        vectors.append(batch.vectors_RW)
        outbox.confirm(parcel.number)
    return keys, np.concatenate(vectors) if vectors else np.zeros((0, 3))


def test_it_begins_a_day_back_and_speaks_once_of_each_hour(town_trained, gates, outbox):
    found = gates.look_at(town_trained.panel("gates", NOW), NOW)
    assert (found.rows, found.until) == (25 * 3, NOW)
    keys, vectors = sent(outbox)
    assert sorted({time for time, _ in keys}) == list(range(NOW - DAY, NOW + 1, HOUR))
    times = np.arange(NOW - DAY, NOW + 1, HOUR)
    said = town_trained.learners["gates"].encode(times).vectors_BCD.reshape(-1, 3)
    order = np.argsort([key[1] for key in keys[:3]])
    wanted = said.reshape(-1, 3, 3)[0]
    np.testing.assert_allclose(np.sort(vectors[:3][order], 0), np.sort(wanted, 0), atol=1e-5)
    assert not gates.waits(NOW + HOUR - 1)
    assert gates.waits(NOW + HOUR)
    assert gates.look_at(town_trained.panel("gates", NOW), NOW).rows == 0
    assert gates.look_at(town_trained.panel("gates", NOW + HOUR), NOW + HOUR).rows == 3
    assert {time for time, _ in sent(outbox)[0]} == {NOW + HOUR}


def test_it_never_speaks_of_times_whose_rows_have_not_come(town_trained, gates, outbox):
    gates.look_at(town_trained.panel("gates", NOW), NOW + 5 * HOUR)
    assert max(time for time, _ in sent(outbox)[0]) == NOW


def test_it_never_speaks_of_the_future(town_trained, gates, outbox):
    gates.look_at(town_trained.panel("gates", NOW + 9 * HOUR), NOW)  # a zone told wrong
    assert max(time for time, _ in sent(outbox)[0]) == NOW


def test_a_cell_that_is_late_is_waited_for_and_then_left_out(town_trained, gates, outbox):
    panel = town_trained.panel("gates", NOW)
    values = panel.values_TNF.copy()
    values[-1, 0] = np.nan
    late = replace(panel, values_TNF=values)
    gates.look_at(late, NOW)
    assert max(time for time, _ in sent(outbox)[0]) == NOW - HOUR
    gates.look_at(late, NOW + HOUR // 2 - 1)
    assert not sent(outbox)[0]
    gates.look_at(panel, NOW + 60)  # it came
    assert [time for time, _ in sent(outbox)[0]] == [NOW] * 3
    values = town_trained.panel("gates", NOW + HOUR).values_TNF.copy()
    values[-1, 0] = np.nan
    gates.look_at(replace(town_trained.panel("gates", NOW + HOUR), values_TNF=values), NOW + 6000)
    assert [time for time, _ in sent(outbox)[0]] == [NOW + HOUR] * 3  # by its older rows


def test_what_a_restart_encodes_again_is_the_same_to_the_bit(town_trained, tmp_path):
    panel, found = town_trained.panel("gates", NOW), []
    for number, step in enumerate((1, 24)):  # hour by hour, and at once
        with Outbox(tmp_path / f"outbox-{number}") as outbox:
            live = LiveAgency(town_trained.encoders["gates"], outbox, since=NOW - 23 * HOUR)
            for hour in range(0, 24, step):
                until = NOW - (23 - hour - step + 1) * HOUR
                live.look_at(panel.between(0, until), until)
            found.append(sent(outbox))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_a_full_outbox_stops_it_and_room_lets_it_go_on(town_trained, tmp_path):
    panel = town_trained.panel("gates", NOW)
    with Outbox(tmp_path / "outbox", most_bytes=100) as outbox:
        with pytest.raises(OutboxFullError):
            LiveAgency(town_trained.encoders["gates"], outbox).look_at(panel, NOW)
        outbox.most_bytes = 10**6
        live = LiveAgency(town_trained.encoders["gates"], outbox)
        assert live.look_at(panel, NOW).rows == 75


def test_nothing_is_put_that_the_grant_does_not_cover(town_trained, gates, outbox):
    grant = DeepGrant(agency="gates", service="ridership", least_level=4)
    with pytest.raises(GrantError, match="shallower"):
        replace(gates, grant=grant).look_at(town_trained.panel("gates", NOW), NOW)
    assert outbox.first() is None
