"""Counts leave an agency: allowed by its city's policy, paid for, recorded, and only then written.

FOLDER/privacy.json, FOLDER/noise.key    what is spent (`deepcity.parties.releases.privacy_budget`)
FOLDER/releases.jsonl, FOLDER/claims.pem the record (`deepcity.parties.releases.site_ledger`)

In this order, so that whatever stops it on the way nothing is out that was not paid for and
recorded; what was paid for and did not leave stays paid. A record of uses that holds less than the
ledger is refused, and a clock that is set back behind the newest counts in it revives no grant.

Shapes: K cells.
"""

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from deepcity.city.arrays import Indices, Ints
from deepcity.city.errors import CheckpointError, GrantError
from deepcity.city.printable import printable
from deepcity.maps.city_policy import PolicyFile
from deepcity.parties.releases.privacy_budget import SPENDING, PrivacyBudget
from deepcity.parties.releases.recorded_counts import recorded_counts
from deepcity.parties.releases.site_ledger import CLAIMS_KEY, site_ledger
from deepcity.privacy.accounting.budget import CountsCharge, Limit, check_unit
from deepcity.privacy.counts.release import ReleasedCounts, release
from deepcity.privacy.counts.terms import CountTerms
from deepcity.privacy.policy.release import ReleaseAction, ReleaseMeasures, ReleaseRequest
from deepcity.store.atomic import atomic_file, write_atomic, write_error_text
from deepcity.store.release_ledger.ledger_file import RELEASES
from deepcity.store.release_ledger.release import (
    MOST_GRANTS,
    CountsScope,
    Release,
    ReleaseForm,
    epsilon_text,
)
from deepcity.store.signatures.ed25519 import signing_key

METADATA = "-metadata.json"
"""What the name of the description adds to that of the file (W3C, "CSV on the Web")."""
_MOST_NAME = 200  # signs, in an entry of the ledger
_DELTA = 1e-5  # of layers that left with noise from the same folder
_OTHER_UNIT = (
    "what is spent on either says nothing about the other, so keep these counts in a site folder "
    "of their own (--site) and state both, or count each {spent} (--unit)"
)


@dataclass(frozen=True)
class CountsRelease:
    """Releases counts of one agency.

    Attributes:
        party: the agency with its city's name.
        site: its folder.
        recipients: who receives them; all must be granted.
        clock: gives UTC seconds.
    """

    policy: PolicyFile
    city: str
    agency: str
    site: Path
    recipients: tuple[str, ...]
    service: str
    purpose: str
    terms: CountTerms
    clock: Callable[[], float] = time.time

    @property
    def party(self) -> str:
        """As ledgers and messages name it."""
        return f"{self.city}/{self.agency}"

    @property
    def budget(self) -> PrivacyBudget:
        """Of all that ever left the site's folder with noise."""
        limit = Limit(self.terms.unit, 0.0, _DELTA, next_unit=_OTHER_UNIT)
        return PrivacyBudget(self.party, limit, self.site)

    def check(self) -> tuple[str, ...]:
        """Check that one more release would be allowed now; returns the names of the grants.

        Raises:
            GrantError: with every reason and the next step.
            CheckpointError: if the record of uses holds less than the ledger.
        """
        found = self.budget.spending()
        check_unit(found, self.budget.limit, self.party)
        return self._allowed(found.plus(self._charge(), self.terms.unit).epsilon(_DELTA))

    def release(
        self,
        count_K: Ints,
        out: Path,
        layer: str,
        written: Callable[[Indices, Ints], Iterable[bytes]],
        about: bytes,
    ) -> ReleasedCounts:
        """Pay, draw noise, record and write, in this order.

        Args:
            count_K: true counts of all public cells.
            out: the file; there is none yet.
            layer: what the ledger calls these counts.
            written: the file's bytes, of shown cells and their counts.
            about: the description beside it; nothing in it depends on records.

        Raises:
            GrantError: if the policy denies it, or epsilon is spent; nothing was paid or written.
            LedgerError, CheckpointError: if it cannot be recorded or written; it did not leave.
        """
        if out.exists():
            raise GrantError(f"{out} is there already; counts again cost again: name another file")
        ledger = site_ledger(self.site, self.party, signing_key(self.site / CLAIMS_KEY))
        self.budget.key()  # whose presence shows that the record of uses must be there
        granted: list[tuple[str, ...]] = []
        try:
            with atomic_file(out) as file:
                spent = self.budget.charge_counts(
                    self._charge(), lambda epsilon: granted.append(self._allowed(epsilon))
                )
                found, digest, size = release(count_K, self.terms), sha256(), 0
                for part in written(found.cell_S, found.count_S):
                    file.write(part)
                    digest.update(part)
                    size += len(part)
                write_atomic(out.with_name(out.name + METADATA), about)
                terms = printable(layer)[:_MOST_NAME], size, digest.hexdigest(), spent, granted[0]
                ledger.record([self._entry(one, *terms) for one in self.recipients])
        except OSError as error:
            raise CheckpointError(write_error_text(out, error, 0)) from error
        return found

    def _charge(self) -> CountsCharge:
        return CountsCharge(
            key=secrets.token_hex(32), service=self.service, epsilon=self.terms.epsilon
        )

    def _allowed(self, epsilon: float) -> tuple[str, ...]:
        recorded = recorded_counts(self.site / RELEASES)
        recorded.check(len(self.budget.spending().counts), self.site / SPENDING)
        return self.policy.check(
            ReleaseRequest(
                action=ReleaseAction.RELEASE_COUNTS,
                agency=self.agency,
                recipients=self.recipients,
                service=self.service,
                purpose=self.purpose,
                lowest=0,
                highest=0,
                now=max(int(self.clock()), recorded.newest_s),
                measured=ReleaseMeasures(epsilon=epsilon, least_count=self.terms.k),
            )
        )

    def _entry(
        self,
        receiver: str,
        layer: str,
        size: int,
        digest: str,
        spent: float,
        grants: tuple[str, ...],
    ) -> Release:
        terms = self.terms
        return Release(
            party=self.party,
            receiver=receiver,
            service=self.service,
            training="",
            verb="",
            round=-1,
            layer=layer,
            form=ReleaseForm.COUNTS,
            grant=None,
            policy_grants=grants[:MOST_GRANTS],
            leakage=None,
            epsilon=epsilon_text(spent),
            counts=CountsScope(
                purpose=self.purpose,
                unit=terms.unit,
                per_unit=terms.per_unit,
                k=terms.k,
                epsilon=epsilon_text(terms.epsilon),
            ),
            bytes=size,
            sha256=digest,
        )
