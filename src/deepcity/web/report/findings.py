"""What the numbers of a run say, and no more: gains, losses, and who had little data.

A gain is the share of the error of learning alone that was saved; it is negative where
joining cost accuracy. Differences within `SAME_WITHIN` are called no difference.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from deepcity.parties.method_errors import ALONE, AUTOMATIC
from deepcity.runs.results import MethodTraffic, PartyResult, ServiceResult

SAME_WITHIN = 0.005  # half a per cent: less than this no run of one seed can tell


class Verdict(StrEnum):
    """How a number is spoken of."""

    GAIN = "gain"
    SAME = "same"
    LOSS = "loss"


def verdict(gain: float) -> Verdict:
    """The word for a gain.

    >>> verdict(0.08), verdict(-0.003), verdict(-0.02)
    (<Verdict.GAIN: 'gain'>, <Verdict.SAME: 'same'>, <Verdict.LOSS: 'loss'>)
    """
    if abs(gain) < SAME_WITHIN:
        return Verdict.SAME
    return Verdict.GAIN if gain > 0 else Verdict.LOSS


def error(party: PartyResult, method: str) -> float | None:
    """A method's error at a party by the application's metric; None where it was not measured."""
    errors = party.test.get(method)
    known = errors is not None and math.isfinite(errors.metric_error)
    return errors.metric_error if errors is not None and known else None


def gain_over(party: PartyResult, method: str, base: str = ALONE) -> float | None:
    """Share of the error of `base` that `method` saved, or None where either is unknown."""
    ours, theirs = error(party, method), error(party, base)
    if ours is None or theirs is None or theirs <= 0:
        return None
    return 1.0 - ours / theirs


def gain_over_baseline(party: PartyResult, baselines: Sequence[str]) -> float | None:
    """Share saved against the best of its application's baselines at this party."""
    known = {m: e for m in baselines if (e := error(party, m)) is not None}
    return gain_over(party, AUTOMATIC, min(known, key=lambda m: known[m])) if known else None


@dataclass(frozen=True)
class Case:
    """One party in one service, and what joining was worth to it there."""

    service: ServiceResult
    party: PartyResult
    gain: float

    @property
    def verdict(self) -> Verdict:
        """The word for its gain."""
        return verdict(self.gain)


def cases(services: Iterable[ServiceResult]) -> list[Case]:
    """Every party of every service whose gain is known."""
    return [
        Case(service, party, gain)
        for service in services
        for party in service.parties
        if (gain := gain_over(party, AUTOMATIC)) is not None
    ]


def count(found: Iterable[Case], wanted: Verdict) -> int:
    """How many cases have that verdict."""
    return sum(case.verdict is wanted for case in found)


def mean_known(values: Iterable[float | None]) -> float | None:
    """Mean of the values that are known, or None if none is."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def traffic_of(service: ServiceResult, method: str) -> MethodTraffic | None:
    """What left during a method's run, or None where it was not recorded."""
    return next((t for t in service.traffic if t.method == method), None)


def bytes_left(services: Iterable[ServiceResult]) -> int | None:
    """Bytes that left all parties so that they could choose; None where none was recorded.

    That is the joined training at the deepest level granted, and the rounds on episodes that
    prepare for newcomers; choosing sends nothing more.
    """
    found = [t for s in services if (t := traffic_of(s, AUTOMATIC)) is not None]
    return sum(sum(t.bytes_by_layer.values()) for t in found) if found else None


def raw_bytes(services: Iterable[ServiceResult]) -> int | None:
    """Bytes of raw rows that stayed at home; None unless every party's is known."""
    sizes = [party.raw_bytes for service in services for party in service.parties]
    known = [size for size in sizes if size is not None]
    return sum(known) if known and len(known) == len(sizes) else None


def overlaps(services: Iterable[ServiceResult]) -> bool:
    """Whether some party takes part in more than one service."""
    names = [(party.city, party.name) for service in services for party in service.parties]
    return len(set(names)) < len(names)
