"""What an agency's events add up to is what was known."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.live.node.records import agency_records
from deepcity.live.node.records.agency_records import changed_rows, folded, merged, rows_events
from deepcity.store.events.event import Event, EventDraft

HOUR = 3600


def panel(first, values_TN, places=("a", "b")):
    values = np.array(values_TN, np.float32).reshape(-1, len(places), 1)
    return Panel(
        clock=Clock("UTC", timedelta(hours=1)),
        time_T=(first + np.arange(len(values), dtype=np.int64)) * HOUR,
        places=tuple(Place(name) for name in places),
        fields=(Field("flow", Kind.FLOW, "L/s"),),
        values_TNF=values,
    )


def stored(drafts):
    names = EventDraft.__dataclass_fields__
    return [Event(**{name: getattr(one, name) for name in names}, seq=1) for one in drafts]


def empty(one):
    return replace(one, time_T=one.time_T[:0], values_TNF=one.values_TNF[:0])


def same(one, other):
    return np.array_equal(one.time_T, other.time_T) and np.array_equal(
        one.values_TNF, other.values_TNF, equal_nan=True
    )


cells = st.one_of(st.just(float("nan")), st.integers(0, 5).map(float))
arrivals = st.lists(
    st.tuples(st.integers(0, 8), st.lists(st.tuples(cells, cells), min_size=1, max_size=6)),
    min_size=1,
    max_size=5,
)


@settings(deadline=None)
@given(arrivals)
def test_events_add_up_to_what_the_node_holds(found):
    """Whatever comes, in whatever order, with corrections, gaps and overlaps."""
    known, events = empty(panel(0, [[0, 0]])), []
    for moment, (first, rows) in enumerate(found):
        new = panel(first, rows)
        events += rows_events("x", new, changed_rows(known, new), moment)
        known = merged(known, new)
    again = folded(stored(events), empty(known))
    assert same(again, known)


def test_nothing_new_gives_no_event():
    one = panel(5, [[1, 2], [3, np.nan]])
    assert rows_events("x", one, changed_rows(one, one), 0) == []


def test_a_corrected_value_is_an_event_of_its_step_alone():
    before = panel(5, [[1, 2], [3, 4]])
    after = panel(5, [[1, 2], [3, 5], [6, 7]])
    changed = changed_rows(before, after)
    assert changed.time_C.tolist() == [6 * HOUR, 7 * HOUR]


def test_rows_that_the_source_lost_stay_known():
    before, after = panel(5, [[1, 2], [3, 4], [5, 6]]), panel(7, [[5, 6], [7, 8]])
    found = merged(before, after)
    assert found.time_T.tolist() == [hour * HOUR for hour in (5, 6, 7, 8)]
    assert found.values_TNF[0, 0, 0] == 1


def test_a_long_history_takes_several_events(monkeypatch):
    monkeypatch.setattr(agency_records, "_MOST_VALUES", 4)
    one = panel(0, [[1, 2]] * 7)
    events = rows_events("x", one, changed_rows(empty(one), one), 0)
    assert [event.body["steps"] for event in events] == [2, 2, 2, 1]
    assert same(folded(stored(events), empty(one)), one)


def test_places_are_told_apart_by_name():
    old = panel(0, [[1, 2]], places=("a", "b"))
    events = stored(rows_events("x", old, changed_rows(empty(old), old), 0))
    now = empty(panel(0, [[0, 0, 0]], places=("b", "c", "a")))
    found = folded(events, now)
    assert found.values_TNF[0, :, 0].tolist() == pytest.approx([2, np.nan, 1], nan_ok=True)
