"""What only a file can meet: another process that holds it, a full disk, strange content."""

import shutil
import subprocess
import sys

import pytest

from deepcity.city.errors import StoreError
from deepcity.store.duckdb.file_store import DuckDBStore
from deepcity.store.open_store import open_store

HOLDER = """
import sys
from pathlib import Path
from deepcity.store.duckdb.file_store import DuckDBStore

with DuckDBStore(Path(sys.argv[1]), lambda *asked: True):
    print("held", flush=True)
    sys.stdin.read()
"""


def yes(*asked):
    return True


def test_file_that_another_process_holds(tmp_path):
    path = tmp_path / "deep.duckdb"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=rf"held in .*PID {holder.pid}\).*use PostgreSQL"):
            DuckDBStore(path, yes)
        holder.stdin.close()
    DuckDBStore(path, yes).close()


def test_two_stores_of_one_process_on_one_file(tmp_path, space, batch):
    path = tmp_path / "deep.duckdb"
    rows = batch(space, [(1, "a", (1, 1))])
    with DuckDBStore(path, yes) as first, DuckDBStore(path, yes) as second:
        assert first.append(rows, now=9).new == 1
        assert second.append(rows, now=9).repeated == 1
        first.close()
        assert len(second.read(space, None, 0, 9, reader="app")) == 1


@pytest.mark.parametrize("content", [b"a letter, and not a database\n" * 500, b"x"])
def test_file_that_is_no_store(tmp_path, content):
    path = tmp_path / "letter.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"letter\.txt: .*choose another path"):
        open_store(f"duckdb:///{path}", yes)
    assert path.read_bytes() == content


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "folder").write_text("")
    with pytest.raises(StoreError, match="Next:"):
        DuckDBStore(tmp_path / "folder" / "deep.duckdb", yes)


FULL_DISK = """
import resource, subprocess, sys
from pathlib import Path
import numpy as np
from deepcity.city.errors import StoreError
from deepcity.store.duckdb import duckdb_tables
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.deep_data.upsert import Appended
from deepcity.store.duckdb.file_store import DuckDBStore

space, path = Space("seoul", "transport", "metro", "h3", "1"), Path(sys.argv[1]) / "deep.duckdb"
random = np.random.default_rng(0)

def batch(step, rows):
    cells = np.array([f"c{n}" for n in range(rows)])
    vectors = random.standard_normal((rows, 64)).astype(np.float32)
    return DeepData(space, np.full(rows, step), cells, vectors)

def held(store):
    found = store.read(space, None, 0, 99, reader="app")
    return dict(zip(*map(np.ndarray.tolist, np.unique(found.time_R, return_counts=True))))

duckdb_tables.CHUNK_ROWS = 4000  # so that it breaks off when some rows have been handed over
store = DuckDBStore(path, lambda *asked: True)
store.append(batch(1, 500), now=99)
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
for step, rows in ((2, 20_000), (3, 60_000)):  # too much for the log, and for the file
    try:
        store.append(batch(step, rows), now=99)
    except StoreError as error:
        print(error)
    else:
        sys.exit("the disk was never full")
    assert held(store) == {1: 500}, held(store)
if sys.argv[2] == "limit":  # now somebody frees some space
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
else:
    subprocess.run(["mount", "-o", "remount,size=64m", sys.argv[1]], check=True)
assert store.append(batch(2, 20_000), now=99) == Appended(new=20_000)
store.close()
with DuckDBStore(path, lambda *asked: True) as store:
    assert held(store) == {1: 500, 2: 20_000}, held(store)
"""


def run_on_full_disk(inside, folder, how):
    disk = folder / "disk"
    disk.mkdir()
    command = [*inside, sys.executable, "-c", FULL_DISK, str(disk), how]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def assert_reported(done, reason):
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert "deep.duckdb" in line
        assert reason in line
        assert "nothing of it was stored; " in line


def test_append_that_breaks_off_leaves_nothing_behind(tmp_path):
    pytest.importorskip("resource")
    assert_reported(run_on_full_disk([], tmp_path, "limit"), "too large")


def test_full_disk_leaves_nothing_behind(tmp_path):
    """On a real file system of 4 MB, mounted in a name space of its own."""
    mount = f'mount -t tmpfs -o size=4m tmpfs {tmp_path}/disk && exec "$@"'
    probe = ["unshare", "-rm", "sh", "-c", f"mount -t tmpfs tmpfs {tmp_path}"]
    if (
        shutil.which("unshare") is None
        or subprocess.run(probe, capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine lets nobody mount a small file system")
    inside = ["unshare", "-rm", "sh", "-c", mount, "sh"]
    assert_reported(run_on_full_disk(inside, tmp_path, "mount"), "No space left on device")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("deep.duckdb", "is not a URL of a store"),
        ("duckdb://deep.duckdb", "names no file"),
        ("duckdb:///", "names no file"),
        ("duckdb:///:memory:", "names no file"),
        ("mysql://me:secret@host/base", "no store for mysql:// URLs"),
        ("postgresql://me:secret@host:x/base", "not a database URL"),
    ],
)
def test_url_that_opens_nothing(url, message):
    with pytest.raises(StoreError, match=message) as caught:
        open_store(url, yes)
    assert "Next: write " in str(caught.value)
    assert "secret" not in str(caught.value)


def test_url_of_a_file_in_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open_store("duckdb:///data/deep.duckdb", yes).close()
    assert (tmp_path / "data" / "deep.duckdb").is_file()
