"""Corrections in every store of deep data, and long reads; each test faces both databases."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_deep_data_contract import DAY, NOW, fill, keys, message, on_one_store

from deepcity.city.errors import DeepDataError
from deepcity.store.deep_data import chunked_read as gather
from deepcity.store.deep_data.batch import DeepData
from deepcity.store.deep_data.upsert import Appended


@on_one_store
@given(data=st.data(), sent=st.lists(st.tuples(keys, st.integers(0, 3)), max_size=12))
def test_whatever_the_order_the_highest_revision_counts(store, fresh, batch, data, sent):
    """Revision 2 of a cell takes back what was said of it; each (key, revision) is one vector."""
    space, seen = fresh(), {}
    store.register(space, 2)
    for key, revision in data.draw(st.permutations([*sent, *sent])):
        vector = (0, 0) if revision == 2 else (key[0] % 7 + 1, revision)
        row = replace(batch(space, [(*key, vector)]), known_R=np.array([revision != 2]))
        before = seen.get(key, -1)
        kinds = {-1: "new", revision: "repeated"}
        kind = kinds.get(before, "revised" if before < revision else "outdated")
        assert store.append(row, now=NOW, revision=revision) == Appended(**{kind: 1})
        seen[key] = max(before, revision)
    wanted = [
        (*key, (float(key[0] % 7 + 1), float(revision)))
        for key, revision in sorted(seen.items())
        if revision != 2
    ]
    assert message(store.read(space, None, 0, NOW, reader="app")) == wanted
    newest = sorted({row[1]: row for row in wanted}.values())
    assert message(store.latest(space, None, NOW, reader="app")) == newest
    near = store.nearest(space, np.ones(2, np.float32), 99, reader="app")
    assert len(near.time_K) == len(wanted)


def test_within_a_revision_another_vector_is_refused(store, space, batch):
    fill(store, space, {(1, "a"): (1, 1), (1, "b"): (2, 2)}, batch)
    assert store.append(batch(space, [(1, "a", (3, 3))]), now=NOW, revision=5).revised == 1
    for other in ([(1, "a", (4, 4))], [(1, "b", (2, 2)), (1, "a", (1, 1))]):
        with pytest.raises(DeepDataError, match="holds another vector of revision 5"):
            store.append(batch(space, other), now=NOW, revision=5)
    gone = replace(batch(space, [(1, "a", (0, 0))]), known_R=np.array([False]))
    with pytest.raises(DeepDataError, match="holds another vector of revision 5"):
        store.append(gone, now=NOW, revision=5)
    # an older one, sent again with whatever numbers, changes nothing
    older = batch(space, [(1, "a", (9, 9)), (1, "b", (2, 2))])
    assert store.append(older, now=NOW) == Appended(repeated=1, outdated=1)
    expected = [(1, "a", (3, 3)), (1, "b", (2, 2))]
    assert message(store.read(space, None, 0, NOW, reader="app")) == expected


def test_what_was_taken_back_does_not_come_back_by_an_older_parcel(store, space, batch):
    first = batch(space, [(1, "a", (1, 1))])
    store.append(first, now=NOW)
    gone = replace(batch(space, [(1, "a", (0, 0))]), known_R=np.array([False]))
    assert store.append(gone, now=NOW, revision=1) == Appended(revised=1)
    assert store.append(first, now=NOW) == Appended(outdated=1)
    assert not len(store.read(space, None, 0, NOW, reader="app"))
    assert not len(store.latest(space, None, NOW, reader="app"))
    assert store.append(first, now=NOW, revision=2) == Appended(revised=1)
    assert message(store.read(space, None, 0, NOW, reader="app")) == [(1, "a", (1, 1))]
    assert store.expire(200 * DAY) == 1


def test_a_long_span_is_read_in_parts_and_little_more_is_held(store, space, monkeypatch):
    """Peak memory of a read, traced: what is given back, and a part of it."""
    monkeypatch.setattr(gather, "PART_ROWS", 2000)
    times, cells = np.repeat(np.arange(60) * DAY // 20, 500), [f"c{n:03d}" for n in range(500)]
    vectors_RW = np.random.default_rng(0).standard_normal((len(times), 64)).astype(np.float32)
    sent = DeepData(space, times, np.tile(cells, 60), vectors_RW)
    store.append(sent, now=NOW)
    tracemalloc.start()
    found = store.read(space, None, 0, NOW, reader="app")
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(found.vectors_RW, vectors_RW)
    assert held > vectors_RW.nbytes
    assert peak - held < vectors_RW.nbytes / 3
