"""Settings of a map file: cities, services, participants, reuse levels and evaluation."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from deepcity.data.config.settings import NAME, TitleSettings
from deepcity.data.config.toml_file import Settings, did_you_mean, wrong
from deepcity.exchange.compression.sparse_moves import SparseMoves
from deepcity.exchange.precision import Precision
from deepcity.learning.experts.expert import experts, not_installed
from deepcity.learning.features.inputs import WindowSettings
from deepcity.learning.private.settings import PrivacySettings
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.maps.grant_settings import GrantSettings, Level
from deepcity.maps.vertical_settings import VerticalSettings
from deepcity.privacy.secure_sums.roster import LEAST_MEMBERS

EXPERTS = ("network", "typical_day", "yesterday", "trees", "gaussian_days")
"""Kinds of a party's own experts, unless its map names others: `experts` in RESULTS.md."""


class StrategySettings(Settings):
    """How updates are aggregated; each strategy checks which settings it takes.

    Attributes:
        name: of the strategy; the last five withstand hostile members. Left out, norm clipping of
            seven members or more and fedavg of fewer (`deepcity.maps.fusion_rule`).
        weighting: a party's weight in averages: its training rows, or equal for all.
        aggregation: "plain": the coordinator sees each update; "secure": only their sums
            (`deepcity.privacy.secure_sums`), under fedavg or fedprox.
        group_size: members of a group, at least, for secure sums within groups that are drawn anew
            for each round, and a strategy that withstands hostile members across their means.
        schedule: "synchronous": a round waits for all; "asynchronous": updates are fused as they
            come, weighted by their staleness (`deepcity.exchange.asynchronous`).
        buffer_size: updates that a fusion waits for; left out, half of the members, rounded up.
        staleness_exponent: a of an update's weight 1 / (1 + staleness)^a; left out, 0.5.
        round_seconds: agencies whose rounds take other than one second on the simulated clock of a
            run in one process; between machines the sites' own speeds count.
        mu: of FedProx.
        sharpness: of FedAMP.
        trim: of the trimmed mean.
        clip: of norm clipping and peer validation.
        tolerated: of peer validation.
        farthest: usual distances from the others beyond which an update is left out of a round
            (`deepcity.exchange.trust.far_updates`); left out, 4. Not with secure sums.
    """

    name: Literal[
        "fedavg", "fedprox", "fedamp", "median", "trimmed_mean", "norm_clipping", "multi_krum",
        "peer_validation",
    ] | None = None  # fmt: skip
    weighting: Literal["rows", "equal"] = "rows"
    aggregation: Literal["plain", "secure"] = "plain"
    group_size: int | None = None
    schedule: Literal["synchronous", "asynchronous"] = "synchronous"
    buffer_size: Annotated[int, Field(ge=1)] | None = None
    staleness_exponent: Annotated[float, Field(ge=0, le=10)] | None = None
    round_seconds: dict[str, Annotated[float, Field(gt=0, le=1e6)]] = Field(default_factory=dict)
    mu: float | None = None
    sharpness: float | None = None
    trim: float | None = None
    clip: float | None = None
    tolerated: float | None = None
    farthest: Annotated[float, Field(ge=1, le=1e6)] | None = None

    @field_validator("group_size")
    @classmethod
    def _hides(cls, size: int | None) -> int | None:
        if size is not None and size < LEAST_MEMBERS:
            others = LEAST_MEMBERS - 1
            reason = f"a sum hides a member's part only where {others} honest others are in it"
            raise wrong(reason, f"write {LEAST_MEMBERS} or more, or leave group_size out")
        return size

    def values(self) -> dict[str, float]:
        """The settings that were given, for the strategy to check."""
        own = {"mu", "sharpness", "trim", "clip", "tolerated"}
        return self.model_dump(include=own, exclude_none=True)


class WireSettings(Settings):
    """How layers travel between parties.

    Attributes:
        precision: "float16" halves the bytes on the wire; layers arrive as float32.
        keep: share of a layer's moves that parties send, the greatest ones; the rest is made up
            for in later rounds (`deepcity.exchange.compression`). Left out, layers are sent whole.
    """

    precision: Precision = "float16"
    keep: Annotated[float, Field(gt=0, le=1)] | None = None

    @property
    def moves(self) -> SparseMoves | None:
        """How sites sparsify the moves of their layers; None: not at all."""
        return None if self.keep is None else SparseMoves(self.keep, self.precision)


class SpanSettings(Settings):
    """Training, validation and test days, in this order in time.

    Attributes:
        start, end: first day used and first day not used, local; left out, all records.
        validation_days: days before the test span, for early stopping and choice of levels.
        validation_stride: use every n-th origin of the validation span, counted back from its last.
        test_days: the last days; nothing is fitted to them.
        test_stride: use every n-th origin of the test span.
        scarce: agencies with only this many days before the test span; the last third of
            them validates. A newcomer may have one day, or part of one: steps before it count
            as missing in its windows.
    """

    start: date | None = None
    end: date | None = None
    validation_days: Annotated[float, Field(gt=0)] = 30
    validation_stride: Annotated[int, Field(ge=1)] = 1
    test_days: Annotated[float, Field(gt=0)] = 60
    test_stride: Annotated[int, Field(ge=1)] = 1
    scarce: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)


