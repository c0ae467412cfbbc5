"""How long a policy takes to decide about a release, parsed before.

    python -m benchmarks.policy

A city with a few or many grants and a rule of its own; half of the releases asked about are
allowed. Without a rule and with one grant it is Cedar and the way to it alone.
"""

import statistics
import time

from benchmarks.record import record
from deepcity.privacy.policy.policy import Policy
from deepcity.privacy.policy.release import (
    Item,
    ReleaseAction,
    ReleaseGrant,
    ReleaseMeasures,
    ReleaseRequest,
)

GRANTS, DECISIONS, REPEATS = (1, 10, 100), 2_000, 3
NOW = 1_800_000_000
RULE = """
@id("nothing-at-night")
forbid (principal, action, resource)
when { context.now.toTime() < duration("1ms") };
"""


def main():
    """Measure, print and record."""
    lines = [
        "## A policy's decision",
        "",
        f"`python -m benchmarks.policy`: {DECISIONS:,} decisions about releases of layers to one "
        f"city, half of them allowed, of a policy parsed before; median and 95th percentile of "
        f"each of {REPEATS} runs, the range over runs. Goal: under 0.2 ms. Grants are of one "
        "agency: those of others are not asked.",
        "",
        "| grants | rules of the city | allowed, median ms | 95 % | denied, median ms | 95 % |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for count in GRANTS:
        for rules in ("", RULE):
            cells = [_range(one) for one in zip(*_measured(count, rules), strict=True)]
            lines.append(f"| {count} | {'one' if rules else 'none'} | {' | '.join(cells)} |")
    text = "\n".join([*lines, ""])
    print(text)
    record("policy", text)


def _measured(count, rules):
    """Milliseconds of each run: median and 95th percentile, allowed and denied."""
    policy = Policy("town", {"water": "resources"}, tuple(map(_grant, range(count))), rules)
    allowed, denied = _request("use-0"), _request("another")
    assert policy.decide(allowed).allowed
    assert not policy.decide(denied).allowed
    for _ in range(REPEATS):
        times: dict[str, list[float]] = {"allowed": [], "denied": []}
        for number in range(DECISIONS):
            name, request = ("allowed", allowed) if number % 2 else ("denied", denied)
            begun = time.perf_counter()
            policy.decide(request)
            times[name].append(1_000 * (time.perf_counter() - begun))
        found = [sorted(times[name]) for name in ("allowed", "denied")]
        yield [
            value for one in found for value in (statistics.median(one), one[int(0.95 * len(one))])
        ]


def _grant(number):
    return ReleaseGrant(
        name=f"grant-{number}",
        agency="water",
        item=Item.LAYERS,
        grantees=("north", "south"),
        domain="resources",
        service="demand",
        purpose=f"use-{number}",
        lowest=1,
        highest=5,
        until=NOW + 1,
        max_stream_r2=0.4,
    )


def _request(purpose):
    return ReleaseRequest(
        action=ReleaseAction.RELEASE_LAYERS,
        agency="water",
        recipients=("north",),
        service="demand",
        purpose=purpose,
        lowest=1,
        highest=5,
        now=NOW,
        measured=ReleaseMeasures(stream_r2=0.4),
    )


def _range(values):
    return f"{min(values):.3f} to {max(values):.3f}"


if __name__ == "__main__":
    main()
