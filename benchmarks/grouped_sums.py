"""Secure sums within groups against plain rounds and one sum, with and without members that lie.

Printed by `python -m benchmarks.secure_sums`. Also what groups that are drawn anew show over
rounds, by the best linear estimate; computed, and not tried.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from benchmarks.summed_rounds import SHAPE, Measured, Sender, layer, measured, plan_of
from deepcity.exchange.exchange import Handler
from deepcity.exchange.rounds import FederationPlan
from deepcity.exchange.secure.drawn_groups import GroupDraw
from deepcity.exchange.strategies import Median

COMMON, OWN = 0.01, 0.002
"""Standard deviations of what all members' values have in common, and of what is each one's own."""
TIMES, SIZE, REPEATS = 1000.0, 3, 7
CASES = ((9, 0), (9, 1), (9, 2), (10, 0), (10, 1))
"""Parties, and how many of them lie."""
WAYS: Mapping[str, Callable[[FederationPlan, int], FederationPlan]] = {
    "plain mean": lambda plan, _: plan,
    "plain median": lambda plan, _: replace(plan, strategy=Median()),
    "secure sum": lambda plan, _: replace(plan, secure="sum"),
    "sums in groups, median": lambda plan, seed: replace(
        plan, strategy=Median(), secure="sum", draw=GroupDraw(SIZE, seed, 3)
    ),
}
ROUNDS, NEW = (1, 3, 6, 12, 24), (0.0, 0.5, 1.0, 2.0, 4.0)


def grouped_sums() -> list[str]:
    """Two tables, as lines."""
    return [
        "**Sums within groups.** Parties of equal rows in groups of three (three groups of 9, of "
        "10 one has four), fused by the median of the groups' means; 1 MiB of float32 each, half "
        f"precision on the wire, {REPEATS} rounds with other values and groups, medians with least "
        f"and greatest. Values are a common part (standard deviation {COMMON}) and one's own "
        f"({OWN}); who lies sends its values times {TIMES:g}, which a secure sum's bounds (64) "
        "still hold. *Off*: root mean square difference from the plain median of the honest "
        "members, in standard deviations of members' own parts.",
        "",
        "| parties | lying | way | off | bytes sent up, of plain | round, ms | of plain mean |",
        "|---:|---:|:---|---:|---:|---:|---:|",
        *(line for parties, liars in CASES for line in _case(parties, liars)),
        "",
        "**What groups that are drawn anew show over rounds.** Nine parties in groups of three: "
        "share of the variance of what singles a party out in all rounds that follows from so many "
        "rounds' group means, by the best linear estimate; computed, mean of 20 seeds. *New*: "
        "standard deviation of what is new with a party in each round, in those of what stays. "
        "With one sum, or with groups that stay, it is 0 and 0.25 at most.",
        "",
        "| new | " + " | ".join(f"after round {number}" for number in ROUNDS) + " |",
        "|---:|" + "---:|" * len(ROUNDS),
        *(
            f"| {new:g} | " + " | ".join(f"{_shown(new, number):.2f}" for number in ROUNDS) + " |"
            for new in NEW
        ),
    ]


def _case(parties: int, liars: int) -> list[str]:
    """A row for each way."""
    found: dict[str, list[tuple[Measured, float]]] = {way: [] for way in WAYS}
    for seed in range(REPEATS):
        values = _values(parties, seed)
        right = np.median(np.stack(values[liars:]), axis=0)
        sent = [one * (TIMES if at < liars else 1.0) for at, one in enumerate(values)]
        sites: dict[str, Handler] = {
            f"city-{at}": Sender(layer(one), 100.0) for at, one in enumerate(sent)
        }
        for way, of_way in WAYS.items():
            one = measured(sites, of_way(plan_of(sites), seed), "float16")
            off = float(np.sqrt(np.mean((one.mean - right) ** 2))) / OWN
            found[way].append((one, off))
    return [_row(parties, liars, way, found) for way in WAYS]


def _values(parties: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng([seed, parties])
    common = COMMON * rng.normal(size=SHAPE)
    return [common + OWN * rng.normal(size=SHAPE) for _ in range(parties)]


def _row(
    parties: int, liars: int, way: str, found: Mapping[str, Sequence[tuple[Measured, float]]]
) -> str:
    plain = [one for one, _ in found["plain mean"]]
    own = [one for one, _ in found[way]]
    offs = [off for _, off in found[way]]
    ratios = [one.seconds / its.seconds for one, its in zip(own, plain, strict=True)]
    return (
        f"| {parties} | {liars} | {way} | {_spread(offs)} | {own[0].sent / plain[0].sent:.2f} | "
        f"{1000 * median(one.seconds for one in own):.0f} | {_spread(ratios)} |"
    )


def _spread(values: Sequence[float]) -> str:
    """The median with least and greatest."""
    return f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def _shown(new: float, rounds: int, parties: int = 9) -> float:
    """R² of the best linear estimate of what stays with each party, from its group means.

    What stays has variance 1 and is independent between parties; a group's mean in a round also
    holds what is new. The mean of all parties is known to everybody, and no party's own.
    """
    names = [f"p{number}" for number in range(parties)]
    centred = np.eye(parties) - 1 / parties
    found = []
    for seed in range(20):
        draw = GroupDraw(SIZE, seed, 3)
        groups = [group for number in range(rounds) for group in draw.groups(names, number)]
        means_GP = np.array([[(one in group) / len(group) for one in names] for group in groups])
        noise_GG = np.diag([new**2 / len(group) + 1e-9 for group in groups])
        gain_PG = means_GP.T @ np.linalg.inv(means_GP @ means_GP.T + noise_GG)
        left_PP = np.eye(parties) - gain_PG @ means_GP
        found.append(1 - np.trace(centred @ left_PP) / np.trace(centred))
    return float(np.mean(found))
