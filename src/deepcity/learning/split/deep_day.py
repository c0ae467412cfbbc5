"""How an agency's deep data change over the day, and whether they still change the same way.

What activations are follows weather and season, and drifts. How they leave the mean of the day
before them follows the hour, in every season: its correlation with that of training stays
positive. It turns negative where the signs of activations are flipped, or their clock is hours off.

Shapes: B times of deep data, C cells, D deep width, S times of a day, T times of a day's grid.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.city.clock import DAY_S
from deepcity.learning.split.fusion_inputs import DeepBatch

DAYS = 2
"""Days over which a correlation is taken, beside that of one day."""
_HEAD = 3  # numbers of an array before the pattern
_LEAST_TIMES = 4  # of a day
_LEAST_DAYS = 5  # of training, that a pattern is fitted on
_LEAST_MEAN = 0.3  # of the correlations of days in training: below, a day has no course of its own
_PART = 0.75  # of the times of a day that must be known


@dataclass(frozen=True, eq=False)
class DayPattern:
    """The usual day of one agency's deep data, means over its cells.

    Attributes:
        phase_s: of the first of the S times of a day, seconds after midnight UTC.
        least_day, least_days: the least correlation over one day and over `DAYS` in training.
        pattern_SD: activations less the mean of the day that ends with them.
    """

    phase_s: int
    least_day: float
    least_days: float
    pattern_SD: Floats

    @property
    def array(self) -> Floats:
        """As a package keeps it."""
        head = [self.phase_s, self.least_day, self.least_days]
        return np.concatenate([head, self.pattern_SD.ravel()]).astype(np.float32)

    @staticmethod
    def of(array: Floats, width: int) -> "DayPattern":
        """From a package's array.

        Raises:
            ValueError: if it is none of that width.
        """
        times = (array.size - _HEAD) / width
        if array.ndim != 1 or times < _LEAST_TIMES or times % 1 or not np.isfinite(array).all():
            raise ValueError(f"a usual day of shape {array.shape} for a width of {width}")
        head, pattern_SD = array[:_HEAD].tolist(), array[_HEAD:].reshape(-1, width)
        return DayPattern(int(head[0]), head[1], head[2], pattern_SD)

    def correlations(self, time_B: Ints, batch: DeepBatch) -> tuple[float, float]:
        """With the newest day, and with the newest `DAYS` days; NaN: too little is known.

        Args:
            time_B: of the batch, UTC seconds, in order; those between the S times are left out.
        """
        size = len(self.pattern_SD)
        at_B = np.flatnonzero((time_B - self.phase_s) % (DAY_S // size) == 0)
        if not at_B.size:
            return float("nan"), float("nan")
        slot_T, away_TD = _deviations(time_B[at_B], batch.of(at_B), size)
        usual_TD = self.pattern_SD[slot_T]
        return (
            _newest(_correlations(away_TD, usual_TD, size)),
            _newest(_correlations(away_TD, usual_TD, size * DAYS)),
        )


def fit_day(time_B: Ints, batch: DeepBatch) -> DayPattern | None:
    """The usual day of an agency's deep data; None: there is none, or their times are too few.

    Each time is compared with the mean of all others at its hour (leaving one out), or chance
    would agree with itself.

    Args:
        time_B: of the batch, UTC seconds, in order.
    """
    spacing_s = int(np.diff(time_B).min()) if len(time_B) > 1 else 0
    size = DAY_S // spacing_s if spacing_s > 0 and DAY_S % spacing_s == 0 else 0
    if size < _LEAST_TIMES or time_B[-1] - time_B[0] < _LEAST_DAYS * DAY_S:
        return None
    phase_s = int(time_B[0]) % spacing_s
    regular_B = np.flatnonzero(time_B % spacing_s == phase_s)
    slot_T, away_TD = _deviations(time_B[regular_B], batch.of(regular_B), size)
    known_T = np.isfinite(away_TD).all(axis=1)
    count_S1 = np.bincount(slot_T[known_T], minlength=size)[:, None].astype(np.float32)
    if count_S1.min() < 2:
        return None
    total_SD = np.zeros((size, away_TD.shape[1]), np.float32)
    np.add.at(total_SD, slot_T[known_T], away_TD[known_T])
    others_TD = (total_SD[slot_T] - away_TD) / (count_S1[slot_T] - 1)
    day, days = (_correlations(away_TD, others_TD, size * n) for n in (1, DAYS))
    day, days = day[np.isfinite(day)], days[np.isfinite(days)]
    if not days.size or day.mean() < _LEAST_MEAN:
        return None
    return DayPattern(phase_s, float(day.min()), float(days.min()), total_SD / count_S1)


def _deviations(time_B: Ints, batch: DeepBatch, size: int) -> tuple[Ints, Floats]:
    """Of each time of the grid its place in the day, and how its activations leave the day's mean.

    Activations are means over the cells known; NaN where fewer than half of them are, or too
    little of the day before.
    """
    spacing_s = DAY_S // size
    row_B = (time_B - time_B[0]) // spacing_s
    value_TD = np.full((int(row_B[-1]) + 1, batch.vectors_BCD.shape[-1]), np.nan)
    weight_BC = batch.known_BC.astype(np.float64)
    enough_B = 2 * weight_BC.sum(axis=1) > weight_BC.shape[1]
    total_BD = np.einsum(
        "bcd,bc->bd", np.where(batch.known_BC[..., None], batch.vectors_BCD, 0), weight_BC
    )
    value_TD[row_B[enough_B]] = total_BD[enough_B] / weight_BC[enough_B].sum(axis=1)[:, None]
    known_T1 = np.isfinite(value_TD).all(axis=1, keepdims=True)
    count_T1 = _trailing(known_T1.astype(np.float32), size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_TD = _trailing(np.where(known_T1, value_TD, 0), size) / count_T1
    away_TD = np.where(count_T1 >= _PART * size, value_TD - mean_TD, np.nan).astype(np.float32)
    slot_T = (time_B[0] + spacing_s * np.arange(len(value_TD))) % DAY_S // spacing_s
    return slot_T.astype(np.int64), away_TD


def _correlations(away_TD: Floats, usual_TD: Floats, times: int) -> Floats:
    """Over every so many times in a row; NaN: too little is known of them."""
    known_T1 = np.asarray(np.isfinite(away_TD).all(axis=1, keepdims=True))
    away_TD, usual_TD = np.where(known_T1, away_TD, 0), np.where(known_T1, usual_TD, 0)
    both, own, usual = (
        _rolling((one * other).sum(axis=1), times)
        for one, other in ((away_TD, usual_TD), (away_TD, away_TD), (usual_TD, usual_TD))
    )
    count = _rolling(known_T1[:, 0], times)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count < _PART * times, np.nan, both / np.sqrt(own * usual))


def _newest(found: Floats) -> float:
    return float(found[-1]) if found.size else float("nan")


def _trailing(value_TD: Floats, times: int) -> Floats:
    """Sums over so many times up to each; of the first ones, over those there are."""
    total_TD = np.cumsum(value_TD, axis=0)
    total_TD[times:] = total_TD[times:] - total_TD[:-times]
    return total_TD


def _rolling(value_T: NDArray[Any], times: int) -> Floats:
    """Sums over every so many times in a row."""
    if len(value_T) < times:
        return np.zeros(0, np.float32)
    return np.convolve(value_T, np.ones(times), "valid").astype(np.float32)
