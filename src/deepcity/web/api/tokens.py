"""Tokens of the access file that come with a request (RFC 6750)."""

from fastapi import Request

from deepcity.web.api.refusals import Refusal


def bearer_token(request: Request) -> str:
    """The token that a request carries; empty: none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def no_token(whose: str) -> Refusal:
    """What to raise where a request carries no token that counts.

    Args:
        whose: token is needed, e.g. ``"an agency's"``.
    """
    right = "send Authorization: Bearer TOKEN, as the access file has it"
    return Refusal(401, "Authorization", f"no token, or not {whose}", right)
