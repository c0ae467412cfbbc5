"""Each place's level, typical day and scale, by noisy sums in which one day hardly counts.

Inputs and targets of a network are values against a typical day, in a scale. Ordinary ones rest on
every record, so each record would change every gradient. These are three noisy sums a place, in
each of which one day's part has norm 1 at most:

1. a histogram of its values by powers of two, which gives a rough centre and width;
2. the mean day of working days and of others, in five waves of a day's length, of values clipped to
   three widths around the centre;
3. the mean square of what that leaves, which gives the scale.

Days that are missing count as centred, so that the number of days is that of the calendar.

Shapes: D days, S slots of a day, N places, K waves, Q bins, 2 types of day
(0: working days, 1: others).
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.learning.features.typical_day import DayGrid
from deepcity.privacy.accounting.noise_stream import NoiseStream

WAVES = 5
_POWERS = (-20, 60)  # of two; what is smaller counts as 0
_CLEAR = 3.0  # standard deviations of noise over which a bin is held to have values
_WITHIN = 0.204  # spread within a bin that is as wide as 0.707 of its middle, as a share of it
_WIDTHS = 3.0
_LEAST_SQUARE = 1e-4


@dataclass(frozen=True)
class PlaceReference:
    """What a party's private inputs are scaled by.

    Attributes:
        typical_2SN: typical values by type of day (0: working days, 1: others) and slot.
        scale_N: of deviations from them.
        mean_N, spread_N: of the values.
    """

    typical_2SN: Doubles
    scale_N: Doubles
    mean_N: Doubles
    spread_N: Doubles

    def at(self, grid: DayGrid) -> Doubles:
        """Typical values on a panel's steps, (T, N)."""
        return np.asarray(self.typical_2SN[rest_days(grid)[grid.day_T].astype(int), grid.slot_T])


def rest_days(grid: DayGrid) -> Ints:
    """1 for Saturdays, Sundays and holidays, else 0, (D,)."""
    return np.asarray(grid.weekday_D >= 5, dtype=np.int64)


def private_reference(
    values_DSN: Doubles, rest_D: Ints, noise: NoiseStream, multiplier: float
) -> PlaceReference:
    """The reference from a party's training days.

    Args:
        values_DSN: NaN where nothing was measured.
        multiplier: of the noise; 0 for none.
    """
    days, slots, places = values_DSN.shape
    known_QN = np.stack([value_histogram(one_DS) for one_DS in np.moveaxis(values_DSN, 2, 0)], 1)
    known_QN = known_QN + multiplier * noise.normal(known_QN.size).reshape(known_QN.shape)
    middle_N, width_N = _centre(known_QN, multiplier)
    scaled_DSN = np.clip((values_DSN - middle_N) / width_N, -1.0, 1.0)
    wave_2KN = wave_sums(scaled_DSN, rest_D)
    wave_2KN = wave_2KN + multiplier * noise.normal(wave_2KN.size).reshape(wave_2KN.shape)
    days_2 = np.array([max(int((rest_D == kind).sum()), 1) for kind in (0, 1)])
    mean_2KN = np.sqrt(slots) * wave_2KN / days_2[:, None, None]
    day_2SN = np.clip(np.einsum("ks,ykn->ysn", _waves(slots), mean_2KN), -1.0, 1.0)
    square_N = square_sums(scaled_DSN - day_2SN[rest_D]) + multiplier * noise.normal(places)
    least = max(multiplier / days, _LEAST_SQUARE)  # what noise alone may give
    scale_N = width_N * np.sqrt(np.clip(square_N / days, least, 1.0))
    typical_2SN = middle_N + width_N * day_2SN
    spread_N = np.sqrt(scale_N**2 + typical_2SN.var(axis=(0, 1)))
    return PlaceReference(typical_2SN, scale_N, typical_2SN.mean(axis=(0, 1)), spread_N)


def value_histogram(values_DS: Doubles) -> Doubles:
    """How many days' shares of values are at each power of two, (Q,); a day adds 1 at most."""
    low, high = _POWERS
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.clip(np.rint(np.log2(np.abs(values_DS))), low, high)
    place = np.where(power > low, np.sign(values_DS) * (power - low), 0.0)
    known = (place[np.isfinite(values_DS)] + (high - low)).astype(np.int64)
    return np.asarray(np.bincount(known, minlength=2 * (high - low) + 1) / values_DS.shape[1])


def wave_sums(scaled_DSN: Doubles, rest_D: Ints) -> Doubles:
    """Sums of the days of each type in waves, (2, K, N); a day's part has norm 1 at most.

    Args:
        scaled_DSN: within -1..1, NaN where missing.
    """
    slots = scaled_DSN.shape[1]
    known_DSN = np.nan_to_num(scaled_DSN, nan=0.0) / np.sqrt(slots)
    return np.stack(
        [np.einsum("ks,dsn->kn", _waves(slots), known_DSN[rest_D == kind]) for kind in (0, 1)]
    )


def square_sums(left_DSN: Doubles) -> Doubles:
    """Sums of the days' mean squares, (N,), of values clipped to -1..1; a day adds 1 at most."""
    left_DSN = np.clip(np.nan_to_num(left_DSN, nan=0.0), -1.0, 1.0)
    return np.asarray(np.square(left_DSN).mean(axis=1).sum(axis=0))


def _centre(noisy_QN: Doubles, multiplier: float) -> tuple[Doubles, Doubles]:
    """Rough centre and width of each place's values, (N,) each, from the noisy histogram."""
    low, high = _POWERS
    middle_Q = 2.0 ** np.arange(low + 1, high + 1)
    middle_Q = np.concatenate([-middle_Q[::-1], [0.0], middle_Q])
    clear_QN = noisy_QN > _CLEAR * multiplier
    clear_QN |= (noisy_QN == noisy_QN.max(axis=0)) & ~clear_QN.any(axis=0)
    share_QN = np.where(clear_QN, np.maximum(noisy_QN, 1e-9), 0.0)
    share_QN /= share_QN.sum(axis=0)
    middle_N = middle_Q @ share_QN
    away_QN = middle_Q[:, None] - middle_N
    square_N = (share_QN * (away_QN**2 + (_WITHIN * middle_Q[:, None]) ** 2)).sum(axis=0)
    width_N = _WIDTHS * np.maximum(np.sqrt(square_N), 2.0**low)
    return np.asarray(middle_N), np.asarray(width_N, np.float64)


def _waves(slots: int) -> Doubles:
    """Orthonormal waves of a day, (K, S): its mean, once a day, twice a day."""
    phase_S = 2 * np.pi * np.arange(slots) / slots
    columns = [np.ones(slots)]
    for times in range(1, (WAVES + 1) // 2 + 1):
        columns += [np.cos(times * phase_S), np.sin(times * phase_S)]
    found, _ = np.linalg.qr(np.array(columns[: min(WAVES, slots)]).T)
    return np.asarray(found.T)
