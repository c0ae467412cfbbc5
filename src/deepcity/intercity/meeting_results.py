"""What meetings found out: the tree behind `meeting.json`.

    MeetingResults
    └── MeetingService          one service of the map that has a meeting
        └── MeetingParty        one party: its errors by method, who was silent, what it cost

Methods are those of `deepcity.intercity.results` that apply, and `together` (the meeting),
`automatic` (alone and together weighed as truths come in), `pooled` (all raw columns in one
network, forbidden in life) and `silent:AGENCY` (that agency saying nothing; the party alone
answers where nobody is left to listen to).
"""

from pydantic import BaseModel, ConfigDict

from deepcity.intercity.results import Errors, Measured, Words

TOGETHER = "together"
SILENT = "silent:"


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


class MeetingParty(_Frozen):
    """One party after its meeting.

    Attributes:
        test: method -> errors over the test span.
        judged: method -> error by the application's own metric.
        metric: what people call that.
        failures: agencies that failed in training, and why.
    """

    name: str
    title: Words
    unit: str
    agencies: list[str]
    test: dict[str, Errors]
    judged: dict[str, Measured]
    metric: str
    cost: Cost
    failures: list[str]

    def share(self, method: str, of: str = "alone") -> float:
        """A method's mean absolute error as a share of another's."""
        return self.test[method].mae / self.test[of].mae


class MeetingService(_Frozen):
    """One service's meetings.

    Attributes:
        labels_stay: the application was nobody's: it leaves no packages for daily use.
    """

    name: str
    title: Words
    mode: str
    level: int
    labels_stay: bool = False
    parties: list[MeetingParty]


class MeetingResults(_Frozen):
    """All meetings of a map."""

    map: str
    version: str
    seed: int
    services: list[MeetingService]
