"""A grant for deep data: which activations an application may receive from an agency.

Layers' parameters leave under `deepcity.privacy.grants`; this is about activations, which
reveal single rows. The deeper the cut and the narrower the bottleneck, the less they reveal,
so a grant bounds both; measured leakage bounds them further.
"""

from pydantic import Field

from deepcity.city.errors import GrantError
from deepcity.city.frozen_model import FrozenModel

LEAST_LEVEL = 3  # from shallower activations inputs can be reconstructed nearly whole
WIDEST = 16


class DeepGrant(FrozenModel):
    """The deep data that one agency allows one service to receive.

    Attributes:
        service: the purpose; deep data for one service may not serve another.
        least_level: the shallowest cut level allowed.
        widest: the greatest width allowed, numbers per cell and time.
    """

    agency: str
    service: str
    least_level: int = Field(default=LEAST_LEVEL, ge=1, le=5)
    widest: int = Field(default=WIDEST, ge=1)

    def check(self, service: str, level: int, width: int) -> None:
        """Check that deep data may leave.

        Raises:
            GrantError: naming every reason and the next step.
        """
        reasons = []
        if service != self.service:
            reasons.append(f"it is granted for {self.service}; ask {self.agency} to grant it too")
        if level < self.least_level:
            reasons.append(
                f"level {level} is shallower than {self.least_level}; cut deeper, "
                f"or have {self.agency} lower least_level"
            )
        if width > self.widest:
            reasons.append(
                f"{width} numbers are more than {self.widest}; narrow the bottleneck, "
                f"or have {self.agency} raise widest"
            )
        if reasons:
            raise GrantError(
                f"{self.agency}'s deep data may not leave for {service}: {'; '.join(reasons)}"
            )
