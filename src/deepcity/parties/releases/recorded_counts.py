"""What a site's ledger holds of counts that left: what its budget and its clock are held against.

Budget and clock are the operator's, who may put an older copy of the one back, or set the other
back. The ledger is too, but its heads are signed and other cities co-sign them, so that it cannot
be put back unseen.
"""

from dataclasses import dataclass
from pathlib import Path

from deepcity.city.errors import CheckpointError
from deepcity.store.release_ledger.lines import entry_of, read_lines
from deepcity.store.release_ledger.release import Entry, ReleaseForm

_COUNTS = f'"form":"{ReleaseForm.COUNTS.value}"'.encode()


@dataclass(frozen=True)
class RecordedCounts:
    """Of a ledger.

    Attributes:
        releases: how many left at least: what is spent with one is more than with those before.
        newest_s: UTC seconds of the newest of them; 0: there is none. A grant was valid then, so a
            clock that was wrong once ends no other grant for good.
    """

    releases: int = 0
    newest_s: int = 0

    def check(self, paid: int, record: Path) -> None:
        """See that all of them were paid for in a record of uses.

        Args:
            paid: releases of counts in it.

        Raises:
            CheckpointError: if not: an older one was put back, or a new one begun.
        """
        if self.releases > paid:
            raise CheckpointError(
                f"{record} holds {paid} releases of counts, and the ledger beside it "
                f"{self.releases}: an older record was put back, or a new one begun. Put back "
                f"the newest copy: what has left stays spent, and without it nothing more leaves"
            )


def recorded_counts(ledger: Path) -> RecordedCounts:
    """What a ledger's file holds; entries that cannot be read are left to whoever writes it next.

    Raises:
        LedgerError: if it cannot be read.
    """
    sums, newest = set[str | None](), 0
    for line in read_lines(ledger) if ledger.exists() else ():
        if line.is_head or _COUNTS not in line.data:
            continue
        found = entry_of(line.data)
        if isinstance(found, Entry) and found.release is not None:
            sums.add(found.release.epsilon)
            newest = max(newest, found.time_s)
    return RecordedCounts(len(sums), newest)
