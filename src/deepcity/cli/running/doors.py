"""Who may reach a running city, and whom it may call: checked before long work."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.cli.progress_bars import errors
from deepcity.cli.running.problems import Problems, check_files

if TYPE_CHECKING:
    from deepcity.web.ngsi.subscriptions.endpoints import AllowedHost

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def allowed_hosts(texts: Sequence[str]) -> "list[AllowedHost]":
    """Hosts that subscriptions may be sent to, as `--notify` names them."""
    from deepcity.web.ngsi.subscriptions.endpoints import allowed_host

    try:
        return [allowed_host(one) for one in texts]
    except ValueError as error:
        raise typer.BadParameter(f"--notify: {error}") from error


def check_doors(
    host: str, port: int, accounts: Path | None, certificate: Path | None, key: Path | None
) -> None:
    """See that an address is free, and that whoever reaches it is known.

    Raises:
        ConfigError: if it cannot be listened on, or others reach it without accounts.
    """
    problems = Problems()
    problems.of(partial(check_address, host, port, certificate, key))
    problems.of(partial(_check_reach, host, accounts, certificate))
    problems.refuse()


def check_address(host: str, port: int, certificate: Path | None, key: Path | None) -> None:
    """See that an address is free, and that the files of TLS can be read.

    Raises:
        ConfigError: with all that is wrong.
    """
    from deepcity.web.server.serving import check_port

    if (certificate is None) != (key is None):
        raise typer.BadParameter("give both --certificate and --key, or neither")
    problems = Problems()
    problems.of(partial(check_files, certificate=certificate, key=key))
    problems.of(partial(check_port, host, port))
    problems.refuse()


def _check_reach(host: str, accounts: Path | None, certificate: Path | None) -> None:
    if host in _LOOPBACK:
        return
    if accounts is None:
        reason = "everyone who reaches this address could answer decisions"
        right = "make accounts (deepcity account NAME >> accounts.toml), and add --accounts FILE"
        raise ConfigError([Problem("command line", "--host", host, reason, right)])
    if certificate is None:
        what = "passwords and tokens cross the network unencrypted"
        errors.print(f"Without --certificate and --key, {what}.")
