"""A DuckDB file is unreadable without its storage key; none is in the clear by mistake."""

import duckdb
import numpy as np
import pytest

from deepcity.city.errors import StorageKeyError, StoreError
from deepcity.store.at_rest.storage_key import STORAGE_KEY_VARIABLE
from deepcity.store.duckdb import connection, rewrite
from deepcity.store.duckdb.rewrite import rewrite_databases
from deepcity.store.events.event import EventDraft, EventKind, EventQuery
from deepcity.store.open_store import open_events, open_store

SECRET = "kim-4711"


def address(folder):
    return f"duckdb:///{folder / 'city.duckdb'}"


def written(folder, *, closed=True):
    """What lies in a folder once an event was stored there."""
    events = open_events(address(folder))
    events.append([EventDraft(EventKind.NOTE, f"note/{SECRET}", 7, body={"text": SECRET})])
    found = b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())
    if closed:
        events.close()
        found += b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())
    return found, events


def keys(folder):
    with open_events(address(folder)) as events:
        return [one.key for one in events.read(EventQuery())]


def test_nothing_of_it_is_readable_in_file_or_log(encrypting, tmp_path, monkeypatch):
    found, _ = written(tmp_path)
    assert found.count(b"DUCK") > 1
    assert SECRET.encode() not in found
    assert keys(tmp_path) == [f"note/{SECRET}"]
    monkeypatch.delenv(STORAGE_KEY_VARIABLE)
    plain, _ = written(tmp_path / "plain")
    assert SECRET.encode() in plain  # what is looked for would be found


def test_without_its_key_or_with_another_it_is_not_opened_and_the_key_is_named(
    encrypting, tmp_path, monkeypatch
):
    written(tmp_path)
    encrypting("other")
    with pytest.raises(StoreError, match="with another key than DEEPCITY_STORAGE_KEY names"):
        open_events(address(tmp_path))
    encrypting("other", "own")
    assert keys(tmp_path)
    monkeypatch.delenv(STORAGE_KEY_VARIABLE)
    with pytest.raises(StoreError, match="is encrypted, and DEEPCITY_STORAGE_KEY names no key"):
        open_events(address(tmp_path))


def test_where_duckdb_cannot_encrypt_nothing_is_written_in_the_clear(
    encrypting, tmp_path, monkeypatch
):
    def bare(path):
        return duckdb.connect(f":memory:{path}")

    monkeypatch.setattr(connection, "in_memory", bare)  # whether or not httpfs is installed here
    with pytest.raises(StoreError, match=r"install httpfs.* or copy .*extensions/v\d.*linux"):
        open_events(address(tmp_path))
    assert not (tmp_path / "city.duckdb").exists()


def test_a_file_from_before_the_key_goes_on_and_the_log_says_so(
    encrypting, tmp_path, monkeypatch, caplog
):
    monkeypatch.delenv(STORAGE_KEY_VARIABLE)
    written(tmp_path)
    assert not caplog.text
    encrypting("own")
    assert keys(tmp_path)
    assert f"deepcity keys encrypt {tmp_path}" in caplog.text


def test_files_are_encrypted_get_another_key_and_are_decrypted(encrypting, tmp_path, monkeypatch):
    monkeypatch.delenv(STORAGE_KEY_VARIABLE)
    written(tmp_path)
    encrypting("own")
    assert rewrite_databases(tmp_path, encrypt=True) == (1, 1)
    assert rewrite_databases(tmp_path, encrypt=True) == (0, 1)
    found = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert SECRET.encode() not in found
    encrypting("newer", "own")
    assert rewrite_databases(tmp_path, encrypt=True) == (1, 1)
    encrypting("newer")
    assert keys(tmp_path) == [f"note/{SECRET}"]
    with open_events(address(tmp_path)) as events:
        again = events.append([EventDraft(EventKind.NOTE, f"note/{SECRET}", 7)])
    assert not again  # keys are as unique as before
    assert rewrite_databases(tmp_path, encrypt=False) == (1, 1)
    monkeypatch.delenv(STORAGE_KEY_VARIABLE)
    assert keys(tmp_path) == [f"note/{SECRET}"]
    assert [one.name for one in tmp_path.iterdir()] == ["city.duckdb"]


def test_deep_data_are_as_before_in_a_file_that_was_encrypted(
    encrypting, tmp_path, monkeypatch, space, batch
):
    monkeypatch.delenv(STORAGE_KEY_VARIABLE)
    rows = [(3600 * n, "a", [n / 10, -0.5]) for n in range(50)]
    with open_store(address(tmp_path), lambda *_: True) as store:
        store.append(batch(space, rows), now=10**6)
    encrypting("own")
    rewrite_databases(tmp_path, encrypt=True)
    with open_store(address(tmp_path), lambda *_: True) as store:
        found = store.read(space, None, 0, 10**6, reader="one")
        np.testing.assert_array_equal(found.time_R, [row[0] for row in rows])
        np.testing.assert_allclose(found.vectors_RW[:, 0], np.arange(50) / 10, rtol=1e-6)
        nearest = store.nearest(space, np.array([1.0, -0.5], np.float32), 1, reader="one")
        assert nearest.time_K.tolist() == [36_000]


def test_a_file_in_use_stays_as_it_is_and_is_named(encrypting, tmp_path, monkeypatch):
    monkeypatch.delenv(STORAGE_KEY_VARIABLE)
    _, events = written(tmp_path, closed=False)
    encrypting("own")
    with pytest.raises(StorageKeyError, match=r"1 of 1 databases stay .*city\.duckdb"):
        rewrite_databases(tmp_path, encrypt=True)
    assert [one.name for one in tmp_path.glob("*.rewritten*")] == []
    events.close()
    assert keys(tmp_path)


def test_what_is_no_database_and_what_cannot_be_encrypted_are_named_with_their_remedies(
    encrypting, tmp_path, monkeypatch
):
    monkeypatch.delenv(STORAGE_KEY_VARIABLE)
    written(tmp_path)
    (tmp_path / "junk.duckdb").write_text("junk")
    encrypting("own")
    bare = lambda path: duckdb.connect(f":memory:{path}")  # noqa: E731
    for module in (connection, rewrite):
        monkeypatch.setattr(module, "in_memory", bare)
    with pytest.raises(StorageKeyError) as caught:
        rewrite_databases(tmp_path, encrypt=True)
    text = str(caught.value)
    assert "2 of 2 databases stay" in text
    assert "city.duckdb is to be encrypted, so nothing is written" in text
    assert "rewritten" not in text
    assert "choose another path, or move that file away" in text
    assert sorted(one.name for one in tmp_path.iterdir()) == ["city.duckdb", "junk.duckdb"]
