"""Successors of trusted keys: a statement is taken once, or refused with reason and next step.

What is taken counts from then on, also once its old key is revoked; what comes after a revocation
is refused, whatever day it claims: a thief of the old key can write any.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from deepcity.city.errors import KeyringError
from deepcity.store.signatures.changes import one_change
from deepcity.store.signatures.keyring import Keyring
from deepcity.store.signatures.succession import MOST_CHAIN, Succession, read_succession
from deepcity.store.signatures.trust_list import (
    AcceptedSuccessor,
    TrustedKey,
    TrustList,
    write_trust_list,
)

_CLOCKS = timedelta(days=1)  # that may lie between two machines' days


def accept_successor(keyring: Keyring, path: Path, today: date | None = None) -> list[TrustedKey]:
    """Take a statement from a file; returns what the new key is believed for, and as whose.

    Raises:
        KeyringError: if it is refused, with the reason and the next step; nothing is changed.
    """
    found, now = read_succession(path), today or datetime.now(UTC).date()
    with one_change(keyring):
        known = keyring.trust_list()
        if (refusal := next(_refusals(known, found, now), None)) is not None:
            raise KeyringError(f"{path} is not taken: {refusal[0]}. {refusal[1]}")
        known = known.accepting(AcceptedSuccessor(statement=found, on=now))
        write_trust_list(keyring.folder, known)
    return known.entries(found.new)


def _refusals(known: TrustList, found: Succession, now: date) -> Iterator[tuple[str, str]]:
    """Why a statement is not taken, and what to do; the first counts."""
    anew = (
        f"Ask the owner for the newest key by another way than this file, and if it is "
        f"{found.new}: deepcity keys trust NAME {found.new}"
    )
    if faults := found.faults():
        yield "; ".join(faults), "It was edited, or another made it: ask the owner for the file"
    if found.signed_on > now + _CLOCKS:
        yield f"it was signed on {found.signed_on}, and today is {now}", "Set this machine's clock"
    if now > found.until:
        yield f"it could be taken until {found.until}, and today is {now}", anew
    yield from _taken_before(known, found)
    yield from _revoked(known, found, anew)
    line = known.line(found.old)
    entries = known.entries(found.old)
    if not entries:
        yield f"its old key {found.old} is not trusted here", anew
    elif all(one.is_over(now) for one in entries):
        yield f"its old key of {entries[0].name} is believed until {entries[0].until} alone", anew
    if len(line) >= MOST_CHAIN:
        yield f"it would be successor number {len(line) + 1} of a key that is trusted itself", anew


def _taken_before(known: TrustList, found: Succession) -> Iterator[tuple[str, str]]:
    """Statements that come again, and second ones of the same key."""
    for one in known.accepted:
        if one.statement.new == found.new and one.statement.old == found.old:
            yield f"the same was taken here on {one.on}", "There is nothing to do"
        elif one.statement.old == found.old:
            yield (
                f"the old key has named another successor before, {one.statement.new}, taken here "
                f"on {one.on}",
                "One of both was made by a thief of the old key: ask its owner by another way, "
                "and revoke the wrong one: deepcity keys revoke KEY",
            )
    if known.entries(found.new) and not known.revocation(found.new):
        name = known.entries(found.new)[0].name
        yield f"its new key is believed here already, as {name}", "There is nothing to do"


def _revoked(known: TrustList, found: Succession, anew: str) -> Iterator[tuple[str, str]]:
    if (gone := known.revocation(found.new)) is not None:
        yield f"its new key was revoked here on {gone.on}", "Ask the owner for its newest key"
    if (gone := known.revocation(found.old)) is not None:
        signed = (
            f"it was signed on {found.signed_on}, after that"
            if found.signed_on > gone.on
            else f"that it was signed on {found.signed_on} a thief could have written as well"
        )
        yield f"its old key was revoked here on {gone.on}; {signed}", anew
