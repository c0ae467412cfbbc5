"""What stands in a release ledger: one entry for each layer that left, one for each deletion of
what a party held, one for each act in a search for a person, and the tree's signed heads.

Each is a line of JSON in canonical form: sorted keys, no spaces, UTF-8, no number but integers
(RFC 8785 of such values). There is one text of an entry, so a line that is not the text of what it
says is refused: other spacing, a key that is there twice, 1.0 or 1e0 for 1.
"""

from enum import StrEnum
from math import ceil
from typing import Annotated, Any, Self

from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from deepcity.city.frozen_model import FrozenModel
from deepcity.city.level import MAX_LEVEL
from deepcity.store.canonical_text import canonical_text
from deepcity.store.release_ledger.merkle import MOST_PATH, leaf_hash

MOST_SIZE = 10**12
"""Entries of a ledger."""
MOST_GRANTS = 4
"""Names of a policy's grants in an entry."""
_LAST_S = 253_402_300_799  # of the year 9999
Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Signature = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
Seconds = Annotated[int, Field(ge=0, le=_LAST_S)]
Path_ = Annotated[tuple[Digest, ...], Field(max_length=MOST_PATH)]
_Epsilon = Annotated[str, Field(pattern=r"^[0-9]{1,6}\.[0-9]{4}$")]
_R2 = Annotated[str, Field(pattern=r"^-?[0-9]{1,6}\.[0-9]{4}$")]


class Strict(FrozenModel):
    """A checked value whose numbers are integers and nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def to_line(self) -> bytes:
        """Its one text."""
        return canonical_text(self)


class ReleaseForm(StrEnum):
    """In which form a layer left."""

    PLAIN = "plain"
    SPARSE = "sparse"  # the greatest moves alone
    MASKED = "masked"  # a part of a secure sum, which shows nothing by itself
    DOCUMENT = "document"  # no layer of a network: a signed claim of rows, results of a choice
    DEEP_DATA = "deep-data"  # activations for rows
    COUNTS = "counts"  # of rows by area and time, with noise
    SIGHTINGS = "sightings"  # camera, time and score of tracks that resemble who is looked for


class GrantScope(Strict):
    """The bound under which a layer left: the level of the map's grant; of deep data the cut."""

    level: Annotated[int, Field(ge=0, le=MAX_LEVEL)]
    stem: Annotated[str, Field(pattern=r"^(private|common)$")]


class Leakage(Strict):
    """What an audit measured of a layer: the best attack's R², with four decimals.

    Attributes:
        audit: the audited model's SHA-256, shortened; layers of a training are of later models.
        activations_r2: of windows of records, rebuilt from the layer's activations.
        update_r2: of rows, rebuilt from an update in which it is the lowest layer.
    """

    audit: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]
    activations_r2: _R2 | None = None
    update_r2: _R2 | None = None


class CountsScope(Strict):
    """How counts left.

    Attributes:
        purpose: what for.
        unit: whose influence epsilon bounds: one unit more or less.
        per_unit: in how many counts one unit is counted at most.
        k: counts under it, with their noise, were withheld.
        epsilon: of this release alone.
    """

    purpose: Name
    unit: Name
    per_unit: Annotated[int, Field(ge=1, le=10**6)]
    k: Annotated[int, Field(ge=1, le=10**6)]
    epsilon: _Epsilon


class Release(Strict):
    """One layer, or one table of counts, that left.

    Attributes:
        party: whose it is.
        receiver: to whom.
        service: the purpose.
        training, verb: in which training, in answer to what; empty outside of one.
        round: of the training; -1: none.
        layer: its name.
        grant: under which it left; None: it is no layer of a network.
        policy_grants: names of the grants of the city's policy that allowed it, `MOST_GRANTS` of
            them; None: the city names no policy. An entry without them has no such key.
        leakage: None: not measured.
        epsilon: spent on the party's records by differential privacy, this included, rounded up;
            None: without noise. An entry without it has no such key.
        counts: how counts left; None: it is none. An entry without it has no such key.
        bytes, sha256: what left, as it went over the wire.
    """

    party: Name
    receiver: Name
    service: Name
    training: Name
    verb: Name
    round: Annotated[int, Field(ge=-1, le=10**9)]
    layer: Name
    form: Annotated[ReleaseForm, Field(strict=False)]
    grant: GrantScope | None
    leakage: Leakage | None
    bytes: Annotated[int, Field(ge=0, le=1 << 50)]
    sha256: Digest
    policy_grants: Annotated[tuple[Name, ...], Field(max_length=MOST_GRANTS)] | None = None
    epsilon: _Epsilon | None = None
    counts: CountsScope | None = None

    @model_serializer(mode="wrap")
    def _without_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = dump(self)
        for key in ("policy_grants", "epsilon", "counts"):
            if found[key] is None:
                del found[key]
        return found


