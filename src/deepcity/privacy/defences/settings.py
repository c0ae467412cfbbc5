"""The defences that an agency has chosen for its deep data.

Those on the way out are applied in this order: slower release, clipping, noise, quantisation, and
last only what moved. The bottleneck's width is a setting of the encoder.
"""

from dataclasses import dataclass

MOST_BITS = 16
_LIMITS = {"clip": 1.0, "noise": 10.0, "min_change": 2.0, "distance_correlation": 100.0}
_LIMITS |= {"adversary": 100.0}


@dataclass(frozen=True)
class Defences:
    """Defences of one agency's deep data, each a number between -1 and 1.

    Attributes:
        clip: activations beyond it are cut off at it.
        noise: standard deviation of the Gaussian noise that is added, in units of `clip`.
        bits: a number leaves as one of 2**bits evenly spaced values; 0: as it is.
        cadence_s: deep data leave once in so many seconds, and are held in between; 0: at each
            origin.
        min_change: a vector whose numbers have all moved no further since it was last sent is held.
        hold_s: for so long at most.
        distance_correlation: weight, in training, of the distance correlation between an encoder's
            inputs and its deep data.
        adversary: weight, in training, of a decoder that learns to rebuild the inputs and that
            the encoder learns to mislead.

    Raises:
        ValueError: if one is out of range.
    """

    clip: float = 1.0
    noise: float = 0.0
    bits: int = 0
    cadence_s: int = 0
    min_change: float = 0.0
    hold_s: int = 0
    distance_correlation: float = 0.0
    adversary: float = 0.0

    def __post_init__(self) -> None:
        wrong = [
            f"{name} = {getattr(self, name)}, not in 0..{most:g}"
            for name, most in _LIMITS.items()
            if not 0 <= getattr(self, name) <= most
        ]
        if self.clip == 0:
            wrong.append("clip = 0, which leaves nothing of the activations")
        if not 0 <= self.bits <= MOST_BITS:
            wrong.append(f"bits = {self.bits}, not in 0..{MOST_BITS}")
        if min(self.cadence_s, self.hold_s) < 0:
            wrong.append("cadence_s or hold_s below 0")
        if wrong:
            raise ValueError("; ".join(wrong))
