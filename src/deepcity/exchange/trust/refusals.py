"""Parties whose update was refused: left out with the evidence, and back after good rounds.

An update that cannot be averaged says nothing of the next one. So its party is left out until it
has sent three good ones in a row; these do not count in any mean. A party that did not answer is
no liar: it is asked again in the next round, and counts at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from deepcity.city.level import Layers
from deepcity.exchange.exchange import Failure

GOOD_ROUNDS = 3
"""Good updates after which a party counts again."""


@dataclass(frozen=True)
class RefusedUpdate:
    """A party that was refused.

    Attributes:
        reason: what was wrong with its update, the last time.
        since: round in which it was first refused, counted from 1.
        good: good updates since.
        back: the round from which it counts again; None: not yet.
    """

    party: str
    reason: str
    since: int
    good: int = 0
    back: int | None = None


def with_refusals(
    before: Sequence[RefusedUpdate],
    updates: Mapping[str, Layers],
    refused: Sequence[Failure],
    number: int,
) -> tuple[dict[str, Layers], list[Failure], tuple[RefusedUpdate, ...]]:
    """Updates that count in this round, who is left out and why, and all refusals so far.

    Args:
        updates: good ones; `refused`: who sent another.
        number: of the round, counted from 1.
    """
    waiting = {one.party: one for one in before if one.back is None}
    counted = dict(updates)
    left_out = list(refused)
    changed: dict[str, RefusedUpdate] = {}
    for failure in refused:
        since = waiting[failure.party].since if failure.party in waiting else number
        changed[failure.party] = RefusedUpdate(failure.party, failure.reason, since)
    for party in waiting.keys() & updates.keys():
        one = waiting[party]
        if one.good >= GOOD_ROUNDS:
            changed[party] = replace(one, back=number)
            continue
        changed[party] = replace(one, good=one.good + 1)
        del counted[party]
        why = f"it was refused in round {one.since}, and {one.good + 1} of {GOOD_ROUNDS} good"
        left_out.append(Failure(party, f"{why} updates have come since: {one.reason}"))
    past = [one for one in before if one.party not in changed or one.back is not None]
    return counted, left_out, (*past, *(changed[party] for party in sorted(changed)))
