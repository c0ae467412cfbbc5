"""Settings of what parties grant to a service in a map: the deepest level, the stem, truths."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    model_validator,
)

from deepcity.city.level import MAX_LEVEL
from deepcity.data.config.toml_file import Settings, wrong

Level = Annotated[int, Field(ge=0, le=MAX_LEVEL)]
LIMIT = "limit"
Stem = Literal["private", "common"]
Truths = Literal["private", "shared"]


class PartyGrantSettings(Settings):
    """One party's grant, where it differs from the service's; never deeper.

    Attributes:
        level: the deepest reuse level it may choose; left out, the service's.
        stem: "private" keeps its own where others share theirs; left out, the service's.
        truths: "shared" shows a week of its measured values in the map-wide report, "private"
            does not, whatever the others do; left out, the service's.
    """

    level: Level | None = None
    stem: Stem | None = None
    truths: Truths | None = None


def _party_grant(value: object) -> object:
    """A bare number is a level."""
    return {"level": value} if isinstance(value, int) and not isinstance(value, bool) else value


class GrantSettings(Settings):
    """What parties grant to this service, unless they set less.

    Attributes:
        level: the deepest reuse level any party may choose; 6 shares the head too. "limit": as deep
            as the policy of each party's city and its measured leakage allow.
        stem: "private" (default), or "common" where the parties share it.
        truths: "shared" lets the map-wide results and report show a week of each party's
            measured values beside its forecast; "private" (default) keeps them in its folder.
        party: agencies that allow less: a level, e.g. {"ferrara/district-1" = 3}, or a table
            of level and stem, e.g. {"ferrara/district-1" = { stem = "private" }}.
        purpose: what the service is for, as cities' policies grant it
            (`deepcity.maps.policy_settings`); left out, its application's name.
    """

    level: Level = MAX_LEVEL
    stem: Stem = "private"
    truths: Truths = "private"
    party: dict[str, Annotated[PartyGrantSettings, BeforeValidator(_party_grant)]] = Field(
        default_factory=dict
    )
    purpose: Annotated[str, Field(min_length=1, max_length=500)] | None = None

    _by_limit: bool = PrivateAttr(default=False)

    @model_validator(mode="wrap")
    @classmethod
    def _as_deep_as_allowed(cls, value: object, read: ModelWrapValidatorHandler[Self]) -> Self:
        """`level = "limit"`: the map bounds nothing, so that policies must."""
        if not (isinstance(value, Mapping) and value.get("level") == LIMIT):
            return read(value)
        found = read({**value, "level": MAX_LEVEL})
        found._by_limit = True
        return found

    @property
    def by_limit(self) -> bool:
        """Whether policies and measured leakage alone say how deep parties share."""
        return self._by_limit

    @model_validator(mode="after")
    def _less(self) -> Self:
        for name, grant in self.party.items():
            if grant.level is not None and grant.level > self.level:
                right = f"write {self.level} or less, or raise the service's grant.level"
                raise wrong(f"more than the service's level {self.level}", right, f"party.{name}")
            if grant.stem == "common" and self.stem == "private":
                right = 'write "private", or make the service\'s grant.stem "common"'
                reason = "more than the service grants, whose stem is private"
                raise wrong(reason, right, f"party.{name}.stem")
        return self

    def level_of(self, party: str) -> int:
        """The deepest level that a party grants."""
        own = self.party.get(party)
        return self.level if own is None or own.level is None else own.level

    def stem_of(self, party: str) -> Stem:
        """Whether a party shares its stem."""
        own = self.party.get(party)
        return self.stem if own is None or own.stem is None else own.stem

    def truths_of(self, party: str) -> Truths:
        """Whether a party's measured values may appear in the map-wide report."""
        own = self.party.get(party)
        return self.truths if own is None or own.truths is None else own.truths
