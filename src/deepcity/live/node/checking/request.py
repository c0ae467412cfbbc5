"""What a node hands to the process that checks records."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class CheckRequest(BaseModel):
    """What is to be checked.

    Attributes:
        city_file: that describes the records.
        agencies: whose records are in the folder.
        now_s: the city's time at which it was asked for, UTC seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    city_file: Path
    agencies: tuple[str, ...]
    now_s: int
