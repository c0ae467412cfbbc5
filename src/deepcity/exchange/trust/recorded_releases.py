"""Every layer in a site's answers is recorded in its release ledger before it leaves.

The outermost handler of a site, so that what is recorded is what goes over the wire: after the
grant, sparse moves, secure sums and the signed claim of rows. Numbers of the round protocol (rows,
errors, losses) and shares of a secure sum's secrets hold no layer; they are not recorded.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

import numpy as np

from deepcity.city.level import LADDER, STEM, Layers, Tensors
from deepcity.exchange.compression.sparse_moves import is_sparse
from deepcity.exchange.exchange import Handler
from deepcity.exchange.message import Message, round_of
from deepcity.exchange.precision import Precision, lower_precision
from deepcity.exchange.secure.summing_party import MASKS
from deepcity.privacy.grants import Grant
from deepcity.store.blob import canonical_json
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.release import (
    MOST_GRANTS,
    GrantScope,
    Leakage,
    Release,
    ReleaseForm,
    epsilon_text,
)

_NETWORK = frozenset({STEM, *LADDER})


class Terms(Protocol):
    """What a site records of what leaves in one training."""

    @property
    def precision(self) -> Precision:
        """Of layers on the wire."""
        ...

    def releases(self, message: Message, caller: str, layers: Layers) -> Sequence[Release]:
        """One entry for each layer of an answer that is recorded.

        Args:
            message: what was asked.
            layers: of the answer, as they go over the wire.

        Raises:
            GrantError: if the city's policy does not allow it any more.
        """
        ...


@dataclass(frozen=True)
class ReleaseTerms:
    """What a site records of each layer of its network that leaves in one training.

    Attributes:
        grant: of the party, for the service.
        secure: whether layers leave in secure sums.
        precision: as in the contract.
        leakage: layer -> what an audit measured of it.
        policy: names of the grants of the city's policy that allow layers; None: it names no
            policy.
        epsilon: what is spent on the party's records by differential privacy, with these layers;
            None: they leave without noise.
    """

    grant: Grant
    training: str
    secure: bool = False
    precision: Precision = "float32"
    leakage: Mapping[str, Leakage] = field(default_factory=dict)
    policy: Callable[[Collection[str]], tuple[str, ...]] | None = None
    epsilon: Callable[[], float] | None = None

    def releases(self, message: Message, caller: str, layers: Layers) -> Sequence[Release]:
        """As in the contract: every layer, but for masks of secure sums."""
        network = [layer for layer in layers if layer in _NETWORK]
        grants = policy_grants(self.policy, network) if network else None
        spent = self.epsilon() if self.epsilon is not None and network else None
        return [
            self._release(message, caller, layer, tensors, grants, spent)
            for layer, tensors in layers.items()
            if layer != MASKS
        ]

    def _release(
        self,
        message: Message,
        caller: str,
        layer: str,
        tensors: Tensors,
        grants: tuple[str, ...] | None,
        spent: float | None,
    ) -> Release:
        network = layer in _NETWORK
        scope = GrantScope(level=self.grant.level, stem=self.grant.stem)
        return Release(
            party=self.grant.party,
            receiver=caller,
            service=self.grant.service,
            training=self.training,
            verb=message.verb,
            round=round_of(message),
            layer=layer,
            form=_form(tensors, secure=self.secure) if network else ReleaseForm.DOCUMENT,
            grant=scope if network else None,
            policy_grants=grants if network else None,
            leakage=self.leakage.get(layer) if network else None,
            epsilon=None if spent is None or not network else epsilon_text(spent),
            bytes=tensors_bytes(tensors),
            sha256=tensors_digest(tensors),
        )


@dataclass(frozen=True)
class RecordingHandler:
    """A handler whose layers are recorded before they leave.

    Attributes:
        inner: answers; what leaves must have passed its grant already.
    """

    inner: Handler
    ledger: ReleaseLedger
    terms: Terms

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; raises what the handler inside raises.

        Raises:
            GrantError: if the city's policy does not allow a layer any more.
            LedgerError: if a layer cannot be recorded; it does not leave then.
        """
        answer = self.inner.handle(message, caller)
        sent = lower_precision(answer, self.terms.precision)
        if releases := self.terms.releases(message, caller, sent.layers):
            self.ledger.record(releases)
        return answer


def policy_grants(
    policy: Callable[[Collection[str]], tuple[str, ...]] | None, layers: Collection[str]
) -> tuple[str, ...] | None:
    """Names of the grants that allow layers, as many as an entry holds; None without a policy."""
    return None if policy is None else policy(layers)[:MOST_GRANTS]


def tensors_bytes(tensors: Tensors) -> int:
    """Bytes of a layer's arrays."""
    return sum(tensor.nbytes for tensor in tensors.values())


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
