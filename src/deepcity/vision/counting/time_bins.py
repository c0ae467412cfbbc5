"""Times of equal length that counts are of."""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Ints


@dataclass(frozen=True)
class CountTimes:
    """So many times of equal length.

    Attributes:
        first_s: UTC seconds at which the first begins.
        every_s: length of each.
        count: how many.

    Raises:
        ValueError: if there is none, or they have no length.
    """

    first_s: int
    every_s: int
    count: int

    def __post_init__(self) -> None:
        if self.every_s < 1 or self.count < 1:
            raise ValueError(
                f"{self.count} times of {self.every_s} s: give one or more, of a second or longer"
            )

    @property
    def start_s_C(self) -> Ints:
        """UTC seconds at which each begins."""
        return np.asarray(self.first_s + self.every_s * np.arange(self.count))

    def of(self, time_s_T: Doubles) -> Ints:
        """The number of each one's time; -1: outside of all."""
        number_T = np.floor((time_s_T - self.first_s) / self.every_s)
        inside_T = (number_T >= 0) & (number_T < self.count)
        return np.where(inside_T, number_T, -1).astype(np.int64)
