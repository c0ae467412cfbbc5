"""What one request to an application may cost."""

from pydantic import BaseModel, ConfigDict, Field

from deepcity.live.wire import JSON, MAX_ROWS


class Limits(BaseModel):
    """More is refused, with the limit, before any row is looked at.

    What a forecast costs is bounded by what was trained: one moment, its places, its steps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: int = Field(default=8_000_000, ge=1, description="of a request's body")
    max_json_bytes: int = Field(
        default=1_000_000, ge=1, description="of a body in JSON, which grows when it is read"
    )
    max_rows: int = Field(default=MAX_ROWS, ge=1, description="of deep data in one request")

    def bytes_of(self, media_type: str) -> int:
        """How long a body of this form may be."""
        plain = media_type.partition(";")[0].strip().lower() == JSON
        return min(self.max_bytes, self.max_json_bytes) if plain else self.max_bytes
