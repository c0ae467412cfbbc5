"""What a map file may say: cities, services, who takes part, how deep, and how it is judged."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from deepcity.city.level import MAX_LEVEL
from deepcity.data.settings import NAME, TitleSettings
from deepcity.data.toml_file import Settings, did_you_mean, wrong
from deepcity.exchange.precision import Precision
from deepcity.intercity.meeting_settings import MeetingSettings
from deepcity.learning.experts.expert import experts, not_installed
from deepcity.learning.features import WindowSettings
from deepcity.learning.training import TrainingSettings

EXPERTS = ("network", "typical_day", "yesterday")
"""What a party has of its own unless its map names others."""
Level = Annotated[int, Field(ge=0, le=MAX_LEVEL)]
Stem = Literal["private", "common"]
Truths = Literal["private", "shared"]


class StrategySettings(Settings):
    """How updates are fused; which settings a strategy takes is told by the strategy.

    Attributes:
        weighting: what a party weighs in averages: its training rows, or as much as any other.
    """

    name: Literal["fedavg", "fedprox", "personal"] = "fedavg"
    weighting: Literal["rows", "equal"] = "rows"
    mu: float | None = None
    sharpness: float | None = None

    def values(self) -> dict[str, float]:
        """The settings that were given, for the strategy to check."""
        return self.model_dump(exclude={"name", "weighting"}, exclude_none=True)


class WireSettings(Settings):
    """How layers travel between parties.

    Attributes:
        precision: "float16" halves what layers weigh on the wire; they arrive as float32.
    """

    precision: Precision = "float16"


class PartyGrantSettings(Settings):
    """What one party lets out, where that is not as the service's grant says; never deeper.

    Attributes:
        level: the deepest reuse level it may choose; left out, the service's.
        stem: "private" keeps its own where the others share theirs; left out, the service's.
        truths: "shared" shows a week of its measured values in the map-wide report, "private"
            does not, whatever the others do; left out, the service's.
    """

    level: Level | None = None
    stem: Stem | None = None
    truths: Truths | None = None


def _party_grant(said: object) -> object:
    """A bare number is a level."""
    return {"level": said} if isinstance(said, int) and not isinstance(said, bool) else said


class GrantSettings(Settings):
    """What parties let out for this service, unless they say otherwise.

    Attributes:
        level: the deepest reuse level any party may choose; 6 lets the head out too.
        stem: "private" (default), or "common" where the parties agree to share it.
        truths: "shared" lets the map-wide results and report show a week of each party's
            measured values beside its forecast; "private" (default) keeps them in its folder.
        party: agencies that allow less: a level, e.g. {"ferrara/district-1" = 3}, or a table
            of level and stem, e.g. {"ferrara/district-1" = { stem = "private" }}.
    """

    level: Level = MAX_LEVEL
    stem: Stem = "private"
    truths: Truths = "private"
    party: dict[str, Annotated[PartyGrantSettings, BeforeValidator(_party_grant)]] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _less(self) -> Self:
        for name, grant in self.party.items():
            if grant.level is not None and grant.level > self.level:
                right = f"write {self.level} or less, or raise the service's grant.level"
                raise wrong(f"more than the service's level {self.level}", right, f"party.{name}")
            if grant.stem == "common" and self.stem == "private":
                right = 'write "private", or make the service\'s grant.stem "common"'
                raise wrong(
                    "more than the service grants, whose stem is private",
                    right,
                    f"party.{name}.stem",
                )
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
        """Whether a party's measured values may stand in the map-wide report."""
        own = self.party.get(party)
        return self.truths if own is None or own.truths is None else own.truths


class SpanSettings(Settings):
    """Which days are learned from, chosen by and tested on, in this order in time.

    Attributes:
        start, end: first day used and first day not used, local; left out, all there are.
        validation_days: days before the test span by which states and levels are chosen.
        test_days: the last days; nothing is ever fitted to them.
        test_stride: keep every n-th origin of the test span.
        scarce: agencies that own only this many days before the test span begins; the last
            third of them validates. A newcomer may own one day, or part of one: what its
            windows lack counts as missing.
    """

    start: date | None = None
    end: date | None = None
    validation_days: Annotated[float, Field(gt=0)] = 30
    test_days: Annotated[float, Field(gt=0)] = 60
    test_stride: Annotated[int, Field(ge=1)] = 1
    scarce: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)


