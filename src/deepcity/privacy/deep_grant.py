"""A grant for deep data: what an agency lets an application hear, and how much of it.

Layers' parameters leave under `deepcity.privacy.grants`; this is about activations, which
tell of single rows. The deeper the cut and the narrower the bottleneck, the less they tell,
so a grant bounds both; measured leakage bounds them further.
"""

from pydantic import BaseModel, ConfigDict, Field

from deepcity.city.errors import GrantError

LEAST_LEVEL = 3  # shallower activations rebuild their inputs nearly whole
WIDEST = 16


class DeepGrant(BaseModel):
    """What one agency allows one service to hear.

    Attributes:
        agency: who grants.
        service: the purpose; what is said for one service is not for another.
        least_level: its deep data leaves at this cut level or deeper.
        widest: most numbers for a cell and a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    agency: str
    service: str
    least_level: int = Field(default=LEAST_LEVEL, ge=1, le=5)
    widest: int = Field(default=WIDEST, ge=1)

    def check(self, service: str, level: int, width: int) -> None:
        """Let deep data leave, or refuse it.

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
            msg = f"{self.agency}'s deep data may not leave for {service}: {'; '.join(reasons)}"
            raise GrantError(msg)
