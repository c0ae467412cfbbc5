"""What an agency records of its answers in vertical training: one entry for each answer.

An answer holds the activations of a block of origins, so the entries of a training are as many as
its messages (rounds x blocks, and a few spans), however many rows there are; the SHA-256 is that of
all the activations in the answer. The gradient of a loss, by which a party whose labels stay helps
its application, is recorded as a document. Cells and versions hold nothing learned.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deepcity.city.level import Layers
from deepcity.exchange.message import Message, round_of
from deepcity.exchange.precision import Precision
from deepcity.exchange.trust.recorded_releases import tensors_bytes, tensors_digest
from deepcity.exchange.vertical.names import DEEP, GRADIENTS
from deepcity.store.release_ledger.release import (
    MOST_GRANTS,
    GrantScope,
    Leakage,
    Release,
    ReleaseForm,
)

Ask = Callable[[Message, Layers], tuple[str, ...]]
"""Question and answer -> names of the grants of a city's policy that allow its activations;
GrantError where none does."""


@dataclass(frozen=True)
class DeepDataTerms:
    """What an agency records for one application.

    Attributes:
        party: the agency with its city's name.
        receiver: whose application it is; empty: the caller.
        training: names the training that the agency is in.
        level: its cut level.
        leakage: what an audit measured of its deep data.
        policy: None: the city names no policy.
        precision: as in the contract.
    """

    party: str
    receiver: str
    service: str
    training: Callable[[], str]
    level: int
    leakage: Leakage | None = None
    policy: Ask | None = None
    precision: Precision = "float32"

    def releases(self, message: Message, caller: str, layers: Layers) -> Sequence[Release]:
        """As in the contract: activations, and gradients of a loss."""
        found = []
        if DEEP in layers:
            grants = None if self.policy is None else self.policy(message, layers)[:MOST_GRANTS]
            found.append(self._release(message, caller, layers, grants))
        if GRADIENTS in layers:
            found.append(self._release(message, caller, layers))
        return found

    def _release(
        self,
        message: Message,
        caller: str,
        layers: Layers,
        grants: tuple[str, ...] | None = None,
    ) -> Release:
        deep = DEEP in layers
        tensors = layers[DEEP if deep else GRADIENTS]
        return Release(
            party=self.party,
            receiver=self.receiver or caller,
            service=self.service,
            training=self.training(),
            verb=message.verb,
            round=round_of(message),
            layer=f"h{self.level}" if deep else GRADIENTS,
            form=ReleaseForm.DEEP_DATA if deep else ReleaseForm.DOCUMENT,
            grant=GrantScope(level=self.level, stem="private") if deep else None,
            policy_grants=grants,
            leakage=self.leakage if deep else None,
            bytes=tensors_bytes(tensors),
            sha256=tensors_digest(tensors),
        )
