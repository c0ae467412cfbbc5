"""Both stores of deep data: a file, and a real PostgreSQL started for these tests."""

import base64
import hashlib
import itertools
import os

import numpy as np
import pytest
from duckdb_encryption import encrypt_without_openssl

from deepcity.store.at_rest.storage_key import STORAGE_KEY_VARIABLE
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.open_store import open_store

_versions = itertools.count(1)


@pytest.fixture
def encrypting(monkeypatch, tmp_path):
    """From now on a storage key is named; returns a function that names other ones."""
    encrypt_without_openssl(monkeypatch.setattr)

    def use(*names):
        for name in names:
            key = base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()
            monkeypatch.setenv(f"KEY_{name}", key)
        monkeypatch.setenv(STORAGE_KEY_VARIABLE, ",".join(f"env:KEY_{name}" for name in names))

    use("own")
    return use


@pytest.fixture(params=["duckdb", "encrypted duckdb", "postgresql"])
def url(request, tmp_path):
    """Where a store is, empty; every test that asks for it faces all."""
    if "duckdb" in request.param:
        if "encrypted" in request.param:
            request.getfixturevalue("encrypting")
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
