"""What meetings found out: the tree behind `meeting.json` and its page.

    MeetingResults
    └── MeetingService          one service of the map that has a meeting
        └── MeetingParty        one party: its errors by method, who was silent, what it cost
            ├── AgencyFacts     one agency it listens to: what it grants, says and sent
            ├── Cost            what a meeting's training sent, by mode
            └── Forecast        one place over a week, to look at

Methods are those of `deepcity.intercity.results` that apply, and `together` (the meeting in the
map's mode), `mode:MODE` (the same in another mode, for comparison), `automatic` (alone and
together weighed as truths come in), `pooled` (all raw columns in one network, forbidden in
life) and `silent:AGENCY` (that agency saying nothing; the party alone answers where nobody is
left to listen to).
"""

from statistics import fmean, stdev

from pydantic import BaseModel, ConfigDict

from deepcity.city.localized_text import LocalizedText
from deepcity.intercity.results import ALONE, Curve, Errors, Forecast, Measured

TOGETHER = "together"
SILENT = "silent:"
IN_MODE = "mode:"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cost(_Frozen):
    """What a meeting's training sent, both ways.

    Attributes:
        by_kind: bytes of deep data, slopes, times, cells and headers.
    """

    messages: int
    bytes: int
    by_kind: dict[str, int]
    seconds: float


class AgencyFacts(_Frozen):
    """An agency that a party listens to.

    Attributes:
        fields: what it encodes, each with its unit.
        level: the layer from which it speaks: the stem and h1..h`level` run on its own side.
        width: numbers that leave for a cell and a time.
        cells: for how many cells it speaks.
        step_minutes: of its own records.
        ahead: steps after the origin that it knows already.
        least_level, widest: what it grants: no shallower, no wider.
        sent, received: bytes in the training, and in what it said of validation and test days.
        raw_bytes: size of the records that stayed.
    """

    name: str
    title: LocalizedText
    fields: list[tuple[str, str]]
    level: int
    width: int
    cells: int
    step_minutes: float
    ahead: int
    least_level: int
    widest: int
    sent: int
    received: int
    raw_bytes: int


class MeetingParty(_Frozen):
    """One party after its meeting.

    Attributes:
        agencies: whom it listens to.
        facts: what is known of each.
        test: method -> errors over the test span, of the first seed.
        judged: method -> error by the application's own metric, of the first seed.
        by_seed: method -> the same of every seed, in the order of `seeds`.
        metric: what people call that.
        metric_unit: its unit; None where it is a share.
        cost: of the map's mode; `costs` of every mode that was run.
        band_level, band_coverage: what the band of `together` promises, and what it held.
        failures: agencies that failed in training, and why.
    """

    name: str
    title: LocalizedText
    unit: str
    agencies: list[str]
    test: dict[str, Errors]
    judged: dict[str, Measured]
    metric: LocalizedText
    cost: Cost
    failures: list[str]
    facts: list[AgencyFacts] = []
    metric_unit: str | None = None
    by_seed: dict[str, list[Measured]] = {}
    costs: dict[str, Cost] = {}
    curves: list[Curve] = []
    places: int = 0
    train_days: float = 0.0
    horizon_steps: int = 0
    step_minutes: float = 0.0
    band_level: float = 0.9
    band_coverage: Measured = float("nan")
    forecast: Forecast | None = None

    def share(self, method: str, of: str = ALONE) -> float:
        """A method's mean absolute error as a share of another's."""
        return self.test[method].mae / self.test[of].mae

    def error(self, method: str) -> float | None:
        """A method's error by the application's metric, mean over seeds; None if not run."""
        found = self.by_seed.get(method) or [self.judged.get(method, float("nan"))]
        mean = fmean(found)
        return mean if abs(mean) < float("inf") else None

    def spread(self, method: str) -> float | None:
        """Standard deviation of that over seeds; None of a single one."""
        found = self.by_seed.get(method, [])
        return stdev(found) if len(found) > 1 else None

    def change(self, method: str, of: str = ALONE) -> float | None:
        """Change of that error against another method's, as a share; None if not known."""
        ours, theirs = self.error(method), self.error(of)
        return None if ours is None or not theirs else ours / theirs - 1

    @property
    def modes(self) -> dict[str, str]:
        """Mode -> the method that is this mode, of all modes run."""
        return {mode: self._method(mode) for mode in self.costs}

    def _method(self, mode: str) -> str:
        other = f"{IN_MODE}{mode}"
        return other if other in self.judged else TOGETHER


class MeetingService(_Frozen):
    """One service's meetings.

    Attributes:
        labels_stay: the coordinator held neither rows nor labels: no packages for daily use.
    """

    name: str
    title: LocalizedText
    mode: str
    level: int
    labels_stay: bool = False
    parties: list[MeetingParty]
    question: LocalizedText | None = None
    decision: LocalizedText | None = None
    own_deep: int = 0


class MeetingResults(_Frozen):
    """All meetings of a map."""

    map: str
    version: str
    seed: int
    services: list[MeetingService]
    title: LocalizedText | None = None
    seeds: list[int] = []
    seconds: float = 0.0
