"""Row claims: a party signs how many rows it claims for a training, and anyone can check it later.

Rows are a party's weight in averages, and only the party can count them. So it signs what it claims
with a lasting Ed25519 key of its own: for which training of which federation, at which level, and
in answer to a number that the coordinator drew, so that no earlier claim passes for a new one. The
coordinator keeps what it was given. A claim is no proof that the rows are there.

On the wire a signed claim is JSON as an array of bytes, the one tensor of a layer `CLAIM`.
"""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, ValidationError

from deepcity.city.errors import ExchangeError
from deepcity.city.frozen_model import FrozenModel
from deepcity.city.level import MAX_LEVEL, Layers, Tensors
from deepcity.exchange.exchange import Failure, Handler
from deepcity.exchange.message import Message
from deepcity.exchange.party import JOIN, JSON, ROWS
from deepcity.store.blob import canonical_json

CLAIM, CHALLENGE = "claim", "challenge"
_CHALLENGE_BITS = 53  # what a message's number holds exactly
_MOST_BYTES = 4096  # of a signed claim; names of 200 characters need less
_Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class RowClaim(FrozenModel):
    """What a party claims for one training.

    Attributes:
        federation: which trains; between machines the digest of its authority's key.
        training, party: names.
        level: up to which the party shares layers.
        rows: measured values of its training span.
        places, step_s: how many places it has, and the seconds of one step of its clock; more than
            `places` rows a step cannot come.
        challenge: the coordinator's number.
    """

    federation: _Name
    training: _Name
    party: _Name
    level: Annotated[int, Field(ge=0, le=MAX_LEVEL)]
    rows: Annotated[float, Field(ge=0, le=1e38)]
    places: Annotated[int, Field(ge=0, le=10**9)]
    step_s: Annotated[int, Field(ge=1, le=10**9)]
    challenge: Annotated[int, Field(ge=0, lt=1 << _CHALLENGE_BITS)]

    def to_bytes(self) -> bytes:
        """The bytes that are signed: JSON with sorted keys."""
        return canonical_json({"claims": "deepcity rows", **self.model_dump()}).encode()


class SignedClaim(FrozenModel):
    """A claim, and who signed it.

    Attributes:
        key: Ed25519 public key, 64 hexadecimal digits.
        signature: of `RowClaim.to_bytes`, 128 hexadecimal digits.
        received_s: when it came, UTC seconds by the coordinator's clock; not signed.
    """

    claim: RowClaim
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
    received_s: Annotated[int, Field(ge=0, le=1 << 40)] = 0

    def is_genuine(self) -> bool:
        """Whether the key signed this claim."""
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
            key.verify(bytes.fromhex(self.signature), self.claim.to_bytes())
        except InvalidSignature:
            return False
        return True


def signed(claim: RowClaim, key: Ed25519PrivateKey) -> SignedClaim:
    """The claim under a signature."""
    public = key.public_key().public_bytes_raw().hex()
    return SignedClaim(claim=claim, key=public, signature=key.sign(claim.to_bytes()).hex())


@dataclass(frozen=True)
class ClaimingParty:
    """A handler around a site's own that signs the rows with which it joins.

    Attributes:
        inner: answers; what leaves must have passed its grant already.
        claim: what is signed, but for rows and challenge.
        key: the site's lasting key; it never leaves.
    """

    inner: Handler
    claim: RowClaim
    key: Ed25519PrivateKey

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; raises what the handler inside raises."""
        answer = self.inner.handle(message, caller)
        if message.verb != JOIN or CHALLENGE not in message.numbers:
            return answer
        joined = {"rows": answer.numbers[ROWS], "challenge": int(message.numbers[CHALLENGE])}
        own = signed(RowClaim.model_validate({**self.claim.model_dump(), **joined}), self.key)
        text = own.model_dump_json(exclude={"received_s"})
        tensors: Tensors = {JSON: np.frombuffer(text.encode(), np.uint8)}
        return replace(answer, layers={**answer.layers, CLAIM: tensors})


@dataclass(frozen=True)
class ClaimTerms:
    """What a claim must be of, to be accepted in a training.

    Attributes:
        keys: party -> public key (hexadecimal) that is known; of others the first one is believed.
    """

    federation: str
    training: str
    keys: Mapping[str, str] = field(default_factory=dict)

    def accepted(
        self, replies: Mapping[str, Message | Failure], challenge: int
    ) -> tuple[dict[str, Message | Failure], dict[str, SignedClaim]]:
        """Answers to ``join`` whose claims hold, failures of the others; and the claims."""
        found: dict[str, Message | Failure] = dict(replies)
        claims: dict[str, SignedClaim] = {}
        for party, reply in replies.items():
            if isinstance(reply, Message):
                try:
                    claims[party] = self.check(party, reply, challenge)
                except ExchangeError as error:
                    found[party] = Failure(party, str(error))
        return found, claims

    def check(self, party: str, answer: Message, challenge: int) -> SignedClaim:
        """The claim that came with an answer to ``join``.

        Raises:
            ExchangeError: if there is none, or it is another's, of another training, of an earlier
                call, of other rows, or signed with another key.
        """
        found = _claim_in(answer.layers)
        claim, rows = found.claim, answer.numbers.get(ROWS)
        if not found.is_genuine():
            raise ExchangeError("the signature of its rows is not that of the key it names")
        wanted = {
            "federation": self.federation,
            "training": self.training,
            "party": party,
            "rows": rows,
            "challenge": challenge,
        }
        for name, value in wanted.items():
            if (given := getattr(claim, name)) != value:
                raise ExchangeError(
                    f"its claim of rows is signed for {name} {given!r}, and asked for was "
                    f"{value!r}: an old claim, or another's, says nothing here"
                )
        if found.key != (known := self.keys.get(party, found.key)):
            raise ExchangeError(
                f"its claim of rows is signed with key {found.key[:16]}, and {known[:16]} is "
                f"known as its own. Put the site's key file back"
            )
        return found.model_copy(update={"received_s": int(time.time())})


def new_challenge() -> int:
    """A number that no earlier claim answers; always of 16 digits, so that bytes stay the same."""
    half = 1 << (_CHALLENGE_BITS - 1)
    return half + secrets.randbelow(half)


def _claim_in(layers: Layers) -> SignedClaim:
    tensor = layers.get(CLAIM, {}).get(JSON)
    if tensor is None:
        raise ExchangeError("it joined without a signed claim of its rows")
    blob = np.asarray(tensor).tobytes()
    if len(blob) > _MOST_BYTES:
        raise ExchangeError(f"its claim of rows has {len(blob):,} bytes; at most {_MOST_BYTES:,}")
    try:
        return SignedClaim.model_validate(json.loads(blob))
    except (ValueError, ValidationError, RecursionError) as error:
        raise ExchangeError(f"its claim of rows cannot be read ({type(error).__name__})") from None
