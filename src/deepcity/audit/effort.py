"""How much an audit spends: rows, decoder steps and seeds."""

from dataclasses import dataclass
from enum import StrEnum


class EffortName(StrEnum):
    """The two sizes of an audit."""

    FAST = "fast"
    THOROUGH = "thorough"


@dataclass(frozen=True)
class Effort:
    """Sizes of the attacks; more of each can only find more leakage.

    Attributes:
        places: at most so many places (or cells) of a party are attacked, sampled by the seed.
        training_rows: windows (place x time) from which decoders learn.
        attacked_rows: windows of the days kept aside; half of them may be known to the attacker.
        mlp_steps, mlp_width: optimizer steps and hidden units of the MLP decoder.
        seeds: each draws places, windows and decoders anew.
        updates: batches whose gradients are inverted.
        matching_steps: optimizer steps of gradient matching.
        shadows: networks trained to tell what one learned from; even, 4 or more.
        units: at most so many days are asked about.
    """

    name: EffortName
    places: int
    training_rows: int
    attacked_rows: int
    mlp_steps: int
    mlp_width: int
    seeds: int
    updates: int
    matching_steps: int
    shadows: int
    units: int


FAST = Effort(EffortName.FAST, 16, 4_000, 4_000, 120, 128, 1, 4, 30, 8, 2_000)
THOROUGH = Effort(EffortName.THOROUGH, 64, 20_000, 12_000, 1_500, 256, 3, 24, 400, 32, 10_000)


def effort_of(name: EffortName) -> Effort:
    """The sizes of that name."""
    return THOROUGH if name is EffortName.THOROUGH else FAST
