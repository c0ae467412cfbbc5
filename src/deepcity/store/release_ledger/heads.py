"""Signed heads: how large a ledger is, its root, when, and by whom signed; and who co-signed it.

The owner signs a head of its own ledger. Another city co-signs it once it has seen that it
continues the last head that it co-signed (`deepcity.store.release_ledger.witness`), as witnesses of
a transparency log do. What is signed names what it is, so no signature of another kind passes.
"""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from deepcity.store.blob import canonical_json
from deepcity.store.release_ledger.release import (
    MOST_SIZE,
    Digest,
    Name,
    Path_,
    Seconds,
    Signature,
    Strict,
)
from deepcity.store.signatures.ed25519 import public_hex, verifies

_HEAD, _COSIGNED = "deepcity release ledger head 1", "deepcity release ledger cosignature 1"
MOST_COSIGNATURES = 1000


class TreeHead(Strict):
    """What a head states.

    Attributes:
        ledger: its name, that of the party whose releases it holds.
        size: entries.
        root: of their Merkle tree.
        time_s: when, UTC seconds by the signer's clock.
    """

    ledger: Name
    size: Annotated[int, Field(ge=0, le=MOST_SIZE)]
    root: Digest
    time_s: Seconds


class SignedHead(Strict):
    """A head, and the Ed25519 key that signed it."""

    head: TreeHead
    key: Digest
    signature: Signature

    def is_genuine(self) -> bool:
        """Whether the key signed this head."""
        return verifies(self.key, self.signature, _statement(_HEAD, head=self.head.model_dump()))


class CoSignature(Strict):
    """That another city has seen a head, and that it continues what it saw before.

    Attributes:
        by: the name under which it co-signs.
        owner: the key that signed the head.
    """

    head: TreeHead
    owner: Digest
    by: Name
    time_s: Seconds
    key: Digest
    signature: Signature

    def is_genuine(self) -> bool:
        """Whether the key signed this."""
        return verifies(self.key, self.signature, _cosigned(self))

    def is_of(self, signed: SignedHead) -> bool:
        """Whether it co-signs this head."""
        return self.head == signed.head and self.owner == signed.key


class Consistency(Strict):
    """A proof that a ledger begins with the older one of that size."""

    size: Annotated[int, Field(ge=1, le=MOST_SIZE)]
    path: Path_


class HeadSheet(Strict):
    """A head as it is handed round: with proofs for those who know older ones, and co-signatures.

    Attributes:
        kind: marks the file.
    """

    kind: Annotated[str, Field(pattern=r"^deepcity ledger head$")] = "deepcity ledger head"
    head: SignedHead
    consistency: Annotated[tuple[Consistency, ...], Field(max_length=MOST_COSIGNATURES)] = ()
    cosignatures: Annotated[tuple[CoSignature, ...], Field(max_length=MOST_COSIGNATURES)] = ()

    def with_cosignature(self, one: CoSignature) -> "HeadSheet":
        """The sheet with one more, in place of an older one under the same name."""
        others = [known for known in self.cosignatures if known.by != one.by]
        return self.model_copy(update={"cosignatures": (*others, one)})

    def faults(self) -> list[str]:
        """What is wrong with its signatures."""
        whose = self.head.head.ledger
        found = [] if self.head.is_genuine() else [f"the signature of {whose}'s head is wrong"]
        for one in self.cosignatures:
            if not one.is_of(self.head):
                found.append(f"the co-signature of {one.by} is of another head of {whose}")
            elif not one.is_genuine():
                found.append(f"the co-signature of {one.by} under {whose}'s head is wrong")
            elif one.key == self.head.key and one.by != whose:
                found.append(f"{one.by} co-signs with the key of {whose} itself")
        return found


class Rewritten(Strict):
    """Evidence that a history was rewritten: two heads of one ledger, of which no tree has both.

    Heads of one size with two roots prove it by themselves. Of two sizes, the owner is asked for a
    proof that one continues the other; there is none.
    """

    kind: Annotated[str, Field(pattern=r"^deepcity rewritten ledger$")] = (
        "deepcity rewritten ledger"
    )
    earlier: SignedHead
    later: SignedHead

    def proves_itself(self) -> bool:
        """Whether both are signed by one key, of one ledger and size, with two roots."""
        first, second = self.earlier, self.later
        same = (first.key, first.head.ledger, first.head.size) == (
            second.key,
            second.head.ledger,
            second.head.size,
        )
        genuine = first.is_genuine() and second.is_genuine()
        return same and genuine and first.head.root != second.head.root


def signed_head(head: TreeHead, key: Ed25519PrivateKey) -> SignedHead:
    """A head under its owner's signature."""
    signature = key.sign(_statement(_HEAD, head=head.model_dump()))
    return SignedHead(head=head, key=public_hex(key), signature=signature.hex())


def cosignature(signed: SignedHead, by: str, time_s: int, key: Ed25519PrivateKey) -> CoSignature:
    """A co-signature; what it means, `witness` has checked."""
    draft = CoSignature(
        head=signed.head,
        owner=signed.key,
        by=by,
        time_s=time_s,
        key=public_hex(key),
        signature="0" * 128,
    )
    return draft.model_copy(update={"signature": key.sign(_cosigned(draft)).hex()})


def _cosigned(one: CoSignature) -> bytes:
    content = one.model_dump(exclude={"key", "signature"})
    return _statement(_COSIGNED, **content)


def _statement(kind: str, **content: object) -> bytes:
    return canonical_json({"states": kind, **content}).encode()
