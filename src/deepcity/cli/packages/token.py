"""`deepcity keys token NAME CITY`: what a person or program shows a control room."""

from typing import Annotated

import typer


def token(
    name: Annotated[str, typer.Argument(help="Of the account, as in the city's file of accounts.")],
    city: Annotated[str, typer.Argument(help="The city's name, as its city file has it.")],
) -> None:
    """Print a token that the own key signs: it opens the control room's routes for five minutes.

    The city's file of accounts holds the public key (`deepcity account NAME --key KEY`), so that
    no password is sent or kept. Send it over TLS alone: within its minutes whoever has it may use
    it.

    Example: curl -H "Authorization: Bearer $(deepcity keys token kim seoul)" \\
    https://room.example/api/now
    """
    from deepcity.live.signed_tokens import TokenSigner
    from deepcity.store.signatures.keyring import own_keyring

    if not name.strip() or not city.strip():
        raise typer.BadParameter("name the account and the city, as their files have them")
    typer.echo(TokenSigner(own_keyring(), name, city)())
