"""The manifest of a layer package: facts stated by its maker, and facts of its content.

Facts                   stated by its maker
└── Manifest            with format, version, shapes and hash of the content
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import prod
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    StringConstraints,
    model_validator,
)

from deepcity.city.field import Kind
from deepcity.city.frozen_model import FrozenModel

FORMAT: Literal[3] = 3
"""3: signed, with the range of each tensor."""
SUFFIX = ".layers"
HASH_DIGITS = 12


def _in_utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Utc = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class SignatureFacts(FrozenModel):
    """Who signed a package: Ed25519 key and signature, in hexadecimal."""

    key: Sha256
    value: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]


class TensorFacts(FrozenModel):
    """Shape and dtype of one tensor."""

    shape: tuple[int, ...]
    dtype: Literal["float32", "float64"]


class Facts(FrozenModel):
    """Facts about a package, stated by its maker.

    Attributes:
        name: of the package: letters, digits, ".", "_", "-".
        field_kinds: kinds of the input fields, in order.
        trained_from: start of the training span; kept in UTC.
        trained_to: end of the training span (exclusive).
        metrics: errors and the like, by name; finite.
        parents: SHA-256 of the packages it was made from.
    """

    name: Slug
    city: str
    service: str
    field_kinds: tuple[Kind, ...]
    step_seconds: int = Field(gt=0)
    history_steps: int = Field(gt=0)
    horizon_steps: int = Field(gt=0)
    trained_from: Utc
    trained_to: Utc
    metrics: Mapping[str, Finite] = Field(default_factory=dict)
    parents: tuple[Sha256, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> "Facts":
        if self.trained_to <= self.trained_from:
            raise ValueError(
                f"trained_to {self.trained_to} is not after trained_from {self.trained_from}"
            )
        return self


class Manifest(Facts):
    """Facts, and those that follow from the content.

    Attributes:
        format: version of the package's format.
        layers: layer -> tensor -> shape and dtype.
        ranges: layer -> tensor -> least and greatest weight.
        deepcity: version that wrote it.
        sha256: of the content: this manifest without its hash and signature, and the tensors.
        signature: of that hash, by the key of its maker.
    """

    format: Literal[3] = FORMAT
    layers: Mapping[str, Mapping[str, TensorFacts]]
    ranges: Mapping[str, Mapping[str, tuple[Finite, Finite]]]
    deepcity: str
    sha256: Sha256
    signature: SignatureFacts

    @property
    def file_name(self) -> str:
        """The only name under which the package is accepted."""
        return f"{self.name}-{self.sha256[:HASH_DIGITS]}{SUFFIX}"

    @property
    def weight_count(self) -> int:
        """How many numbers the layers hold."""
        tensors = (tensor for members in self.layers.values() for tensor in members.values())
        return sum(prod(tensor.shape) for tensor in tensors)
