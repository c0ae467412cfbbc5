"""Deletions of deep data, as entries in the ledger of who held them.

FOLDER/releases.jsonl   the holder's ledger
FOLDER/claims.pem       the key that signs its heads

An entry says how many rows of which space, of which span, were deleted by which rule. Who knows
a head of the ledger knows from then on that they were, and when; what is younger than an entry's
`before_s` is the only thing that the store can still hold.
"""

from collections.abc import Sequence
from pathlib import Path

from deepcity.parties.releases.site_ledger import CLAIMS_KEY, site_ledger
from deepcity.store.deep_data.database import ExpiredRows
from deepcity.store.deep_data.store import RecordExpired
from deepcity.store.release_ledger.release import Deletion, DeletionRule
from deepcity.store.signatures.ed25519 import signing_key

_LONGEST = 200


def recorded_deletions(folder: Path, holder: str) -> RecordExpired:
    """What writes deletions into the ledger of a folder.

    Args:
        holder: whose ledger it is: a city, or a party of it.

    Raises:
        CheckpointError: if the key cannot be read, or a new one not written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ledger = site_ledger(folder, holder, signing_key(folder / CLAIMS_KEY))

    def record(gone: Sequence[ExpiredRows]) -> None:
        ledger.record([_deletion(holder, one) for one in gone])

    return record


def _deletion(holder: str, one: ExpiredRows) -> Deletion:
    return Deletion(
        holder=holder,
        data=str(one.space)[:_LONGEST],
        rule=DeletionRule.RETENTION,
        days=one.days,
        before_s=max(0, one.before_s),
        rows=one.rows,
        first_s=max(0, one.first_s),
        last_s=max(0, one.last_s),
    )
