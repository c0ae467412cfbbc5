"""What all connections to a server may cost together."""

from pydantic import BaseModel, ConfigDict, Field


class ServerLimits(BaseModel):
    """Limits over all connections; those of one request are the app's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_connections: int = Field(
        default=1000,
        ge=2,
        description="open at once; one more takes the place of the one that has been idle longest",
    )
    header_s: float = Field(
        default=10, gt=0, description="seconds for a request's headers, from its first byte"
    )
    keep_alive_s: float = Field(
        default=15, gt=0, description="seconds that a connection may be idle"
    )
    body_s: float = Field(
        default=20, gt=0, description="seconds for a body, and more by `least_rate`"
    )
    stalled_s: float = Field(
        default=20, gt=0, description="seconds in which a client takes less than `least_rate`"
    )
    least_rate: float = Field(
        default=4096, gt=0, description="bytes a second that a client sends or takes at least"
    )
    max_header_bytes: int = Field(default=32_768, ge=1024, description="of a request's headers")
    max_bodies_bytes: int = Field(
        default=64_000_000, ge=1, description="of all bodies being read or worked on together"
    )
    logs_per_minute: int = Field(
        default=10, ge=1, description="lines of one kind in a log; the rest are counted"
    )