class ParticipationSettings(Settings):
    """Which parties take part in which round; rounds are counted from 1.

    Attributes:
        joins: agencies that join late: the first round each takes part in.
        leaves: agencies that leave: the first round each takes no part in; from then on it
            gets no messages and counts in no average.
        share: fraction of the available parties sampled for each round; at least one party.
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
    """One party's window, where it differs from the service's.

    Attributes:
        history, horizon, days: in its own steps, as in the service's window.
    """

    history: Annotated[int, Field(ge=1)] | None = None
    horizon: Annotated[int, Field(ge=1)] | None = None
    days: Annotated[int, Field(ge=0)] | None = None


class ReuseSettings(Settings):
    """Start from another service's or city's layers (transfer learning).

    Learning alone does not use them, so their benefit is measured.

    Attributes:
        package: a layer package, relative to the map file.
        level: h1..h`level` are loaded from it (6: the head too).
        frozen: keep them fixed, and train the rest.
    """

    package: str
    level: Level = 5
    frozen: bool = False


def _expert(kind: str) -> str:
    """A known expert whose requirements are installed."""
    known = experts()
    if kind not in known:
        raise wrong("unknown kind of expert", did_you_mean(kind, sorted(known)))
    lacking = not_installed(known[kind])
    if lacking:
        reason, _, right = lacking.partition(": ")
        raise wrong(reason, right)
    return kind


class ServiceSettings(Settings):
    """One service of the map.

    Attributes:
        name: unique in the map.
        application: its application.
        parties: "city/agency" or "city/*"; append ":field" to set the field that these parties
            forecast, e.g. "seoul/metro:exits", so that services learn from each other.
        field: the field forecast by every party that names none.
        title: in reports; left out, the application's title.
        who: its parties in the plural, e.g. "water districts of Ferrara".
        levels: the fixed reuse levels to compare; [] for none.
        automatic, pooled: whether to run these methods too.
        band: nominal coverage of forecast bands.
        newcomers: agencies that take no part in the rounds: they start from the layers that
            the others trained, and send nothing.
        experts: kinds of each party's own experts, in one ensemble with the joined ones; the
            network is always among them.
        weather: an agency of each party's own city whose temperature and rain stand for a
            weather forecast; used by experts that read the weather.
        window: history, horizon and features.
        windows: agencies with a window of their own, e.g. {"tetouan/power" = { horizon = 144 }}.
        training, strategy, wire, participation, grant, span: see their classes.
        reuse: a layer package to start from.
        vertical: feature parties in each party's own city (`deepcity train-vertical`).
        privacy: differential privacy of the layers that leave; left out, none.
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
    participation: ParticipationSettings = ParticipationSettings()
    grant: GrantSettings = GrantSettings()
    span: SpanSettings = SpanSettings()
    reuse: ReuseSettings | None = None
    vertical: VerticalSettings | None = None
    privacy: PrivacySettings | None = None

    @field_validator("levels")
    @classmethod
    def _sorted(cls, levels: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted({level for level in levels if level > 0}))

    def window_of(self, party: str) -> WindowSettings:
        """A party's window."""
        own = self.windows.get(party)
        value = {} if own is None else own.model_dump(exclude_none=True)
        return self.window.model_copy(update=value)

    @field_validator("experts")
    @classmethod
    def _with_network(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if "network" not in kinds:
            raise wrong("reuse levels need the network expert", 'add "network"')
        return tuple(dict.fromkeys(kinds))

    @model_validator(mode="after")
    def _newcomers_choose(self) -> Self:
        if self.newcomers and not (self.automatic and self.grant.level):
            right = "write automatic = true and a grant.level over 0, or name no newcomers"
            reason = "without shared levels a newcomer has no layers to start from"
            raise wrong(reason, right, "newcomers")
        return self

    @model_validator(mode="after")
    def _reuse_is_used(self) -> Self:
        if self.reuse is not None and not (self.grant.level and (self.automatic or self.levels)):
            right = "set automatic = true or levels, with a grant.level over 0, or remove reuse"
            raise wrong("only learning alone is run, and it loads no package", right, "reuse")
        return self

    @model_validator(mode="after")
    def _rounds_exist(self) -> Self:
        last, timed = self.training.rounds, self.participation
        for key, rounds in (("joins", timed.joins), ("leaves", timed.leaves)):
            for name, number in rounds.items():
                if number > last:
                    right = f"write {last} or less, or raise training.rounds"
                    where = f"participation.{key}.{name}"
                    raise wrong(f"there are only {last} rounds", right, where)
        return self


def _one_block(service: ServiceSettings) -> ServiceSettings:
    """A map's service forecasts one block of steps; several blocks are for the library only."""
    window = service.window
    if window.leads > 1:
        right = f"write horizon = {window.leads * window.horizon} and leave leads out"
        reason = "levels would be chosen and evaluated on the first block of steps only"
        raise wrong(reason, right, "window.leads")
    return service


class MapSettings(Settings):
    """A whole map file.

    Attributes:
        name: also names the run folder.
        title: in reports.
        cities: city files, relative to the map file.
        seed: all random numbers of a run follow from it.
        service: the services.
    """

    name: Annotated[str, Field(pattern=NAME)]
    title: TitleSettings
    cities: Annotated[tuple[str, ...], Field(min_length=1)]
    seed: Annotated[int, Field(ge=0)] = 0
    service: Annotated[
        tuple[Annotated[ServiceSettings, AfterValidator(_one_block)], ...], Field(min_length=1)
    ]
