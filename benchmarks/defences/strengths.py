"""The defences and strengths that are measured, the undefended one first."""

from dataclasses import dataclass

from deepcity.maps.defence_settings import DefenceSettings

_NONE = DefenceSettings()


@dataclass(frozen=True)
class Strength:
    """A row of the table.

    Attributes:
        name: unique, as the table has it.
        width: of the bottleneck.
        slower: deep data leave at every so-many-th step.
    """

    name: str
    width: int = 4
    settings: DefenceSettings = _NONE
    slower: int = 1


NONE = "none: width 16"
SLOWER = "width 4, every 4th step"
STRENGTHS = (
    Strength(NONE, 16),
    Strength("width 4 (default)"),
    Strength("width 1", 1),
    Strength("width 1, 1 bit, noise 1", 1, DefenceSettings(bits=1, noise=1.0)),
    Strength("width 4, noise 1", 4, DefenceSettings(noise=1.0)),
    Strength("width 1, 1 bit, noise 3", 1, DefenceSettings(bits=1, noise=3.0)),
    Strength(SLOWER, slower=4),
    Strength("width 4, distance correlation 1", 4, DefenceSettings(distance_correlation=1.0)),
    Strength("width 4, adversary 1", 4, DefenceSettings(adversary=1.0)),
    Strength("width 4, 1 bit", 4, DefenceSettings(bits=1)),
    Strength("width 4, noise 0.3", 4, DefenceSettings(noise=0.3)),
    Strength("width 4, noise 3", 4, DefenceSettings(noise=3.0)),
    Strength("width 4, clip 0.3, noise 1", 4, DefenceSettings(clip=0.3, noise=1.0)),
    Strength("width 4, 2 bits", 4, DefenceSettings(bits=2)),
    Strength("width 4, only what moved by 0.2", 4, DefenceSettings(min_change=0.2)),
    Strength("width 2", 2),
)
"""In the order in which they are measured: what a run that is cut short should have comes first."""
TOO_SHORT = {("traffic", SLOWER)}
"""Of a week of speeds, 48 windows of 24 such releases are kept aside; an audit needs 50."""
BY_NAME = {one.name: one for one in STRENGTHS}
