"""A remark of a run, or of a running city, as a code with its numbers and names."""

from pydantic import BaseModel, ConfigDict

from deepcity.city.measured import Measured


class Note(BaseModel):
    """A remark as a code with its numbers and names.

    Sentences are made where people read: `deepcity.web.report.notes` has one for every code.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    numbers: dict[str, Measured] = {}
    names: dict[str, str | list[str]] = {}
