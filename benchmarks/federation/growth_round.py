"""One round at a hub with so many simulated sites, in a process of its own: seconds and memory.

    python -m benchmarks.federation.growth_round SITES [REGIONS]

Sites answer at once with 1 MB of their own numbers, every payload serialised both ways; with
REGIONS they are led by that many regional hubs. Prints JSON: seconds of a round, bytes that sites
sent, the process's greatest memory, and a few of the fused numbers.
"""

import json
import sys
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.federation.regional_hub import RegionalHub
from benchmarks.peak_memory import peak_mb
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message
from deepcity.exchange.party import ERROR, JOIN, ROWS, TRAIN
from deepcity.exchange.rounds import FederationPlan, begin, one_round
from deepcity.exchange.strategies import FedAvg

VALUES = 250_000  # float32: 1 MB
ROUNDS = 3
SHOWN = 1_000
_BASE = np.random.default_rng(0).normal(size=VALUES).astype(np.float32)


@dataclass(frozen=True)
class Ready:
    """A site whose update is ready: made when asked for, so that the hub's memory is measured."""

    number: int

    def handle(self, message, caller):
        """Rows, or an update."""
        if message.verb == JOIN:
            return Message(JOIN, {ROWS: 1000.0 + self.number % 500})
        if message.verb != TRAIN:
            return Message(message.verb, {ERROR: 1.0})
        layers = {"h1": {"weight": np.roll(_BASE, self.number)}}
        return Message(TRAIN, {ERROR: 1.0}, layers)


def exchange_of(sites, regions, ledger):
    """The hub's exchange: to sites, or to regional hubs that lead them."""
    everyone = {f"city-{number}": Ready(number) for number in range(sites)}
    if not regions:
        return InProcessExchange(everyone, ledger=ledger)
    names = list(everyone)
    hubs = {
        f"region-{region}": RegionalHub(
            InProcessExchange({name: everyone[name] for name in names[region::regions]}), 1
        )
        for region in range(regions)
    }
    return InProcessExchange(hubs, ledger=ledger)


def measured(sites, regions=0):
    """Medians of some rounds."""
    ledger = Ledger()
    exchange = exchange_of(sites, regions, ledger)
    reference = {"h1": {"weight": np.zeros(VALUES, np.float32)}}
    before = peak_mb()
    plan = FederationPlan(dict.fromkeys(exchange.parties, 1), reference, FedAvg(), ROUNDS)
    progress, seconds = begin(exchange, plan), []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        progress = one_round(exchange, plan, progress)
        seconds.append(time.perf_counter() - begun)
    assert not any(progress.failures)
    return {
        "sites": sites,
        "regions": regions,
        "seconds": float(np.median(seconds)),
        "memory_mb": peak_mb() - before,
        "mean": progress.state.layers["h1"]["weight"][:SHOWN].astype(float).tolist(),
    }


if __name__ == "__main__":
    print(json.dumps(measured(*map(int, sys.argv[1:]))))
