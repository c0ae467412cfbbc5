"""What a release ledger costs: appending, checking and proving at a million entries, in one run.

    python -m benchmarks.release_ledger [ENTRIES]

Entries are like those of a round: five layers an answer, each answer a batch under a signed head.
Batches that are on the disk before the next begins (fsync) are measured on the first 2,000; the
million is written in batches of 1,000, for it is the same code and the disk would be measured.
"""

import sys
import tempfile
import time
import tracemalloc
from hashlib import sha256
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.record import record
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.proof import head_sheet, prove_release
from deepcity.store.release_ledger.release import GrantScope, Release, ReleaseForm
from deepcity.store.release_ledger.totals import LedgerTotals
from deepcity.store.release_ledger.verify import check_ledger

LAYERS = ("h1", "h2", "h3", "h4", "h5")
ENTRIES, ANSWERS, BATCH = 1_000_000, 2_000, 1_000


def release(number: int) -> Release:
    """An entry like those of a real round."""
    return Release(
        party="ferrara/district-1:inflow",
        receiver="coordinator",
        service="water",
        training="water.level_5",
        verb="train",
        round=number // len(LAYERS),
        layer=LAYERS[number % len(LAYERS)],
        form=ReleaseForm.PLAIN,
        grant=GrantScope(level=5, stem="private"),
        leakage=None,
        bytes=17_360,
        sha256=sha256(number.to_bytes(8, "big")).hexdigest(),
    )


def answers(folder: Path) -> tuple[list[float], float]:
    """Seconds of each answer's batch, fsync included, and of checking such a ledger by entry."""
    ledger = ReleaseLedger(folder / "answers.jsonl", "north", Ed25519PrivateKey.generate())
    seconds = []
    for number in range(ANSWERS):
        batch = [release(number * len(LAYERS) + one) for one in range(len(LAYERS))]
        begun = time.perf_counter()
        ledger.record(batch)
        seconds.append(time.perf_counter() - begun)
    begun = time.process_time()
    assert not check_ledger(ledger.path).findings
    return seconds, (time.process_time() - begun) / (ANSWERS * len(LAYERS))


def filled(folder: Path, entries: int) -> tuple[ReleaseLedger, float]:
    """A ledger of many entries, and processor seconds for them (without making the releases)."""
    ledger = ReleaseLedger(folder / "million.jsonl", "north", Ed25519PrivateKey.generate())
    spent = 0.0
    for start in range(0, entries, BATCH):
        batch = [release(start + one) for one in range(min(BATCH, entries - start))]
        begun = time.process_time()
        ledger.record(batch)
        spent += time.process_time() - begun
    return ledger, spent


def spent(what: object) -> float:
    """Processor seconds of a call."""
    begun = time.process_time()
    what()  # type: ignore[operator]
    return time.process_time() - begun


def main() -> None:
    """Measure, print and record."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        batches, answer_check = answers(folder)
        ledger, appending = filled(folder, entries)
        size = ledger.path.stat().st_size
        checking = spent(lambda: _checked(ledger.path, entries))
        opening = spent(lambda: ReleaseLedger(ledger.path, "north", ledger.key).signed())
        proving = spent(lambda: prove_release(ledger.path, entries // 2))
        proof = prove_release(ledger.path, entries // 2)
        reading = median(spent(proof.faults) for _ in range(20))
        continuing = spent(lambda: head_sheet(ledger.path, [entries // 3]))
        peak = _peak(folder / "answers.jsonl")
        totals = LedgerTotals(ledger.path)
        summing = spent(totals.follow)
        assert (totals.entries, len(totals.totals)) == (entries, len(LAYERS))
        again = spent(totals.follow)
    milliseconds = [1000 * one for one in sorted(batches)]
    text = f"""## The ledger of what left

`python -m benchmarks.release_ledger`. Processor seconds of one core, but for an answer's batch,
which is by the clock with the disk (fsync) on a busy machine. No seed moves them.

| what | figure |
|---|---:|
| recording an answer of five layers, median (95 %) | {milliseconds[len(milliseconds) // 2]:.1f} \
({milliseconds[int(0.95 * len(milliseconds))]:.1f}) ms |
| entries | {entries:,} |
| appending, entries a second (batches of {BATCH:,}) | {entries / appending:,.0f} |
| checking all, entries a second | {entries / checking:,.0f} |
| the same with a head after each five entries | {1 / answer_check:,.0f} |
| opening to go on | {opening:.1f} s |
| bytes an entry | {size / entries:.0f} |
| proof of one entry: making it | {proving:.1f} s |
| its bytes | {len(proof.to_line()):,} |
| checking it | {1000 * reading:.2f} ms |
| proof that it continues an older head: making it | {continuing:.1f} s |
| sums for "What leaves my house": the first time | {summing:.1f} s |
| again, with nothing new | {1000 * again:.2f} ms |
| memory of a check, beyond what was loaded | {peak / 1e6:.1f} MB |
"""
    print(text)
    if entries == ENTRIES:
        record("release-ledger", text)


def _checked(path: Path, entries: int) -> None:
    check = check_ledger(path)
    assert (check.size, check.findings) == (entries, []), check.findings


def _peak(path: Path) -> int:
    tracemalloc.start()
    check_ledger(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


if __name__ == "__main__":
    main()
