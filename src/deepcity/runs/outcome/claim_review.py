"""What the claims of rows in a record show: signatures, keys that changed, rows that jumped.

Claims of one party in one service are compared in the order in which they came. Between two of
them no more rows can have been measured than its places have steps in that time. A claim beyond
that is named and still counts, capped as ever (`deepcity.exchange.trust.robust`): an honest party
may have found older records.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from deepcity.exchange.trust.row_claims import SignedClaim
from deepcity.runs.note import Note
from deepcity.runs.outcome.round_records import Records, records_of


@dataclass(frozen=True)
class RowJump:
    """A party claimed more rows than time allows since an earlier claim.

    Attributes:
        before, after: names of the trainings.
        rows_before, rows_after: that it claimed for them.
        most: that the later claim may have reached.
    """

    party: str
    before: str
    after: str
    rows_before: float
    rows_after: float
    most: float


def claims_in(records: Records) -> Iterator[tuple[str, str, SignedClaim]]:
    """Training, party and claim, in the order of the record."""
    for training, record in records.items():
        for party, one in sorted(record.claims.items()):
            yield training, party, one


def claim_problem(records: Records, training: str, party: str) -> str:
    """What is wrong with a claim in a record; nothing where its signature holds."""
    one = records[training].claims[party]
    if not one.is_genuine():
        return "the signature is not that of its key"
    if (one.claim.training, one.claim.party) != (training, party):
        return f"it is signed for {one.claim.party} in {one.claim.training}"
    first = next(found for _, name, found in claims_in(records) if name == party)
    return "" if one.key == first.key else f"it is signed with another key than {first.key[:16]}"


def row_jumps(records: Records, service: str) -> list[RowJump]:
    """Every claim beyond what time allows since an earlier one of the same party and service."""
    found, earlier = [], dict[str, tuple[str, SignedClaim]]()
    ours = records_of(records, service)
    for training, party, one in sorted(claims_in(ours), key=lambda claim: claim[2].received_s):
        name, before = earlier.setdefault(party, (training, one))
        rows, most = one.claim.rows, _most_rows(before, one.received_s)
        if rows > most:
            found.append(RowJump(party, name, training, before.claim.rows, rows, most))
        if rows < before.claim.rows:
            earlier[party] = training, one
    return found


def _most_rows(before: SignedClaim, now_s: int) -> float:
    """Rows that a party can have now, by what it signed before; a step may just have ended."""
    claim = before.claim
    steps = max(0, now_s - before.received_s) // claim.step_s + 1
    return claim.rows + claim.places * steps


def claim_notes(records: Records, service: str) -> list[Note]:
    """Parties whose claims jumped."""
    return [
        Note(
            code="rows_jumped",
            numbers={"before": one.rows_before, "after": one.rows_after, "most": one.most},
            names={"party": one.party, "earlier": one.before, "later": one.after},
        )
        for one in row_jumps(records, service)
    ]
