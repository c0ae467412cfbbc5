"""`ambiguous` and `nonexistent`: hours that clocks show twice in autumn and skip in spring."""

from dataclasses import dataclass

from deepcity.city.problem import Change, Trial
from deepcity.data.remedies import Remedy


@dataclass(frozen=True)
class RepeatedHour:
    """Rows of an hour that clocks showed twice.

    Attributes:
        rows: how many.
        times: at how many distinct times and places, as the clocks showed them.
        in_order: whether times do not fall when the first row of a time is taken as the earlier.
    """

    rows: int
    times: int
    in_order: bool


@dataclass(frozen=True)
class SkippedHour:
    """Rows of an hour that clocks skipped.

    Attributes:
        rows: how many.
        taken: how many of them would fall on the time of another row an hour later.
    """

    rows: int
    taken: int


def _infer(evidence: RepeatedHour) -> Trial | None:
    change = Change({"time.ambiguous": ("infer",)})
    if evidence.rows != 2 * evidence.times:
        return None  # nothing shows which of the two hours a row is of
    if not evidence.in_order:
        return Trial(change, False, "the rows are not in order of time, which it needs")
    return Trial(change, True, "each time has two rows: the first is the earlier")


def _one_of_both(evidence: RepeatedHour) -> Trial | None:
    change = Change({"time.ambiguous": ("earlier", "later")})
    if evidence.rows != evidence.times:
        return Trial(change, False, "two rows of one time would be one hour's")
    return Trial(change, True, "each time has one row; the other hour is then missing")


def _mask_hour(evidence: RepeatedHour) -> Trial:
    change = Change({"time.ambiguous": ("mask",)})
    return Trial(change, False, f"{evidence.rows:,} rows would be left out")


def _shift(evidence: SkippedHour) -> Trial:
    change = Change({"time.nonexistent": ("shift",)})
    if evidence.taken:
        effect = f"{evidence.taken:,} of {evidence.rows:,} rows would fall on another row's time"
        return Trial(change, False, f"{effect}: these clocks were not put forward")
    return Trial(change, True, "read as if the clock had not been put forward")


def _mask_skipped(evidence: SkippedHour) -> Trial:
    change = Change({"time.nonexistent": ("mask",)})
    return Trial(change, False, f"{evidence.rows:,} rows would be left out")


REMEDIES = (
    Remedy("ambiguous-infer", RepeatedHour, _infer),
    Remedy("ambiguous-one", RepeatedHour, _one_of_both),
    Remedy("ambiguous-mask", RepeatedHour, _mask_hour),
    Remedy("nonexistent-shift", SkippedHour, _shift),
    Remedy("nonexistent-mask", SkippedHour, _mask_skipped),
)
