"""Which strategy fuses a service's layers where its map names none."""

from deepcity.maps.map_settings import StrategySettings

MANY = 7
"""Members of whom two or more may well be hostile: three in ten, at least."""


def fusion_rule(chosen: StrategySettings, members: int) -> str:
    """The named strategy; where none is named, norm clipping among seven members or more.

    Among fewer, in secure sums and in asynchronous fusion it is `fedavg`: one hostile member of
    four gets no backdoor through a mean, three of ten get more through it than through clipped
    moves (`python -m benchmarks.hostile_members.backdoors`); and clipping was not measured where
    updates are fused as they come.

    Args:
        members: that train together.

    >>> fusion_rule(StrategySettings(), 4), fusion_rule(StrategySettings(), 10)
    ('fedavg', 'norm_clipping')
    """
    if chosen.name is not None:
        return chosen.name
    plain = chosen.aggregation == "plain" and chosen.schedule == "synchronous"
    return "norm_clipping" if plain and members >= MANY else "fedavg"
