"""What a site was shown of the heads that it co-signed: whose co-signatures came with them.

FOLDER/shown_heads.json    ledger -> the newest head shown, and whose co-signature was not shown

A coordinator that hands two histories of one ledger to two cities must keep the co-signatures of
each from the other, for it can make none. So each site expects those of some others under every
head that it co-signed itself, and names the ones that are lacking. Which, is drawn by hash: `DRAWN`
of them, not all, so that bytes grow with the square of the cities and not with their cube; however
the cities are split in two, a pair that stands on both sides is drawn.
"""

from collections.abc import Collection, Iterable
from hashlib import sha256
from typing import Annotated

from pydantic import Field

from deepcity.store.release_ledger.heads import MOST_COSIGNATURES, HeadSheet
from deepcity.store.release_ledger.release import Name, Strict

SHOWN_HEADS = "shown_heads.json"
DRAWN = 8
"""Co-signatures of others that a site expects under each head but its own."""


class ShownHead(Strict):
    """A head as it was handed back to a site.

    Attributes:
        lacking: cities whose co-signature was expected and not shown.
    """

    sheet: HeadSheet
    lacking: Annotated[tuple[Name, ...], Field(max_length=MOST_COSIGNATURES)] = ()


class ShownHeads(Strict):
    """The newest of each ledger."""

    heads: Annotated[dict[Name, ShownHead], Field(max_length=10_000)] = Field(default={})


def witnesses_for(site: str, ledger: str, names: Iterable[str]) -> list[str]:
    """Those of some cities whose co-signatures of a ledger a site is to see.

    Those drawn from fewer names hold all that are drawn from more and are among the fewer: so one
    who is away changes nothing for the others.

    >>> witnesses_for("b", "a", ["a", "b", "c", "d"]) == witnesses_for("b", "a", ["d", "c"])
    True
    """
    others = {*names} - {site, ledger}
    return sorted(others, key=lambda one: _rank(site, ledger, one))[:DRAWN]


def shown_to(site: str, sheet: HeadSheet) -> HeadSheet:
    """A head as it is handed back to a site: its own with all co-signatures."""
    ledger = sheet.head.head.ledger
    if site != ledger:
        wanted = witnesses_for(site, ledger, (one.by for one in sheet.cosignatures))
        some = tuple(one for one in sheet.cosignatures if one.by in wanted)
        sheet = sheet.model_copy(update={"cosignatures": some})
    return sheet.model_copy(update={"consistency": ()})


def lacking(site: str, sheet: HeadSheet, names: Collection[str]) -> tuple[str, ...]:
    """Those of some cities whose co-signature should be under a head that was shown to a site."""
    ledger = sheet.head.head.ledger
    expected = {*names} - {ledger} if site == ledger else {*witnesses_for(site, ledger, names)}
    found = sorted(expected - {one.by for one in sheet.cosignatures})
    return tuple(found[:MOST_COSIGNATURES])


def _rank(site: str, ledger: str, name: str) -> bytes:
    return sha256("\0".join((site, ledger, name)).encode()).digest()
