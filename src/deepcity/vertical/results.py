"""Results of vertical training: the tree behind `vertical.json` and its page.

    VerticalResults
    └── VerticalServiceResult       one service of the map with vertical training
        └── VerticalPartyResult     one party: errors by method, failures, cost
            ├── AgencyFacts         one feature party: its grant, activations and traffic
            ├── ModeCost            traffic of the training, by mode
            └── ExampleForecast     one place over a week, for a chart

Methods are those of `deepcity.parties.method_errors` that apply, and `together` (joint training
in the map's mode), `mode:MODE` (the same in another mode, for comparison), `automatic` (online
aggregation of alone and together), `pooled` (all raw columns in one network; breaks privacy)
and `without:AGENCY` (that agency missing; the party's own where no other agency is left).
"""

from statistics import fmean, stdev

from pydantic import BaseModel, ConfigDict

from deepcity.city.localized_text import LocalizedText
from deepcity.city.measured import Measured
from deepcity.parties.example_forecast import ExampleForecast, LearningCurve
from deepcity.parties.method_errors import ALONE, MethodErrors

TOGETHER = "together"
WITHOUT_AGENCY = "without:"
MODE_PREFIX = "mode:"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModeCost(_Frozen):
    """Traffic of a vertical training, both ways.

    Attributes:
        by_kind: bytes of deep data, gradients, times, cells and headers.
    """

    messages: int
    bytes: int
    by_kind: dict[str, int]
    seconds: float


class AgencyFacts(_Frozen):
    """A feature party: an agency that sends activations.

    Attributes:
        fields: those it encodes, each with its unit.
        level: its cut level: the stem and h1..h`level` run on its own side.
        width: numbers that leave for a cell and a time.
        cells: number of cells it sends activations for.
        step_minutes: of its own records.
        ahead: steps after the origin that it knows already.
        least_level, widest: its grant: no shallower layer, no more numbers.
        sent, received: bytes in training, validation and test.
        raw_bytes: size of the records, which did not leave.
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


class VerticalPartyResult(_Frozen):
    """One party after vertical training.

    Attributes:
        test: method -> errors over the test span, of the first seed.
        metric_errors: method -> error by the application's own metric, of the first seed.
        by_seed: method -> the same of every seed, in the order of `seeds`.
        metric: title of that metric.
        metric_unit: its unit; None where it is a share.
        cost: of the map's mode; `costs` of every mode that was run.
        band_level, band_coverage: nominal and measured coverage of the band of `together`.
        failures: agencies that failed in training, and why.
    """

    name: str
    title: LocalizedText
    unit: str
    agencies: list[str]
    test: dict[str, MethodErrors]
    metric_errors: dict[str, Measured]
    metric: LocalizedText
    cost: ModeCost
    failures: list[str]
    facts: list[AgencyFacts] = []
    metric_unit: str | None = None
    by_seed: dict[str, list[Measured]] = {}
    costs: dict[str, ModeCost] = {}
    curves: list[LearningCurve] = []
    places: int = 0
    train_days: float = 0.0
    horizon_steps: int = 0
    step_minutes: float = 0.0
    band_level: float = 0.9
    band_coverage: Measured = float("nan")
    forecast: ExampleForecast | None = None

    def error(self, method: str) -> float | None:
        """A method's error by the application's metric, mean over seeds; None if not run."""
        found = self.by_seed.get(method) or [self.metric_errors.get(method, float("nan"))]
        mean = fmean(found)
        return mean if abs(mean) < float("inf") else None

    def spread(self, method: str) -> float | None:
        """Standard deviation of that error over seeds; None for a single seed."""
        found = self.by_seed.get(method, [])
        return stdev(found) if len(found) > 1 else None

    def change(self, method: str, of: str = ALONE) -> float | None:
        """Relative change of that error against another method's; None if unknown."""
        ours, theirs = self.error(method), self.error(of)
        return None if ours is None or not theirs else ours / theirs - 1

    @property
    def modes(self) -> dict[str, str]:
        """Mode -> its method, for all modes run."""
        return {mode: self._method(mode) for mode in self.costs}

    def _method(self, mode: str) -> str:
        other = f"{MODE_PREFIX}{mode}"
        return other if other in self.metric_errors else TOGETHER


class VerticalServiceResult(_Frozen):
    """Vertical training of one service.

    Attributes:
        labels_stay: the coordinator held neither rows nor labels; no packages were written.
    """

    name: str
    title: LocalizedText
    mode: str
    level: int
    labels_stay: bool = False
    parties: list[VerticalPartyResult]
    question: LocalizedText | None = None
    decision: LocalizedText | None = None
    own_width: int = 0


class VerticalResults(_Frozen):
    """All vertical trainings of a map."""

    map: str
    version: str
    seed: int
    services: list[VerticalServiceResult]
    title: LocalizedText | None = None
    seeds: list[int] = []
    seconds: float = 0.0
