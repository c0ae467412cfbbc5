"""What is asked of a refining, and what it found out: an entry a party, and what went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from deepcity.city.localized_text import LocalizedText
from deepcity.intercity.results import DriftFound, Measured, Note

BOUND = 0.05


@dataclass(frozen=True)
class Asked:
    """How a run is refined.

    Attributes:
        bound: by how much a network's error on old days may have risen in the end, over all
            refinings together, as a share of its first.
        parties: only these; all where it is empty.
    """

    bound: float = BOUND
    parties: Sequence[str] = ()


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Outcome(StrEnum):
    """What became of a party's networks."""

    REFINED = "refined"
    KEPT = "kept"  # they would have erred more, or forgotten too much
    NOTHING_NEW = "nothing new"


class PartyRefined(_Frozen):
    """One party's refining; where nothing was new, figures are those of the last one.

    Times are UTC seconds, ends exclusive. Errors are mean absolute errors of the judged days,
    which neither way learned from, in the field's unit.

    Attributes:
        number: refinings so far.
        seen_to: until when rows were known before.
        learned_from, learned_to: rows that were learned from.
        judged_from, judged_to: the newest days, by which it was decided.
        last_week, kept, refined: errors of the same hour last week, of the networks as they
            were, and as refining would make them.
        forgot: greatest rise of a network's error on old days kept aside, over all refinings
            (as far as they were taken over), as a share of its first; at most `bound`.
        moved: how far the weights went from the old ones (0) to what new rows asked (1); the mean.
        drift: since when forecasts are worse than usual.
    """

    service: str
    party: str
    title: LocalizedText
    unit: str
    time_zone: str
    outcome: Outcome
    number: int
    seen_to: int = 0
    learned_from: int = 0
    learned_to: int = 0
    judged_from: int = 0
    judged_to: int = 0
    last_week: Measured = float("nan")
    kept: Measured = float("nan")
    refined: Measured = float("nan")
    forgot: float = 0.0
    bound: float = 0.0
    moved: float = 0.0
    drift: DriftFound | None = None
    notes: list[Note] = []


class ProblemTold(_Frozen):
    """A problem as scripts read it."""

    party: str
    key: str
    value: str | None
    reason: str
    right: str


class Refinement(_Frozen):
    """Everything one refining of a run found out."""

    map: str
    version: str
    seconds: float
    parties: list[PartyRefined]
    problems: list[ProblemTold] = []
