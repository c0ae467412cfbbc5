"""What is asked of an update."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line asks for the bound alone, and starts quickly
    from deepcity.data.city_file import CityFile
    from deepcity.data.panel import Panel

MAX_FORGETTING = 0.05


@dataclass(frozen=True)
class UpdateRequest:
    """Settings of an update.

    Attributes:
        max_forgetting: largest allowed relative rise of a network's error on old days, over all
            updates together.
        parties: only these; all where it is empty.
        load: an agency's records; None: as the city file's sources have them.
        replayed: whether they end before the run's own did because a replay plays its test days.
    """

    max_forgetting: float = MAX_FORGETTING
    parties: Sequence[str] = ()
    load: "Callable[[CityFile, str], Panel] | None" = None
    replayed: bool = False
