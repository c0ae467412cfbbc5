"""A file is closed once its readers have ended, and nobody reads it afterwards."""

import threading

import pytest

from deepcity.city.errors import StoreError
from deepcity.store.duckdb.duckdb_file import DuckDBFile


def test_closing_waits_for_readers_and_lets_no_more_begin(tmp_path):
    file = DuckDBFile(tmp_path / "x.duckdb", "create table if not exists t (a int)")
    reading, failed = threading.Event(), []

    def read():
        try:
            while True:
                reading.set()
                file.read(lambda cursor: cursor.execute("select sum(a) from t, range(100_000)"))
        except StoreError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for one in threads:
        one.start()
    reading.wait(10)
    file.close()
    for one in threads:
        one.join(10)
    assert len(failed) == 4
    assert all("closed" in one and "open the store again" in one for one in failed)
    with pytest.raises(StoreError, match="open the store again"):
        file.write(lambda cursor: cursor.execute("insert into t values (1)"))
    file.close()
