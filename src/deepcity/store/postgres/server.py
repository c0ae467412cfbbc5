"""Transactions in PostgreSQL that survive a restart of the server, each done exactly once.

If the connection is lost, the call waits for the server and looks up the transaction's status
by its number; it is repeated only if it was not committed. Without that, a commit whose answer
was lost would be taken for one that failed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from deepcity.city.errors import StoreError, StoreFullError

_Result = TypeVar("_Result")
_PAUSE_SECONDS = 0.2
_DISK_FULL = "53100"
_STEPS = {  # by the first characters of PostgreSQL's error code
    _DISK_FULL: "nothing of it was stored; free some space on the server, then send it again",
    "53200": "raise max_locks_per_transaction (a day is a partition), or ask for fewer days",
    "53": "give the server more room or connections, then send it again",
    "42501": "have the database's owner grant create on the database",
    "58P01": "install pgvector on the server",
    "0A000": "install pgvector on the server",
    "3D": "create the database, or correct its name",
    "28": "correct user and password",
}


@dataclass
class _Attempt:
    """A transaction's number and result, once all is done but its commit."""

    number: str | None = None
    result: Any = None


class PostgresServer:
    """Connections to a database, with retries.

    Args:
        url: ``postgresql://user:password@host/database``.
        patience_seconds: how long to wait for a server that went away during a call.

    Raises:
        StoreError: if the URL or its driver cannot be used.
    """

    def __init__(self, url: str, patience_seconds: float) -> None:
        self._engine = _engine(url)
        self._patience = patience_seconds
        self._closed = False

    def transact(self, work: Callable[[Connection], _Result], *, patient: bool = True) -> _Result:
        """Run a function in one transaction: all of it once, or nothing.

        Args:
            work: may be called twice, so it changes the database only.
            patient: wait for a server that cannot be reached.

        Raises:
            StoreError: if the database refuses, or cannot be reached.
        """
        if self._closed:
            raise StoreError(f"{self}: the store is closed. Next: open it again")
        attempt = _Attempt()
        try:
            try:
                return self._once(work, attempt)
            except (SQLAlchemyError, psycopg.Error) as error:
                if not (patient and _went_away(error)):
                    raise
            if self._was_committed(attempt):
                result: _Result = attempt.result
                return result
            return self._once(work, attempt)
        except (SQLAlchemyError, psycopg.Error) as error:
            full = str(getattr(_cause(error), "sqlstate", "")) == _DISK_FULL
            raise (StoreFullError if full else StoreError)(self._error_text(error)) from error

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        self._engine.dispose()

    def __str__(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)

    def _once(self, work: Callable[[Connection], _Result], attempt: _Attempt) -> _Result:
        with self._engine.begin() as connection:
            result = work(connection)
            number = connection.exec_driver_sql("select pg_current_xact_id_if_assigned()::text")
            attempt.number, attempt.result = number.scalar(), result
        return result

    def _was_committed(self, attempt: _Attempt) -> bool:
        """Wait for the server; whether it committed the transaction."""
        self._engine.dispose()
        until = time.monotonic() + self._patience
        while True:
            try:
                status = self._status(attempt.number)
            except DBAPIError as error:
                if not _went_away(error) or time.monotonic() > until:
                    raise
            else:
                # a server that kept running may still be busy with the lost connection
                if status != "in progress":
                    return status == "committed"
                if time.monotonic() > until:
                    raise StoreError(
                        f"{self}: the connection was lost and its transaction still runs. "
                        "Next: send the batch again later; rows that were kept change nothing"
                    )
            time.sleep(_PAUSE_SECONDS)

    def _status(self, number: str | None) -> str | None:
        """Status of a transaction; None for one that wrote nothing or got no number."""
        with self._engine.connect() as connection:
            asked = connection.exec_driver_sql(
                "select pg_xact_status(%(number)s::xid8)", {"number": number}
            )
            status: str | None = asked.scalar()
        return status

    def _error_text(self, error: Exception) -> str:
        cause = _cause(error)
        code = getattr(cause, "sqlstate", None) or ""
        reason = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
        step = next((step for start, step in _STEPS.items() if code.startswith(start)), None)
        away = "see that the server runs and can be reached; nothing is half stored"
        step = step or (away if _went_away(error) else "fix it on the server")
        return f"{self}: {reason}. Next: {step}"


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
        # asks an idle connection for a sign of life before it is used
        return create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise StoreError(
            "that is not a database URL. Next: write postgresql://user:password@host/database"
        ) from error


def _cause(error: Exception) -> BaseException:
    """The driver's own error, without SQLAlchemy's text, which repeats parts of the URL."""
    return (error.orig or error) if isinstance(error, DBAPIError) else error


def _went_away(error: Exception) -> bool:
    """Whether the connection was lost, not the work refused."""
    cause = _cause(error)
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    code = cause.sqlstate
    # 08: connection; 57P: the server stops or starts
    return code is None or code.startswith(("08", "57P"))