class DeletionRule(StrEnum):
    """Why data were deleted."""

    RETENTION = "retention"  # older than they are kept
    CASE_CLOSED = "case-closed"  # the search that they were for is over


class Deletion(Strict):
    """Data that a party held, and has deleted.

    Attributes:
        holder: who held them.
        data: which, as the name of a space of deep data.
        days: how long they are kept.
        before_s: all that was earlier was deleted, UTC seconds.
        rows: how many.
        first_s, last_s: times of the earliest and the latest of them.
    """

    holder: Name
    data: Name
    rule: Annotated[DeletionRule, Field(strict=False)]
    days: Annotated[int, Field(ge=0, le=10**6)]
    before_s: Seconds
    rows: Annotated[int, Field(ge=1, le=1 << 50)]
    first_s: Seconds
    last_s: Seconds


class CaseActKind(StrEnum):
    """What was done in a search for a person."""

    OPENED = "opened"
    APPROVED = "approved"
    SEARCHED = "searched"  # a city was asked, and answered
    UNANSWERED = "unanswered"  # a city was asked, and did not answer
    REFUSED = "refused"  # by the owner of the cameras
    LOOKED = "looked"  # somebody looked at the sightings
    CONFIRMED = "confirmed"  # somebody found that a sighting is the person
    REJECTED = "rejected"
    CLOSED = "closed"


class CaseAct(Strict):
    """One act in a search for a person; nothing of the person stands here.

    Attributes:
        holder: whose ledger it is.
        case: the search's id.
        digest: SHA-256 of what was approved; empty where it could not be read.
        who: the person or city that acted.
        city: the other side; empty: none.
        count: sightings, or refusals of this kind so far.
        why: a code, e.g. of a refusal.
    """

    holder: Name
    case: Name
    digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    act: Annotated[CaseActKind, Field(strict=False)]
    who: Name
    city: Name
    count: Annotated[int, Field(ge=0, le=10**9)]
    why: Name


Record = Release | Deletion | CaseAct


class Entry(Strict):
    """What stands in the ledger: its number from 0, and when it was recorded (UTC seconds).

    Attributes:
        release, deletion, case: one of these; the others have no key in its text.
    """

    index: Annotated[int, Field(ge=0, lt=MOST_SIZE)]
    release: Release | None = None
    deletion: Deletion | None = None
    case: CaseAct | None = None
    time_s: Seconds

    @model_validator(mode="after")
    def _one_of_these(self) -> Self:
        if [self.release, self.deletion, self.case].count(None) != 2:
            raise ValueError("an entry is of one release, deletion or act in a case")
        return self

    @classmethod
    def of(cls, index: int, record: Record, time_s: int) -> "Entry":
        """The entry of a record."""
        if isinstance(record, Release):
            return cls(index=index, release=record, time_s=time_s)
        if isinstance(record, Deletion):
            return cls(index=index, deletion=record, time_s=time_s)
        return cls(index=index, case=record, time_s=time_s)

    @model_serializer(mode="wrap")
    def _without_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in dump(self).items() if value is not None}

    def leaf(self) -> bytes:
        """Its hash as a leaf of the tree."""
        return leaf_hash(self.to_line())


def r2_text(r2: float) -> str:
    """An R² as an entry holds it.

    >>> r2_text(0.43126), r2_text(-1e-9)
    ('0.4313', '0.0000')
    """
    return f"{round(min(max(r2, -1e5), 1.0), 4) + 0.0:.4f}"


def epsilon_text(epsilon: float) -> str:
    """An epsilon as an entry holds it, rounded up.

    >>> epsilon_text(7.99993), epsilon_text(0.0)
    ('8.0000', '0.0000')
    """
    return f"{min(ceil(max(epsilon, 0.0) * 1e4) / 1e4, 999_999.0):.4f}"
