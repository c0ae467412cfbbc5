"""The reuse level: down to which hidden layer parties share their networks.

Level 0 is learning alone; level k shares h1..hk; level 6 shares the head too.
The stem is private unless a grant makes it common, so no level names it.
"""

from collections.abc import Mapping

from deepcity.city.arrays import Floats

HIDDEN_LAYERS = ("h1", "h2", "h3", "h4", "h5")
HEAD = "head"
STEM = "stem"
LADDER = (*HIDDEN_LAYERS, HEAD)
ALONE = 0
MAX_LEVEL = len(LADDER)

Tensors = Mapping[str, Floats]
"""Parameter name -> array, of one layer."""

Layers = Mapping[str, Tensors]
"""Layer name -> its parameters; what parties exchange and layer packages hold."""


def layers_up_to(level: int, *, common_stem: bool = False) -> tuple[str, ...]:
    """Names of the layers shared at a level; a common stem is shared from level 1 on.

    >>> layers_up_to(2)
    ('h1', 'h2')
    >>> layers_up_to(6)[-1]
    'head'
    >>> layers_up_to(1, common_stem=True)
    ('stem', 'h1')

    Raises:
        ValueError: if the level is outside 0..6.
    """
    if not 0 <= level <= MAX_LEVEL:
        raise ValueError(
            f"level {level} is outside 0..{MAX_LEVEL}: 0 is alone, {MAX_LEVEL} has the head too"
        )
    stem = (STEM,) if common_stem and level > ALONE else ()
    return stem + LADDER[:level]
