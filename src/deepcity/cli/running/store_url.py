"""The URL of a store whose password lies in a file of its own, as containers are given secrets."""

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import typer

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.city.regular_file import read_regular

_OPTION = "--store-password-file"


def store_url(store: str | None, password: Path | None) -> str | None:
    """The URL of a store with the password of a file in it; None where no store is named.

    Args:
        password: file whose first line is the password; without it the URL is as it was given.

    Raises:
        BadParameter: if no database server is named that a password could be for.
        ConfigError: if the file cannot be read or holds none, or the URL has one already.
    """
    if password is None:
        return store
    if store is None or not store.startswith(("postgresql://", "postgresql+", "postgres://")):
        raise typer.BadParameter(
            f"{_OPTION} is for a database server; add --store postgresql://USER@HOST/DATABASE"
        )
    parts = urlsplit(store)
    user, _, host = parts.netloc.rpartition("@")
    if not user or ":" in user:
        what = "names no user" if not user else "has a password already"
        raise _refused("--store", what, "write postgresql://USER@HOST/DATABASE")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(_read(password), safe='')}@{host}"))


def _read(path: Path) -> str:
    try:
        text = read_regular(path).decode("utf-8")
    except (OSError, ValueError) as error:
        raise _refused(str(path), f"cannot be read: {error}", "name a text file") from error
    if not (lines := text.splitlines()) or not lines[0]:
        raise _refused(str(path), "its first line is empty", "write the password into it")
    return lines[0]


def _refused(value: str, reason: str, right: str) -> ConfigError:
    return ConfigError([Problem("command line", _OPTION, value, reason, right)])
