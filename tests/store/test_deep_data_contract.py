"""What every store of deep data must do; each test faces DuckDB and a real PostgreSQL."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import DeepDataError, GrantError, StoreError
from deepcity.store.deep_data import chunked_read as gather
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.deep_data.database import SpaceInfo
from deepcity.store.deep_data.upsert import Appended
from deepcity.store.open_store import open_store

DAY = 86_400
NOW = 30 * DAY
# small whole numbers: distances are exact, and many are equally near
vectors = st.tuples(st.integers(-2, 2), st.integers(-2, 2))
keys = st.tuples(st.integers(0, 8).map(lambda step: step * DAY // 3), st.sampled_from("abc물"))
# on the second of a key, and just beside it
moments = st.tuples(st.integers(0, 9), st.integers(-1, 1)).map(lambda at: at[0] * DAY // 3 + at[1])
contents = st.dictionaries(keys, vectors, max_size=12)
on_one_store = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def in_whole_parts(monkeypatch):
    monkeypatch.setattr(gather, "PART_ROWS", gather.PART_ROWS)


def message(data):
    """Rows as [(time, cell, vector)], in the order they came in."""
    times, cells = data.time_R.tolist(), data.cell_R.tolist()
    return list(zip(times, cells, map(tuple, data.vectors_RW.tolist()), strict=True))


def rows_of(content):
    """{(time, cell): vector} as rows by time, then by cell."""
    return [(*key, tuple(map(float, content[key]))) for key in sorted(content)]


def fill(store, space, content, batch):
    store.append(batch(space, rows_of(content)), now=NOW)


@on_one_store
@given(content=contents, data=st.data())
def test_any_split_in_any_order_with_repeats_gives_the_same_content(
    store, fresh, batch, content, data
):
    space, rows = fresh(), rows_of(content)
    store.register(space, 2)
    parts = (
        data.draw(st.lists(st.lists(st.sampled_from(rows), max_size=9), max_size=5)) if rows else []
    )
    parts = data.draw(st.permutations([*parts, rows[::2], rows[1::2]]))
    counts = [store.append(batch(space, part), now=NOW) for part in parts]
    assert message(store.read(space, None, 0, NOW, reader="app")) == rows
    assert sum(count.new for count in counts) == len(rows)
    assert sum(count.repeated for count in counts) == sum(map(len, parts)) - len(rows)
    assert not any(count.revised for count in counts)


@on_one_store
@given(
    content=contents,
    cells=st.none() | st.lists(st.sampled_from("abc물x"), max_size=3),
    span=st.tuples(moments, moments),
)
def test_reads_are_those_of_a_dictionary(store, fresh, batch, content, cells, span):
    space, (since, until) = fresh(), span
    gather.PART_ROWS = 3  # read in parts; `in_whole_parts` puts it back
    store.register(space, 2)
    fill(store, space, content, batch)
    rows = [row for row in rows_of(content) if cells is None or row[1] in cells]
    found = store.read(space, cells, since, until, reader="app")
    assert message(found) == [row for row in rows if since <= row[0] < until]
    assert (found.time_R.dtype, found.vectors_RW.dtype) == (np.int64, np.float32)
    assert found.width == 2
    newest = {row[1]: row for row in rows if row[0] <= since}
    assert message(store.latest(space, cells, since, reader="app")) == sorted(newest.values())


@on_one_store
@given(
    content=contents,
    vector=vectors,
    k=st.integers(1, 9),
    span=st.tuples(st.none() | moments, st.none() | moments),
    by=st.sampled_from(["l2", "cosine"]),
)
def test_nearest_are_those_of_numpy(store, fresh, batch, content, vector, k, span, by):
    space, (since, until) = fresh(), span
    vector = (1, 2) if by == "cosine" and not any(vector) else vector
    store.register(space, 2)
    fill(store, space, content, batch)
    asked = np.array(vector, np.float32)
    found = store.nearest(space, asked, k, since, until, reader="app", by=by)
    ranked = sorted(
        (round(distance(asked, row[2], by), 4), *row)
        for row in rows_of(content)
        if (since is None or since <= row[0]) and (until is None or row[0] < until)
    )[:k]
    np.testing.assert_allclose(found.distance_K, [row[0] for row in ranked], atol=2e-4)
    assert found.vectors_KW.shape == (len(ranked), 2)
    for place, row in enumerate(
        zip(found.time_K, found.cell_K, map(tuple, found.vectors_KW.tolist()), strict=True)
    ):
        assert content[int(row[0]), str(row[1])] == row[2]
        if by == "l2":  # cosines of equal angles differ in their last bit
            assert row == ranked[place][1:]


@pytest.mark.parametrize(
    ("since", "until", "times"),
    [(None, None, [1, 2, 3]), (2, None, [2, 3]), (None, 2, [1]), (1, 3, [1, 2]), (3, 3, [])],
)
def test_nearest_of_a_time_span(store, space, batch, since, until, times):
    fill(store, space, {(at, "a"): (at, at) for at in (1, 2, 3)}, batch)
    found = store.nearest(space, np.zeros(2, np.float32), 9, since, until, reader="app")
    assert found.time_K.tolist() == times


def distance(asked, row, by):
    a, b = np.asarray(asked, float), np.asarray(row, float)
    if by == "l2":
        return float(np.linalg.norm(a - b))
    if not b.any():
        return 1.0
    return float(1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_bits_come_back_as_they_were_sent(store, space):
    vectors_RW = np.random.default_rng(3).standard_normal((500, 64)).astype(np.float32)
    vectors_RW[0] = np.finfo(np.float32).max
    vectors_RW[1] = np.finfo(np.float32).smallest_subnormal
    sent = DeepData(space, np.arange(500) * 3600, np.full(500, "871f8d7a4ffffff"), vectors_RW)
    assert store.append(sent, now=NOW) == Appended(new=500)
    found = store.read(space, ["871f8d7a4ffffff"], 0, NOW, reader="app")
    assert found.vectors_RW.tobytes() == vectors_RW.tobytes()
    assert store.append(found, now=NOW) == Appended(repeated=500)


def test_another_vector_for_the_same_cell_and_time(store, space, batch):
    fill(store, space, {(1, "a"): (1, 1), (1, "b"): (2, 2)}, batch)
    changed = batch(space, [(1, "a", (1, 1)), (1, "b", (2, 3)), (2, "b", (4, 4))])
    with pytest.raises(DeepDataError, match=r"b at 1970-01-01T00:00:01Z.*a higher revision"):
        store.append(changed, now=NOW)
    assert len(store.read(space, None, 0, NOW, reader="app")) == 2  # the new row neither
    assert store.append(changed, now=NOW, revision=1) == Appended(new=1, revised=2)
    expected = [(1, "a", (1, 1)), (1, "b", (2, 3)), (2, "b", (4, 4))]
    assert message(store.read(space, None, 0, NOW, reader="app")) == expected


def test_versions_never_mix(store, space, batch):
    other = Space(space.city, space.domain, space.agency, space.layer, f"{space.version}-next")
    fill(store, space, {(1, "a"): (1, 1)}, batch)
    fill(store, other, {(1, "a"): (5, 5), (2, "b"): (1, 1)}, batch)
    assert message(store.read(space, None, 0, NOW, reader="app")) == [(1, "a", (1, 1))]
    assert message(store.latest(space, None, 9, reader="app")) == [(1, "a", (1, 1))]
    near = store.nearest(space, np.array([5, 5], np.float32), 3, reader="app")
    assert near.vectors_KW.tolist() == [[1, 1]]
    gone = Space(space.city, space.domain, space.agency, space.layer, "gone")
    with pytest.raises(StoreError, match=f"it holds version {space.version}, {other.version}"):
        store.read(gone, None, 0, NOW, reader="app")


def test_width_is_that_of_the_first_append(store, space, batch):
    fill(store, space, {(1, "a"): (1, 1)}, batch)
    with pytest.raises(DeepDataError, match="width = 3: the space holds vectors of 2 numbers"):
        store.append(batch(space, [(2, "a", (1, 1, 1))], width=3), now=NOW)
    with pytest.raises(DeepDataError, match="the space holds vectors of 2"):
        store.register(space, 3)
    with pytest.raises(DeepDataError, match="holds vectors of 2 numbers"):
        store.nearest(space, np.ones(3, np.float32), 1, reader="app")
    for width in (1, 65):
        with pytest.raises(DeepDataError, match="2 to 64 numbers"):
            store.register(space, width)


@pytest.mark.parametrize(
    ("vector", "k", "by", "reason"),
    [
        ([0, 0], 1, "cosine", "zeros has no direction"),
        ([np.nan, 0], 1, "l2", "not finite"),
        ([1, 0], 0, "l2", "at least 1"),
        ([1, 0], 1, "l1", "no such distance"),
    ],
)
def test_question_that_cannot_be_answered(store, space, batch, vector, k, by, reason):
    fill(store, space, {(1, "a"): (1, 1)}, batch)
    with pytest.raises(DeepDataError, match=reason):
        store.nearest(space, np.array(vector, np.float32), k, reader="app", by=by)


def test_bad_batch_is_refused_whole_with_every_problem(store, space, batch):
    bad = batch(space, [(1, "a", (1, np.nan)), (NOW + 301, "b", (1, 1)), (2, "c", (0, 0))])
    with pytest.raises(DeepDataError) as caught:
        store.append(bad, now=NOW, cells=["a", "b"])
    for reason in ("not finite", "in the future", "none of the 2 known cells"):
        assert reason in str(caught.value)
    assert space not in [info.space for info in store.spaces()]


def test_without_a_grant_nothing_is_read(store, space, batch):
    fill(store, space, {(1, "a"): (1, 1)}, batch)
    reads = [
        lambda: store.read(space, None, 0, NOW, reader="stranger"),
        lambda: store.latest(space, ["a"], 9, reader="stranger"),
        lambda: store.nearest(space, np.ones(2, np.float32), 1, reader="stranger"),
    ]
    for read in reads:
        with pytest.raises(GrantError, match=r"'stranger' may not read .*Ask seoul/metro to grant"):
            read()


@pytest.mark.parametrize("answer", [False, None, "deny", 1, np.True_])
def test_anything_but_true_is_no(url, space, batch, answer):
    with open_store(url, lambda reader, space: answer) as store:
        fill(store, space, {(1, "a"): (1, 1)}, batch)
        with pytest.raises(GrantError):
            store.read(space, None, 0, NOW, reader="app")


def test_grant_is_asked_for_this_reader_and_space(url, space, fresh, batch):
    other = fresh()
    with open_store(url, lambda *asked: asked == ("app", space)) as store:
        for one in (space, other):
            fill(store, one, {(1, "a"): (1, 1)}, batch)
        assert len(store.read(space, None, 0, NOW, reader="app")) == 1
        for reader, where in (("app", other), ("web", space)):
            with pytest.raises(GrantError):
                store.latest(where, None, 9, reader=reader)


def test_old_rows_go_as_their_space_says(store, space, fresh, batch):
    kept, default = fresh(), fresh()
    content = {(day * DAY + 5, "a"): (day, 1) for day in range(5)}
    for one in (space, kept, default):
        fill(store, one, content, batch)
    store.retain(space, 2)
    store.retain(kept, None)
    # now - 2 days is in the middle of day 2: its row at second 5 is older, or of that very second
    assert store.expire(4 * DAY + 5) == 2
    assert store.expire(4 * DAY + 6) == 1
    assert store.read(space, None, 0, NOW, reader="app").time_R.tolist() == [
        3 * DAY + 5,
        4 * DAY + 5,
    ]
    assert len(store.read(kept, None, 0, NOW, reader="app")) == 5
    assert store.expire(91 * DAY) == 1 + 1 + 1  # space: two; those of 90 days: one
    assert len(store.read(space, None, 0, NOW, reader="app")) == 0
    assert store.expire(91 * DAY) == 0
    assert store.append(batch(space, rows_of(content)), now=NOW) == Appended(new=5)


def test_tending_deletes_what_is_older_than_its_space_keeps_it(store, space, batch):
    fill(store, space, {(day * DAY, "a"): (day, 1) for day in range(5)}, batch)
    store.retain(space, 2)
    assert store.tend(4 * DAY + 5) == 3
    assert store.tend(4 * DAY + 5) == 0
    times = store.read(space, None, 0, NOW, reader="app").time_R.tolist()
    assert times == [3 * DAY, 4 * DAY]


def test_spaces_and_how_long_they_keep(store, fresh):
    first, second = fresh(), fresh()
    store.register(second, 4, days=None)
    store.register(first, 64)
    store.register(first, 64)
    assert store.spaces() == (SpaceInfo(first, 64, 90), SpaceInfo(second, 4, None))
    store.retain(first, 7)
    assert store.spaces()[0].days == 7
    with pytest.raises(DeepDataError, match="kept for a day or longer"):
        store.retain(first, 0)
    with pytest.raises(StoreError, match="not in the store"):
        store.retain(fresh(), 7)


def test_content_is_there_when_the_store_is_opened_again(url, space, batch):
    for number in range(3):
        with open_store(url, lambda *asked: True) as store:
            fill(store, space, {(number, "a"): (number, 0)}, batch)
            store.close()
            store.close()
            with pytest.raises(StoreError, match="open"):
                store.spaces()
    with open_store(url, lambda *asked: True) as store:
        assert len(store.read(space, None, 0, NOW, reader="app")) == 3


def test_many_threads_send_and_read_at_once(store, space, batch):
    """All send the same rows, so whoever comes second repeats."""
    content = {(step * 3600, cell): (step, 1) for step in range(40) for cell in "abc"}
    rows, counts, failed = rows_of(content), [], []

    def work(start):
        try:
            for part in range(8):
                at = (start + part) % 8 * 15
                counts.append(store.append(batch(space, rows[at : at + 15]), now=NOW))
                store.read(space, ["a"], 0, NOW, reader="app")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(2 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert message(store.read(space, None, 0, NOW, reader="app")) == rows
    assert sum(count.new for count in counts) == len(rows)
    assert sum(count.repeated for count in counts) == 3 * len(rows)


SENDER = """
import sys
sys.path.append(sys.argv.pop(1))
import numpy as np
from duckdb_encryption import encrypt_without_openssl
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.open_store import open_store

