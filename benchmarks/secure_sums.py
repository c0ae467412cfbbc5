"""What secure sums cost: exactness, bytes and seconds against plain rounds, in one run.

    python -m benchmarks.secure_sums

Ten sites that train for no time send 1 MiB of float32 each; none, one or three of them drop out
after they have shared their secrets. Their layers are random, so that nothing hides in zeros.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from benchmarks.record import record
from deepcity.city.errors import ExchangeError
from deepcity.city.level import Layers
from deepcity.exchange.exchange import Handler
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message
from deepcity.exchange.party import ERROR, JOIN, ROWS, TRAIN
from deepcity.exchange.rounds import FederationPlan, begin, one_round
from deepcity.exchange.secure.summing_party import secured
from deepcity.exchange.strategies import FedAvg
from deepcity.privacy.secure_sums.fixed_point import fraction_bits

SITES, REPEATS = 10, 7
SHAPE = (512, 512)
DROPOUTS = (0, 1, 3)


@dataclass(frozen=True)
class Sender:
    """A site that has its update ready, or drops out when asked for it."""

    update: Layers
    rows: float
    drops: bool

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
    received: int
    mean: np.ndarray


def updates(seed: int) -> dict[str, Layers]:
    """Ten updates of 1 MiB."""
    rng = np.random.default_rng(seed)
    return {
        f"city-{number}": {"h1": {"weight": rng.normal(size=SHAPE).astype(np.float32)}}
        for number in range(SITES)
    }


def measured(found: Mapping[str, Layers], drops: int, secure: bool, precision: str) -> Measured:
    """One round among ten sites of whom so many drop out."""
    sites: dict[str, Handler] = {
        site: Sender(update, 100.0 + 10 * number, number < drops)
        for number, (site, update) in enumerate(found.items())
    }
    timed = {site: Timed(one) for site, one in (secured(sites, "sum") if secure else sites).items()}
    reference = {"h1": {"weight": np.zeros(SHAPE, np.float32)}}
    plan = FederationPlan(dict.fromkeys(sites, 1), reference, FedAvg(), 1)
    plan = replace(plan, secure="sum" if secure else None)
    ledger = Ledger()
    exchange = InProcessExchange(timed, ledger=ledger, precision=precision)
    begun = begin(exchange, plan)
    start = time.perf_counter()
    progress = one_round(exchange, plan, begun)
    seconds = time.perf_counter() - start
    rows = [row for row in ledger.snapshot() if row[0] == int(begun.round)]
    return Measured(
        seconds,
        sum(one.seconds for one in timed.values()) / SITES,
        sum(row[5] for row in rows if row[2] in sites),
        sum(row[5] for row in rows if row[3] in sites),
        progress.state.layers["h1"]["weight"],
    )


def expected(found: Mapping[str, Layers], drops: int) -> np.ndarray:
    """The weighted mean in float64 of those that stayed."""
    stayed = list(found)[drops:]
    weights = np.array([100.0 + 10 * (drops + number) for number in range(len(stayed))])
    stack = np.stack([np.float64(found[site]["h1"]["weight"]) for site in stayed])
    return np.tensordot(weights / weights.sum(), stack, 1)


def rounding(drops: int) -> float:
    """The most that fixed-point numbers can round off such a mean, and float32 after it."""
    rows = 100.0 + 10 * np.arange(SITES)
    stayed = rows[drops:] / rows.max()
    return len(stayed) / 2 / 2 ** fraction_bits(SITES) / stayed.sum() + 2.0**-24 * 6


def row(drops: int) -> str:
    """A table's row: secure rounds against plain ones of both precisions, seeds 0 to 6."""
    runs = []
    for seed in range(REPEATS):
        found = updates(seed)
        secure, half, whole = (
            measured(found, drops, kind, precision)
            for kind, precision in ((True, "float16"), (False, "float16"), (False, "float32"))
        )
        right = expected(found, drops)
        off = [np.abs(one.mean - right).max() for one in (secure, half)]
        runs.append((secure, half, whole, *off))
        assert runs[-1][3] <= rounding(drops), "a secure sum is off by more than rounding"
    secure, half, whole, off, off_half = zip(*runs, strict=True)

    def ratio(other: tuple[Measured, ...]) -> str:
        found = [mine.seconds / its.seconds for mine, its in zip(secure, other, strict=True)]
        return f"{median(found):.1f} ({min(found):.1f} to {max(found):.1f})"

    def milliseconds(found: list[float]) -> str:
        return f"{1000 * median(found):.0f}"

    site = milliseconds([one.site_seconds for one in secure])
    whole_round = milliseconds([one.seconds for one in secure])
    return (
        f"| {drops} | {max(off):.1e} | {rounding(drops):.1e} | {max(off_half):.1e} | "
        f"{secure[0].sent:,} | {secure[0].sent / half[0].sent:.2f} | "
        f"{secure[0].sent / whole[0].sent:.2f} | {whole_round} | {site} | "
        f"{ratio(half)} | {ratio(whole)} |"
    )


def main() -> None:
    """Measure, print and record."""
    lines = [
        "## Secure sums against plain rounds",
        "",
        "`python -m benchmarks.secure_sums`. Ten sites of unequal rows send 1 MiB of float32 each "
        f"and train for no time, all in one process on one core; {REPEATS} rounds with other "
        "values, medians with least and greatest. *Off*: the greatest difference of any of "
        "262,144 values from the mean in float64. A secure round sends 4 bytes a value up, and "
        "layers come down at half precision as in the plain round beside it. Seconds are of "
        "messages, masks and sums alone: with training, the ratio falls towards 1.",
        "",
        "| dropouts | off, secure | rounding at most | off, plain float16 | bytes sent up | "
        "of plain float16 | of plain float32 | round, ms | of it a site, ms | "
        "seconds of plain float16 | seconds of plain float32 |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(row(drops) for drops in DROPOUTS),
    ]
    text = "\n".join(lines)
    print(text)
    record("secure-sums", text)


if __name__ == "__main__":
    main()
