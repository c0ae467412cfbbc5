"""A table of a database as a source: from a URL with the table's name behind a #."""

import re
from collections.abc import Sequence
from pathlib import Path

from deepcity.data.config.toml_file import Raw, did_you_mean
from deepcity.data.connectors.sql import SqlSettings, engine_of
from deepcity.data.errors import ReadError

_URL = re.compile(r"[a-z][a-z0-9_+]*://", re.IGNORECASE)
_SHOWN = 30


def is_url(text: str) -> bool:
    """Whether a text is a database's URL.

    >>> is_url("postgresql://host/db#flows"), is_url("flows.csv")
    (True, False)
    """
    return _URL.match(text) is not None


def table_name(text: str) -> str:
    """What stands behind the # of a URL; a word for it where nothing does."""
    return text.partition("#")[2] or "database"


def table_source(text: str, folder: Path) -> Raw:
    """Settings of a source for a table, e.g. ``sqlite:///records.db#flows``.

    Raises:
        ReadError: if there is no such table, the database cannot be asked, or the URL holds a
            password, which would stand in the city file.
    """
    from sqlalchemy import inspect
    from sqlalchemy.exc import SQLAlchemyError

    url, _, table = text.partition("#")
    _refuse_password(url)
    found = SqlSettings(name="records", url=url, query="-")
    engine = engine_of(found, folder)
    try:
        known = [*inspect(engine).get_table_names(), *inspect(engine).get_view_names()]
        schema, _, name = table.rpartition(".")
        if name and schema and inspect(engine).has_table(name, schema):
            known.append(table)
        quote = engine.dialect.identifier_preparer.quote
        quoted = ".".join(quote(part) for part in table.split(".")) if schema else quote(table)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0][:200]
        right = "check the URL, that the database runs, and that the password is right"
        raise ReadError("url", url, f"the database reported: {reason}", right) from error
    finally:
        engine.dispose()
    if table not in known:
        reason = "no table is named behind a #" if not table else "there is no such table"
        right = did_you_mean(table, sorted(known)[:_SHOWN])
        raise ReadError("url", f"{url}#{table}", reason, right)
    return {"name": "records", "format": "sql", "url": url, "query": f"SELECT * FROM {quoted}"}


def ordered(query: str, columns: Sequence[str], url: str, folder: Path) -> str:
    """The query with its rows in the order of some columns."""
    engine = engine_of(SqlSettings(name="records", url=url, query=query), folder)
    quote = engine.dialect.identifier_preparer.quote
    engine.dispose()
    return f"{query} ORDER BY {', '.join(quote(name) for name in columns)}"


def _refuse_password(url: str) -> None:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        password = make_url(re.sub(r"\$\{\w+\}", "", url)).password
    except (ArgumentError, ValueError):
        return  # what opens the database says what is wrong
    if password:
        right = (
            "write ${DB_PASSWORD} in its place, the whole URL in single quotes, and run: "
            "export DB_PASSWORD=..."
        )
        reason = "it holds a password, which would stand in the city file"
        raise ReadError("url", None, reason, right)
