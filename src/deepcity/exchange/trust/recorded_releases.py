"""Every layer in a site's answers is recorded in its release ledger before it leaves.

The outermost handler of a site, so that what is recorded is what goes over the wire: after the
grant, sparse moves, secure sums and the signed claim of rows. Numbers of the round protocol (rows,
errors, losses) and shares of a secure sum's secrets hold no layer; they are not recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from deepcity.city.level import LADDER, STEM, Tensors
from deepcity.exchange.compression.sparse_moves import is_sparse
from deepcity.exchange.exchange import Handler
from deepcity.exchange.message import Message, round_of
from deepcity.exchange.precision import Precision, lower_precision
from deepcity.exchange.secure.summing_party import MASKS
from deepcity.privacy.grants import Grant
from deepcity.store.blob import canonical_json
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.release import (
    GrantScope,
    Leakage,
    Release,
    ReleaseForm,
)

_NETWORK = frozenset({STEM, *LADDER})


@dataclass(frozen=True)
class ReleaseTerms:
    """What a site records of each layer that leaves in one training.

    Attributes:
        grant: of the party, for the service.
        secure: whether layers leave in secure sums.
        precision: of layers on the wire.
        leakage: layer -> what an audit measured of it.
    """

    grant: Grant
    training: str
    secure: bool = False
    precision: Precision = "float32"
    leakage: Mapping[str, Leakage] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordingHandler:
    """A handler whose layers are recorded before they leave.

    Attributes:
        inner: answers; what leaves must have passed its grant already.
    """

    inner: Handler
    ledger: ReleaseLedger
    terms: ReleaseTerms

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; raises what the handler inside raises.

        Raises:
            LedgerError: if a layer cannot be recorded; it does not leave then.
        """
        answer = self.inner.handle(message, caller)
        sent = lower_precision(answer, self.terms.precision)
        releases = [
            self._release(message, caller, layer, tensors)
            for layer, tensors in sent.layers.items()
            if layer != MASKS
        ]
        if releases:
            self.ledger.record(releases)
        return answer

    def _release(self, message: Message, caller: str, layer: str, tensors: Tensors) -> Release:
        terms, network = self.terms, layer in _NETWORK
        scope = GrantScope(level=terms.grant.level, stem=terms.grant.stem)
        return Release(
            party=terms.grant.party,
            receiver=caller,
            service=terms.grant.service,
            training=terms.training,
            verb=message.verb,
            round=round_of(message),
            layer=layer,
            form=_form(tensors, secure=terms.secure) if network else ReleaseForm.DOCUMENT,
            grant=scope if network else None,
            leakage=terms.leakage.get(layer) if network else None,
            bytes=sum(tensor.nbytes for tensor in tensors.values()),
            sha256=tensors_digest(tensors),
        )


def tensors_digest(tensors: Tensors) -> str:
    """SHA-256 of a layer as it left: names, types and shapes as canonical JSON, then the bytes.

    The receiver can compute it of what it was sent.
    """
    named = sorted(tensors.items())
    facts = [[name, tensor.dtype.str, list(tensor.shape)] for name, tensor in named]
    digest = sha256(canonical_json(facts).encode())
    for _, tensor in named:
        digest.update(np.ascontiguousarray(tensor).tobytes())
    return digest.hexdigest()


def _form(tensors: Tensors, *, secure: bool) -> ReleaseForm:
    if secure:
        return ReleaseForm.MASKED
    return ReleaseForm.SPARSE if is_sparse(tensors) else ReleaseForm.PLAIN
