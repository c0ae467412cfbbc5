"""One round of sites that train for no time: its seconds, its bytes, and the mean that comes of it.

For `benchmarks.secure_sums` and `benchmarks.grouped_sums`.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepcity.city.errors import ExchangeError
from deepcity.city.level import Layers
from deepcity.exchange.exchange import Handler
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message
from deepcity.exchange.party import ERROR, JOIN, ROWS, TRAIN
from deepcity.exchange.rounds import FederationPlan, begin, one_round
from deepcity.exchange.secure.summing_party import secured
from deepcity.exchange.strategies import FedAvg, Strategy

SHAPE = (512, 512)
"""1 MiB of float32 in one layer."""


@dataclass(frozen=True)
class Sender:
    """A site that has its update ready, or drops out when asked for it."""

    update: Layers
    rows: float
    drops: bool = False

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message."""
        if message.verb == JOIN:
            return Message(JOIN, {ROWS: self.rows})
        if self.drops:
            raise ExchangeError("it dropped out")
        return Message(TRAIN, {ERROR: 1.0}, self.update)


@dataclass
class Timed:
    """A handler and the seconds that it took."""

    inner: Handler
    seconds: float = 0.0

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message."""
        begun = time.perf_counter()
        try:
            return self.inner.handle(message, caller)
        finally:
            self.seconds += time.perf_counter() - begun


@dataclass(frozen=True)
class Measured:
    """One round: its seconds, those of a site on average, bytes that sites sent, the mean."""

    seconds: float
    site_seconds: float
    sent: int
    mean: np.ndarray


def layer(values: np.ndarray) -> Layers:
    """Values of `SHAPE` as a layer."""
    return {"h1": {"weight": values.astype(np.float32)}}


def plan_of(sites: Mapping[str, Handler], strategy: Strategy | None = None) -> FederationPlan:
    """One round of one layer among these sites, from zeros; a mean, unless a strategy is given."""
    reference = layer(np.zeros(SHAPE))
    return FederationPlan(dict.fromkeys(sites, 1), reference, strategy or FedAvg(), 1)


def measured(sites: Mapping[str, Handler], plan: FederationPlan, precision: str) -> Measured:
    """One round of a plan; with secure sums where it asks for them."""
    around = secured(sites, plan.secure) if plan.secure else sites
    timed = {site: Timed(one) for site, one in around.items()}
    ledger = Ledger()
    exchange = InProcessExchange(timed, ledger=ledger, precision=precision)
    begun = begin(exchange, plan)
    start = time.perf_counter()
    progress = one_round(exchange, plan, begun)
    seconds = time.perf_counter() - start
    rows = [row for row in ledger.snapshot() if row[0] == int(begun.round)]
    return Measured(
        seconds,
        sum(one.seconds for one in timed.values()) / len(sites),
        sum(row[5] for row in rows if row[2] in sites),
        progress.state.layers["h1"]["weight"],
    )
