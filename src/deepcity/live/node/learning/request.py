"""What a node hands to its learning process.

    FOLDER/begun.json       each forecaster's number before any of them learned

The other files are as of any process beside a node (`deepcity.live.node.processes.request_folder`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from deepcity.live.node.processes.request_folder import RequestFolder
from deepcity.store.atomic import write_atomic

_BEGUN = "begun.json"
_NUMBERS = TypeAdapter(dict[str, int])


class LearningRequest(BaseModel):
    """What is to be learned.

    Attributes:
        city: name of the city whose parties learn.
        folders: of the runs that hold them.
        now_s: the city's time at which it was asked for, UTC seconds.
        replayed: whether the city's days are replayed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    city: str
    folders: tuple[Path, ...]
    now_s: int
    replayed: bool = False


@dataclass(frozen=True)
class LearningFolder(RequestFolder):
    """A folder by which a node and its learning process speak."""

    def request(self) -> LearningRequest | None:
        """What was handed over; None if nothing is there, or it cannot be read."""
        return self.read(LearningRequest)

    def begun(self, numbers: Mapping[str, int]) -> dict[str, int]:
        """Forecasters' numbers before any of them learned: these, unless some are kept already."""
        try:
            return _NUMBERS.validate_json((self.path / _BEGUN).read_bytes())
        except (OSError, ValidationError):
            write_atomic(self.path / _BEGUN, _NUMBERS.dump_json(dict(numbers)))
            return dict(numbers)