class AttendanceSettings(Settings):
    """Who is there in which round; rounds are counted from 1.

    Attributes:
        joins: agencies that join late: the first round each takes part in.
        leaves: agencies that leave: the first round each is gone from, and all after it;
            nothing of it is asked or counted from then on.
        share: of the parties there, drawn anew for each round; at least one.
    """

    joins: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    leaves: dict[str, Annotated[int, Field(ge=2)]] = Field(default_factory=dict)
    share: Annotated[float, Field(gt=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name, left in self.leaves.items():
            if left <= self.joins.get(name, 1):
                right = f"write a round after {self.joins[name]}, or leave the party out"
                raise wrong("it would leave before it joins", right, f"leaves.{name}")
        return self


class PartyWindowSettings(Settings):
    """How far one party looks back and ahead, where that is not as the service does.

    Attributes:
        history, horizon, days: in its own steps, as in the service's window.
    """

    history: Annotated[int, Field(ge=1)] | None = None
    horizon: Annotated[int, Field(ge=1)] | None = None
    days: Annotated[int, Field(ge=0)] | None = None


class ReuseSettings(Settings):
    """Start from another service's or city's layers (transfer learning).

    Learning alone does not: so every party sees what they are worth, and weighs them.

    Attributes:
        package: a layer package, relative to the map file.
        level: h1..h`level` are taken from it (6: the head too).
        frozen: keep them as they are, and train the rest.
    """

    package: str
    level: Level = 5
    frozen: bool = False


def _expert(kind: str) -> str:
    """An expert that is there, with all that it needs."""
    known = experts()
    if kind not in known:
        raise wrong("no expert of that kind", did_you_mean(kind, sorted(known)))
    lacking = not_installed(known[kind])
    if lacking:
        reason, _, right = lacking.partition(": ")
        raise wrong(reason, right)
    return kind


class ServiceSettings(Settings):
    """One service of the map.

    Attributes:
        name: unique in the map.
        application: which application answers it.
        parties: "city/agency" or "city/*"; with ":field" behind it the field that these parties
            forecast, e.g. "seoul/metro:exits", so that services learn from each other.
        field: the field forecast by every party that names none.
        title: how people call it; left out, the application's title.
        who: what its parties are, in the plural, e.g. "water districts of Ferrara".
        levels: the fixed reuse levels to compare; [] for none.
        automatic, pooled: whether to run these methods too.
        meeting: agencies of its own city that each party listens to (`deepcity meet`).
        newcomers: agencies that take no part in the rounds: they start from the layers that
            the others learned together, and send nothing.
        experts: what each party forecasts with of its own, by kind, weighed beside what it
            joined; its network is always among them.
        weather: an agency of each party's own city whose temperature and rain are known through
            a forecast; experts that look at the weather learn from it.
        windows: agencies with a window of their own, e.g. {"tetouan/power" = { horizon = 144 }}.
    """

    name: Annotated[str, Field(pattern=NAME)]
    application: str
    parties: Annotated[tuple[str, ...], Field(min_length=1)]
    field: str
    title: TitleSettings | None = None
    who: TitleSettings | None = None
    levels: tuple[Level, ...] = (1, 2, 3, 4, 5, 6)
    automatic: bool = True
    pooled: bool = True
    band: Annotated[float, Field(gt=0, lt=1)] = 0.9
    newcomers: tuple[str, ...] = ()
    experts: Annotated[tuple[Annotated[str, AfterValidator(_expert)], ...], Field(min_length=1)] = (
        EXPERTS
    )
    weather: str | None = None
    window: WindowSettings = WindowSettings()
    windows: dict[str, PartyWindowSettings] = Field(default_factory=dict)
    training: TrainingSettings = TrainingSettings()
    strategy: StrategySettings = StrategySettings()
    wire: WireSettings = WireSettings()
    attendance: AttendanceSettings = AttendanceSettings()
    grant: GrantSettings = GrantSettings()
    span: SpanSettings = SpanSettings()
    reuse: ReuseSettings | None = None
    meeting: MeetingSettings | None = None

    @field_validator("levels")
    @classmethod
    def _sorted(cls, levels: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted({level for level in levels if level > 0}))

    def window_of(self, party: str) -> WindowSettings:
        """How far a party looks back and ahead."""
        own = self.windows.get(party)
        said = {} if own is None else own.model_dump(exclude_none=True)
        return self.window.model_copy(update=said)

    @field_validator("experts")
    @classmethod
    def _with_network(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if "network" not in kinds:
            raise wrong("levels are reused by a network", 'add "network"')
        return tuple(dict.fromkeys(kinds))

    @model_validator(mode="after")
    def _newcomers_choose(self) -> Self:
        if self.newcomers and not (self.automatic and self.grant.level):
            right = "write automatic = true and a grant.level over 0, or name no newcomers"
            raise wrong("a newcomer has nothing to start from then", right, "newcomers")
        return self

    @model_validator(mode="after")
    def _reuse_is_used(self) -> Self:
        if self.reuse is not None and not (self.grant.level and (self.automatic or self.levels)):
            right = "write automatic = true, or levels, with a grant.level over 0, or take it out"
            raise wrong("learning alone starts from nobody's layers", right, "reuse")
        return self

    @model_validator(mode="after")
    def _rounds_exist(self) -> Self:
        last = self.training.rounds
        for key, rounds in (("joins", self.attendance.joins), ("leaves", self.attendance.leaves)):
            for name, number in rounds.items():
                if number > last:
                    right = f"write {last} or less, or raise training.rounds"
                    raise wrong(f"there are only {last} rounds", right, f"attendance.{key}.{name}")
        return self


def _one_block(service: ServiceSettings) -> ServiceSettings:
    """A map's service forecasts one block of steps; programs may forecast several in turn."""
    window = service.window
    if window.leads > 1:
        right = f"write horizon = {window.leads * window.horizon} and leave leads out"
        reason = "levels would be chosen and judged by the first block of steps alone"
        raise wrong(reason, right, "window.leads")
    return service


class MapSettings(Settings):
    """A whole map file.

    Attributes:
        name: also names the run folder.
        cities: city files, relative to the map file.
        seed: every draw of a run follows from it.
    """

    name: Annotated[str, Field(pattern=NAME)]
    title: TitleSettings
    cities: Annotated[tuple[str, ...], Field(min_length=1)]
    seed: Annotated[int, Field(ge=0)] = 0
    service: Annotated[
        tuple[Annotated[ServiceSettings, AfterValidator(_one_block)], ...], Field(min_length=1)
    ]
