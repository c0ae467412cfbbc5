"""The coordinator's record of its rounds, `rounds.json`: written after each round, read with care.

Who took part in which round, who did not and why, what each sent and received by layer, when
each round ended, and how many rows each signed for. It names no row and no layer's content. Whoever
shows it may have it from another machine: a file that is half-written, too large or impossible is
refused whole.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from deepcity.city.errors import CheckpointError
from deepcity.city.frozen_model import FrozenModel
from deepcity.city.level import MAX_LEVEL
from deepcity.exchange.coordinator import Training
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.trust.row_claims import SignedClaim
from deepcity.store.result_bounds import LAST_S
from deepcity.store.run_folder import read_bounded, why_not, write_file

ROUNDS = "rounds.json"
MOST_BYTES = 16_000_000
"""Of the file; a hundred parties over a thousand rounds need less."""
_LONGEST_NAME, _LONGEST_REASON = 200, 500
_MOST_ROUNDS, _MOST_PARTIES = 100_000, 10_000
_MOST = 10**15

_Name = Annotated[
    str, Field(min_length=1, max_length=_LONGEST_NAME, pattern=r"^[^\x00-\x1f\x7f]+$")
]
_Count = Annotated[int, Field(ge=0, le=_MOST)]
_Number = Annotated[float, Field(ge=0, le=1e100, allow_inf_nan=False)]
_Bytes = Annotated[dict[_Name, dict[_Name, _Count]], Field(max_length=_MOST_PARTIES)]


class TrainingRecord(FrozenModel):
    """One training, as far as it is.

    Attributes:
        levels: party -> the deepest level that it exchanged.
        errors: by round: party -> validation error before its training; the last, once all rounds
            are done, is the evaluation after them.
        failures: by round: "PARTY: REASON" of each that was left out.
        bytes: both ways; `sent` and `received` by party and layer.
        ended: when each round ended, UTC seconds; 0: not recorded. Empty in files of before 0.2.
        claims: party -> the rows that it claimed when it joined, signed.
    """

    levels: Annotated[
        dict[_Name, Annotated[int, Field(ge=0, le=MAX_LEVEL)]], Field(max_length=_MOST_PARTIES)
    ]
    errors: Annotated[list[dict[_Name, _Number]], Field(max_length=_MOST_ROUNDS)]
    failures: Annotated[
        list[list[Annotated[str, Field(max_length=100 * _LONGEST_REASON)]]],
        Field(max_length=_MOST_ROUNDS),
    ]
    bytes: _Count
    seconds: _Number
    sent: _Bytes = Field(default={})
    received: _Bytes = Field(default={})
    ended: Annotated[
        list[Annotated[int, Field(ge=0, le=LAST_S)]], Field(max_length=_MOST_ROUNDS)
    ] = Field(default=[])
    claims: Annotated[dict[_Name, SignedClaim], Field(max_length=_MOST_PARTIES)] = Field(default={})

    @property
    def rounds(self) -> int:
        """How many are done."""
        return len(self.ended) or max(0, len(self.errors) - 1)


Records = Mapping[str, TrainingRecord]
"""Name of a training (`SERVICE.METHOD`) -> its record, in the order in which they were led."""
_FILE: TypeAdapter[dict[str, TrainingRecord]] = TypeAdapter(
    Annotated[dict[_Name, TrainingRecord], Field(max_length=1000)]
)


@dataclass
class RoundsFile:
    """The file, kept up to date while trainings are led; one that is there is gone on with."""

    folder: Path
    _known: dict[str, TrainingRecord] = field(init=False)

    def __post_init__(self) -> None:
        try:
            self._known = dict(read_rounds(self.folder))
        except CheckpointError:  # damaged: trainings that are led again fill it
            self._known = {}

    @property
    def records(self) -> Records:
        """The record as it is now."""
        return self._known

    def keys(self) -> dict[str, str]:
        """Party -> the key that signed its first claim: trusted on first use, and from then on."""
        found: dict[str, str] = {}
        for record in self._known.values():
            for party, one in record.claims.items():
                found.setdefault(party, one.key)
        return found

    def note(self, name: str, training: Training) -> None:
        """Write a training as far as it is.

        Raises:
            CheckpointError: if the disk is full or refuses; the former file is kept.
        """
        self._known[name] = record_of(training)
        write_file(self.folder / ROUNDS, _FILE.dump_json(self._known, indent=1))


def record_of(training: Training) -> TrainingRecord:
    """A training's record; a party's reason may be long, and holds no line break here."""
    progress = training.progress
    return TrainingRecord.model_construct(
        levels=dict(training.levels),
        errors=[dict(errors) for errors in progress.errors],
        failures=[
            [" ".join(str(one).split())[: _LONGEST_NAME + _LONGEST_REASON] for one in failed]
            for failed in progress.failures
        ],
        bytes=training.ledger.total,
        seconds=training.seconds,
        sent=_by_party(training.ledger, sent=True),
        received=_by_party(training.ledger, sent=False),
        ended=list(training.ended),
        claims=dict(progress.claims),
    )


def _by_party(ledger: Ledger, *, sent: bool) -> dict[str, dict[str, int]]:
    found: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for _, _, sender, receiver, layer, size in ledger.snapshot():
        party = sender if sent else receiver
        if party != COORDINATOR:
            found[party][layer] += size
    return {party: dict(layers) for party, layers in found.items()}


def read_rounds(folder: Path) -> Records:
    """The record of a folder's trainings; nothing where there is none.

    Raises:
        CheckpointError: if it cannot be read, is half-written, or holds what no coordinator writes.
    """
    path = folder / ROUNDS
    if not path.is_file():
        return {}
    try:
        return _FILE.validate_json(read_bounded(path, MOST_BYTES))
    except ValueError as error:
        raise CheckpointError(
            f"{path} is half-written, or no record of rounds that this version writes: "
            f"{why_not(error)}. Wait for the next round, or take it from the coordinator again"
        ) from error


class LeftOut(StrEnum):
    """How it came that a party is in no newest round."""

    SILENT = "silent"  # it did not answer
    REFUSED = "refused"  # it answered, and its update was not used


@dataclass(frozen=True)
class TakingPart:
    """When a party last took part in a service's rounds.

    Attributes:
        last: round, from 1, in which its update was last used; 0: in none yet.
        rounds: done so far in that training.
        at_s: when that round ended, UTC seconds; None: not recorded.
        left_out: how it came that it is in none since; None: it was not left out.
        reason: why, as the coordinator recorded it.
    """

    last: int
    rounds: int
    at_s: int | None
    left_out: LeftOut | None = None
    reason: str = ""


def taking_part(records: Records, service: str) -> dict[str, TakingPart]:
    """Party -> when it last took part in a service's trainings, and how it stands since.

    A party that joins late, has left as planned or was not sampled is not left out.
    """
    found: dict[str, TakingPart] = {}
    for record in records_of(records, service).values():
        for party, now in _in_training(record).items():
            found[party] = _since(found.get(party), now)
    return found


def records_of(records: Records, service: str) -> dict[str, TrainingRecord]:
    """The trainings of a service."""
    return {name: one for name, one in records.items() if name.partition(".")[0] == service}


def _in_training(record: TrainingRecord) -> dict[str, TakingPart]:
    """How each party stands after a training; those that were asked in it."""
    found: dict[str, TakingPart] = {}
    for number in range(max(len(record.errors), len(record.failures))):
        answered = record.errors[number] if number < len(record.errors) else {}
        failed = _failed(record, number)
        for party, reason in failed.items():
            how = LeftOut.REFUSED if party in answered else LeftOut.SILENT
            before = found.get(party, TakingPart(0, record.rounds, None))
            found[party] = replace(before, left_out=how, reason=reason)
        last = min(number + 1, record.rounds)
        at_s = record.ended[last - 1] if 0 < last <= len(record.ended) else 0
        took = TakingPart(last, record.rounds, at_s or None)
        found |= {party: took for party in answered if party not in failed}
    return {party: part for party, part in found.items() if party in record.levels}


def _failed(record: TrainingRecord, number: int) -> dict[str, str]:
    """Party -> why it was left out of a round; names hold no blank."""
    if number >= len(record.failures):
        return {}
    parts = (one.partition(": ") for one in record.failures[number])
    return {party: reason[:_LONGEST_REASON] for party, _, reason in parts}


def _since(before: TakingPart | None, now: TakingPart) -> TakingPart:
    """A party's newest standing; its last round may be another training's."""
    if now.last or before is None or not before.last:
        return now
    return replace(before, left_out=now.left_out, reason=now.reason)
