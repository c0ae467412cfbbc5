"""The defences of an agency's deep data, as a map writes them."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from deepcity.data.config.duration import Duration
from deepcity.data.config.toml_file import Settings
from deepcity.privacy.defences.settings import MOST_BITS, Defences

_NONE = Defences()
_LONGEST_HOLD = timedelta(days=31)


class DefenceSettings(Settings):
    """Defences of the deep data of one agency; see `deepcity.privacy.defences.settings`.

    Attributes:
        clip: activations beyond it are cut off at it.
        noise: standard deviation of the noise that is added, in units of `clip`.
        bits: a number leaves as one of 2**bits values; 0: as it is.
        cadence: least time between two releases; the newest one is held in between.
        min_change: a vector that has moved no further since it was last sent is not sent again.
        hold: for so long at most; twice the step of the records is what an application waits.
        distance_correlation, adversary: weights of the penalties in training.
    """

    clip: Annotated[float, Field(gt=0, le=1)] = _NONE.clip
    noise: Annotated[float, Field(ge=0, le=10)] = _NONE.noise
    bits: Annotated[int, Field(ge=0, le=MOST_BITS)] = _NONE.bits
    cadence: Duration | None = None
    min_change: Annotated[float, Field(ge=0, le=2)] = _NONE.min_change
    hold: Annotated[Duration, Field(le=_LONGEST_HOLD)] | None = None
    distance_correlation: Annotated[float, Field(ge=0, le=100)] = _NONE.distance_correlation
    adversary: Annotated[float, Field(ge=0, le=100)] = _NONE.adversary

    def value(self, step_s: int) -> Defences:
        """The defences these settings describe.

        Args:
            step_s: of the agency's records; how long a vector is held where `hold` is left out.
        """
        return Defences(
            clip=self.clip,
            noise=self.noise,
            bits=self.bits,
            cadence_s=_seconds(self.cadence),
            min_change=self.min_change,
            hold_s=step_s if self.hold is None else _seconds(self.hold),
            distance_correlation=self.distance_correlation,
            adversary=self.adversary,
        )


def _seconds(given: timedelta | None) -> int:
    return 0 if given is None else int(given.total_seconds())
