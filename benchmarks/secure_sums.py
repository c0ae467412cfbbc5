"""What secure sums cost: exactness, bytes and seconds against plain rounds, in one run.

    python -m benchmarks.secure_sums

Ten sites that train for no time send 1 MiB of float32 each; none, one or three of them drop out
after they have shared their secrets. Their layers are random, so that nothing hides in zeros. Then
sums within groups, with members that lie (`benchmarks.grouped_sums`).
"""

from collections.abc import Mapping
from dataclasses import replace
from statistics import median

import numpy as np

from benchmarks.grouped_sums import grouped_sums
from benchmarks.record import record
from benchmarks.summed_rounds import SHAPE, Measured, Sender, layer, measured, plan_of
from deepcity.city.level import Layers
from deepcity.exchange.exchange import Handler
from deepcity.privacy.secure_sums.fixed_point import fraction_bits

SITES, REPEATS = 10, 7
DROPOUTS = (0, 1, 3)


def updates(seed: int) -> dict[str, Layers]:
    """Ten updates of 1 MiB."""
    rng = np.random.default_rng(seed)
    return {f"city-{number}": layer(rng.normal(size=SHAPE)) for number in range(SITES)}


def one_round(found: Mapping[str, Layers], drops: int, secure: bool, precision: str) -> Measured:
    """One round among ten sites of whom so many drop out."""
    sites: dict[str, Handler] = {
        site: Sender(update, 100.0 + 10 * number, number < drops)
        for number, (site, update) in enumerate(found.items())
    }
    plan = replace(plan_of(sites), secure="sum" if secure else None)
    return measured(sites, plan, precision)


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
            one_round(found, drops, kind, precision)
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
        "",
        *grouped_sums(),
    ]
    text = "\n".join(lines)
    print(text)
    record("secure-sums", text)


if __name__ == "__main__":
    main()
