"""`deepcity account NAME`: the lines of an accounts file for one person."""

from typing import Annotated

import typer

from deepcity.web.control.roles import Role


def account(
    name: Annotated[str, typer.Argument(help="The person's name, to log in with.")],
    role: Annotated[
        Role,
        typer.Option(
            help="operator answers decisions and alarms; analyst looks; auditor looks at every "
            "event too; admin does all."
        ),
    ] = Role.OPERATOR,
) -> None:
    """Ask for a password, and print the entry for a file of accounts with its hash.

    Example: deepcity account kim --role operator >> accounts.toml
    """
    from deepcity.web.control.accounts import account_entry

    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    typer.echo(account_entry(name, role, password))
