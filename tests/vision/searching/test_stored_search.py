"""A search of a store that others write to, within bounded memory."""

import threading

import numpy as np
import pytest
from seen_tracks import NETWORK, NOW_S, WIDTH, person, seen, store

from deepcity.city.errors import StoreError
from deepcity.vision.searching import stored_search
from deepcity.vision.searching.person_query import PersonQuery, SearchSpan
from deepcity.vision.searching.stored_search import StoredSearch
from deepcity.vision.track_store.track_store import TrackStore

DAY = SearchSpan(NOW_S - 80_000, NOW_S + 4000)
QUERY = PersonQuery(NETWORK, person(0)[None])


def test_tracks_added_after_a_search_are_found_by_the_next(tmp_path):
    kept = store(tmp_path)
    search = StoredSearch(kept)
    assert search.nearest(QUERY, DAY, 5) == []
    kept.append([seen(0)])
    assert len(search.nearest(QUERY, DAY, 5)) == 1
    kept.append([seen(0), seen(0, NOW_S + 800)])
    assert len(search.nearest(QUERY, DAY, 5)) == 3


def test_what_is_over_is_not_found_also_where_it_was_in_memory(tmp_path):
    now = [NOW_S + 100]
    kept = TrackStore(tmp_path, NETWORK, WIDTH, 1, lambda: now[0])
    kept.append([seen(0)])
    search = StoredSearch(kept)
    assert len(search.nearest(QUERY, DAY, 5)) == 1
    now[0] = NOW_S + 3600
    assert search.nearest(QUERY, DAY, 5) == []
    assert search.held_bytes == 0


def test_files_that_memory_does_not_hold_are_read_again_and_the_newest_are_held(tmp_path):
    kept = store(tmp_path)
    for late_s in range(0, 3000, 600):
        kept.append([seen(late_s, NOW_S + late_s) for _ in range(10)])
    one_bytes = kept.read(kept.segments()[0]).size_bytes
    search = StoredSearch(kept, memory_bytes=2 * one_bytes)
    whole = StoredSearch(kept).nearest(QUERY, DAY, 50)
    assert len(whole) == 50
    for _ in range(2):
        assert search.nearest(QUERY, DAY, 50) == whole
        assert search.held_bytes == 2 * one_bytes
    oldest, newest = kept.segments()[0], kept.segments()[-1]
    (tmp_path / NETWORK / str(newest)).write_bytes(b"")
    assert search.nearest(QUERY, DAY, 50) == whole
    (tmp_path / NETWORK / str(oldest)).write_bytes(b"")
    with pytest.raises(StoreError, match=str(oldest)):
        search.nearest(QUERY, DAY, 50)


def test_refreshed_tracks_need_no_file_to_be_found(tmp_path):
    kept = store(tmp_path)
    kept.append([seen(0)])
    search = StoredSearch(kept)
    search.refresh()
    next((tmp_path / NETWORK).glob("*.tracks")).write_bytes(b"")
    assert len(search.nearest(QUERY, DAY, 5)) == 1


def test_while_others_add_and_merge_every_confirmed_track_is_found_once(tmp_path):
    kept, search, confirmed = store(tmp_path), StoredSearch(store(tmp_path)), [0]

    def write():
        for number in range(60):
            kept.append([seen(0, NOW_S + number)])
            confirmed[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        before = confirmed[0]
        found = [one.time_s for one in search.nearest(QUERY, DAY, 99)]
        assert len(found) == len(set(found))
        assert before <= len(found) <= confirmed[0] + 1
    writer.join()
    assert len(search.nearest(QUERY, DAY, 99)) == 60


def test_files_that_never_stay_the_same_are_named(tmp_path, monkeypatch):
    kept = store(tmp_path)
    kept.append([seen(0)])
    monkeypatch.setattr(
        TrackStore, "read", lambda self, name: (_ for _ in ()).throw(FileNotFoundError())
    )
    with pytest.raises(StoreError, match="changed 20 times"):
        StoredSearch(kept).nearest(QUERY, DAY, 5)


def test_blocks_give_what_one_product_gives(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_search, "BLOCK_ROWS", 7)
    kept = store(tmp_path)
    kept.append([seen(number, NOW_S + number) for number in range(50)])
    found = StoredSearch(kept).nearest(QUERY, DAY, 50)
    by_time = {round(one.time_s + 5 - NOW_S): one.score for one in found}
    assert len(by_time) == 50
    for number, score in by_time.items():
        assert score == pytest.approx(float(person(number) @ person(0)), abs=2e-2)


def test_tracks_without_embeddings_are_found_by_words_alone(tmp_path):
    kept = TrackStore(tmp_path, "", 0, 1, lambda: NOW_S)
    kept.append([seen(embedding_E=np.zeros(0), wears=("red", "blue"))])
    search = StoredSearch(kept)
    assert len(search.nearest(PersonQuery(upper=frozenset({"red"})), DAY, 5)) == 1
    with pytest.raises(ValueError, match="4 numbers by 'net'"):
        search.nearest(QUERY, DAY, 5)