encrypt_without_openssl()
store = open_store(sys.argv[1], lambda *asked: True)
space = Space(*sys.argv[2:])
cells = np.array([f"cell-{n:05d}" for n in range(5000)])
for step in range(10**6):
    rows = np.full((5000, 16), step, np.float32)
    store.append(DeepData(space, np.full(5000, step * 3600), cells, rows), now=10**10)
    print(step, flush=True)
"""


def test_killed_sender_leaves_whole_batches(url, space, tmp_path):
    """kill -9 at any moment: each batch is there or not, and what was acknowledged is there."""
    script = tmp_path / "sender.py"
    script.write_text(SENDER)
    parts = [space.city, space.domain, space.agency, space.layer, space.version]
    for acknowledged, delay in ((1, 0.0), (4, 0.02), (7, 0.05)):
        command = [sys.executable, str(script), str(Path(__file__).parents[1]), url, *parts]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
            for _ in range(acknowledged):
                last = int(sender.stdout.readline())
            time.sleep(delay)
            sender.kill()
        with open_store(url, lambda *asked: True) as store:
            found = store.read(space, None, 0, 10**10, reader="app")
        steps, counts = np.unique(found.time_R // 3600, return_counts=True)
        assert steps.tolist() == list(range(len(steps)))
        assert len(steps) > last
        assert (counts == 5000).all()
        assert (found.vectors_RW == (found.time_R // 3600)[:, None]).all()
