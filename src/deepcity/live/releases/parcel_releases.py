"""What an agency's process asks its city's policy, and records, before deep data leave.

Asked before activations are put into its outbox and again before each parcel leaves, so that a
revocation holds for what waits. One entry in the agency's ledger for each parcel, with the SHA-256
of the body that the application receives; a parcel that is sent again because nothing confirmed it
is recorded once by each process that sends it.
"""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.audit.audit_file import NAME as AUDITS
from deepcity.city.errors import GrantError
from deepcity.data.city_file import CityFile
from deepcity.learning.networks.encoder import BOTTLENECK
from deepcity.learning.split.encoder_package import EncoderPackage
from deepcity.parties.releases.deep_leakage import DeepLeakage, deep_leakage
from deepcity.parties.releases.deep_release import DeepRelease, deep_release
from deepcity.parties.releases.site_ledger import CLAIMS_KEY, measured_leakage, site_ledger
from deepcity.store.outbox import Parcel
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.release import (
    MOST_GRANTS,
    GrantScope,
    Leakage,
    Release,
    ReleaseForm,
)
from deepcity.store.signatures.ed25519 import signing_key

_LONGEST_RECEIVER = 200


@dataclass
class ParcelReleases:
    """What an agency's process asks and records before it sends.

    Attributes:
        receiver: address of the application.
        release: its city's policy; None: it names none.
        leakage: what an audit measured of this encoder's deep data.
        audits: the folder of that audit.
    """

    package: EncoderPackage
    receiver: str
    ledger: ReleaseLedger = field(repr=False)
    release: DeepRelease | None = None
    leakage: Leakage | None = None
    audits: Path | None = None
    _recorded: int = -1

    def check(self) -> tuple[str, ...] | None:
        """Check that activations may leave now; returns the names of the grants, if it has any.

        Raises:
            GrantError: with every reason and the next step.
        """
        if self.release is not None:
            return self.release.check(self.package.facts.grid.step_s)
        self._check_leakage(self.package.version)
        return None

    def before(self, parcel: Parcel) -> None:
        """Ask and record, before a parcel leaves.

        Raises:
            GrantError: if the policy does not let it leave.
            LedgerError: if it cannot be recorded.
        """
        level = _level(parcel.topic)
        grants = None
        if self.release is not None:  # a parcel may be of an encoder before this one
            grants = self.release.at(level).check(self.package.facts.grid.step_s)
        else:
            self._check_leakage(parcel.topic.rpartition("@")[2])
        if parcel.number != self._recorded:
            self.ledger.record([self._entry(parcel, level, grants)])
            self._recorded = parcel.number

    def _check_leakage(self, version: str) -> None:
        """The default where no policy decides: no more than the forecast leaks, and a little."""
        facts = self.package.facts
        if not facts.any_leakage:
            found = DeepLeakage()
            if self.audits is not None:
                party = f"{facts.city}/{facts.agency}"
                found = deep_leakage(self.audits, party, facts.service, version)
            found.check(facts.agency, facts.service)

    def _entry(self, parcel: Parcel, level: int, grants: tuple[str, ...] | None) -> Release:
        facts, own = self.package.facts, parcel.topic == str(self.package.space)
        return Release(
            party=f"{facts.city}/{facts.agency}",
            receiver=self.receiver[:_LONGEST_RECEIVER],
            service=facts.service,
            training="",
            verb="",
            round=-1,
            layer=f"h{level}",
            form=ReleaseForm.DEEP_DATA,
            grant=GrantScope(level=level, stem="private"),
            policy_grants=None if grants is None else grants[:MOST_GRANTS],
            leakage=self.leakage if own else None,
            bytes=len(parcel.body),
            sha256=hashlib.sha256(parcel.body).hexdigest(),
        )


def parcel_releases(
    package: EncoderPackage, file: Path, city: CityFile, folder: Path, receiver: str
) -> ParcelReleases:
    """What an agency's process asks and records.

    Args:
        file: of the encoder's package; its audit is in the site's folder from which it is, or in
            `folder`.
        folder: where the process keeps its outbox; ledger and key lie there, too.

    Raises:
        CheckpointError: if the key cannot be read, or a new one not written.
    """
    facts, site = package.facts, file.absolute().parents[2:3]
    audits = next((one for one in site if (one / AUDITS).is_file()), folder)
    name = f"{facts.city}/{facts.agency}"
    release = deep_release(
        city, facts.agency, facts.service, facts.purpose, package.encoder.shape.level
    )
    if release is not None:
        release = release.measured_in(audits, package.version)
    leakage = measured_leakage(audits, name, facts.service, deep=True).get(BOTTLENECK)
    if leakage is not None and not package.version.startswith(leakage.audit):
        leakage = None  # of another encoder
    ledger = site_ledger(folder, name, signing_key(folder / CLAIMS_KEY))
    return ParcelReleases(package, receiver, ledger, release, leakage, audits)


def _level(topic: str) -> int:
    """The cut level of a space of deep data.

    Raises:
        GrantError: if it names none.
    """
    found = re.search(r"/h([1-5])@[^/@]+$", topic)
    if found is None:
        raise GrantError(f"{topic!r} is no space of deep data; nothing of it leaves")
    return int(found[1])
