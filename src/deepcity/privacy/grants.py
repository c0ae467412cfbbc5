"""A grant: which layers of a party may leave, for which service. Nothing leaves without one.

The trained stem is private unless a grant makes it common: with it, raw inputs can be
reconstructed from activations of the first hidden layer.
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from deepcity.city.errors import GrantError
from deepcity.city.frozen_model import FrozenModel
from deepcity.city.level import LADDER, MAX_LEVEL, STEM, layers_up_to


class Grant(FrozenModel):
    """The layers that one party allows to leave.

    Attributes:
        service: the purpose; layers granted for one service may not serve another.
        level: h1..h`level` may leave (6: the head too; 0: nothing).
        stem: ``"common"`` lets the stem leave too, from level 1 on.
    """

    party: str
    service: str
    level: int = Field(ge=0, le=MAX_LEVEL)
    stem: Literal["private", "common"] = "private"

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that may leave."""
        return layers_up_to(self.level, common_stem=self.stem == "common")

    def __str__(self) -> str:
        allowed = ", ".join(self.layers) or "no layer"
        scope = f"level {self.level}, {self.stem} stem: {allowed}"
        return f"{self.party}'s grant for {self.service} ({scope})"

    def check(self, layer_names: Iterable[str], party: str, service: str) -> None:
        """Check that layers may leave: all of them, or none does.

        Args:
            layer_names: the layers about to leave; an empty message always may.
            party: whose layers they are.
            service: what they are for.

        Raises:
            GrantError: naming each layer that may not leave, the grant, and the next step.
        """
        names = list(layer_names)
        if not names:
            return
        reasons = self._mismatches(party, service)
        reasons += [self._refusal(name) for name in names if name not in self.layers]
        if reasons:
            leaving = ", ".join(names)
            raise GrantError(
                f"{leaving} may not leave {party} for {service} under {self}: {'; '.join(reasons)}"
            )

    def _mismatches(self, party: str, service: str) -> list[str]:
        reasons = []
        if party != self.party:
            reasons.append(f"the grant is not {party}'s; ask {party} for a grant of its own")
        if service != self.service:
            reasons.append(
                f"the grant does not serve {service}; ask {self.party} for one that does"
            )
        return reasons

    def _refusal(self, name: str) -> str:
        if name == STEM and self.level > 0:
            return f"{name!r} is private; keep it, or have {self.party} make its stem common"
        if name in LADDER or name == STEM:
            needed = LADDER.index(name) + 1 if name in LADDER else 1
            remedy = f"train at level {self.level}, or have {self.party} raise it"
            return f"{name!r} needs level {needed}; {remedy}"
        return f"{name!r} is not a layer that may ever leave; send only {', '.join(LADDER)}"
