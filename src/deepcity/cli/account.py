"""`deepcity account NAME`: the lines of an accounts file for one person or program."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcity.web.control.roles import Role

if TYPE_CHECKING:
    from deepcity.web.control.accounts.accounts import Accounts
    from deepcity.web.control.oidc.settings import OidcSettings


def account(
    name: Annotated[str, typer.Argument(help="The person's name, to log in with.")],
    role: Annotated[
        Role,
        typer.Option(
            help="operator answers decisions and alarms; analyst looks; auditor looks at every "
            "event too; admin does all; source, a program, sends rows and does nothing else."
        ),
    ] = Role.OPERATOR,
    key: Annotated[
        str | None,
        typer.Option(
            help="A public key, as `deepcity keys show` prints it at who signs tokens "
            "(`deepcity keys token`), instead of a password."
        ),
    ] = None,
) -> None:
    """Ask for a password, and print the entry for a file of accounts with its hash.

    Example: deepcity account kim --role operator >> accounts.toml
    """
    from deepcity.web.control.accounts.account_file import account_entry, signing_entry

    if key is not None:
        typer.echo(signing_entry(name, role, key))
        return
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    typer.echo(account_entry(name, role, password))


def load_people(accounts: Path | None) -> "Accounts | None":
    """Who may log in by a local account.

    Raises:
        ConfigError: with every problem of the file.
    """
    from deepcity.web.control.accounts.accounts import load_accounts

    return None if accounts is None else load_accounts(accounts)


def load_provider(oidc: Path | None) -> "OidcSettings | None":
    """Whose people may log in too.

    Raises:
        ConfigError: with every problem of the file.
    """
    from deepcity.web.control.oidc.settings import load_oidc

    return None if oidc is None else load_oidc(oidc)
