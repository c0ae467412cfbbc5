"""Under which names bytes from other machines are counted: those that layers have, and one more.

A site names the layers of its answers itself; were they counted as it names them, a report could
show whatever it likes, and a ledger grow without end.
"""

from collections.abc import Mapping

from deepcity.city.level import LADDER, STEM
from deepcity.exchange.message import HEADER
from deepcity.exchange.secure.summing_party import MASKS
from deepcity.exchange.trust.row_claims import CLAIM

OTHER = "other"
"""Bytes of layers that no party has."""
_CHOICE = frozenset({"result"})  # of `choose` (`deepcity.runs.choosing_site`)
_VERTICAL = frozenset({"cells", "times", "deep", "gradients", "forecast", "version"})
KNOWN = frozenset({STEM, *LADDER, HEADER, MASKS, CLAIM}) | _CHOICE | _VERTICAL
"""Layers of networks, and those that other verbs bring."""


def counted_name(layer: str) -> str:
    """A layer's name in the ledger.

    >>> counted_name("h3"), counted_name("h3; and a sentence")
    ('h3', 'other')
    """
    return layer if layer in KNOWN else OTHER


def counted_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """Bytes by layer; those of unknown ones together.

    >>> counted_sizes({"h1": 4, "x": 1, "y": 2})
    {'h1': 4, 'other': 3}
    """
    found: dict[str, int] = {}
    for layer, size in sizes.items():
        name = counted_name(layer)
        found[name] = found.get(name, 0) + size
    return found
