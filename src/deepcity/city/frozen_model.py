"""A value that is checked when it is made, and written to JSON and read back by its types."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """Base of checked values: fields do not change, and unknown ones are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
