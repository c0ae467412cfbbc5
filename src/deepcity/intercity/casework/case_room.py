"""A city searches: it opens cases, has them approved, asks other cities, and closes them.

FOLDER/CASE/...          the files of each case (`case_file`)
FOLDER/releases.jsonl    the record: opened, approved, searched, looked at, judged, closed
FOLDER/claims.pem        the key that signs the record's heads

Every act is recorded before it is done. Nothing of the person stands in the record.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from deepcity.applications.decision import Decision
from deepcity.applications.tasks.matching.match_application import (
    MatchApplication,
    SearchTerms,
    match_applications,
)
from deepcity.applications.tasks.matching.match_state import HitVerdict, MatchState, Spot
from deepcity.city.errors import CaseError
from deepcity.exchange.exchange import Exchange, Failure, failures
from deepcity.exchange.message import Message
from deepcity.intercity.casework.case import (
    CLOCKS_S,
    MOST_REQUESTS,
    CaseRequest,
    CaseVerb,
    SearchCase,
    SignedCase,
    approve,
    approvers,
    recognised,
    sign_case,
    sign_request,
)
from deepcity.intercity.casework.case_file import CaseFile, OpenCase
from deepcity.intercity.casework.case_messages import (
    SightingRef,
    case_message,
    query_bytes,
)
from deepcity.intercity.casework.kept_hits import answered, merged
from deepcity.intercity.casework.opening import Opening, draft_case
from deepcity.parties.releases.site_ledger import CLAIMS_KEY, site_ledger
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.release import CaseAct, CaseActKind
from deepcity.store.signatures.ed25519 import is_hex, signing_key
from deepcity.store.signatures.keyring import Keyring
from deepcity.store.signatures.trust_list import SignedKind
from deepcity.vision.searching.person_query import PersonQuery

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CaseRoom:
    """The cases of one city.

    Attributes:
        city: that searches.
        cameras: where cameras of all cities are, by ``CITY/CAMERA``.
        keyring: of the city: it signs, and knows who may approve.
        passers_by_h: people past one camera in an hour.
        clock: UTC seconds.
    """

    folder: Path
    city: str
    cameras: Mapping[str, Spot]
    keyring: Keyring
    passers_by_h: float = 100.0
    clock: Callable[[], float] = time.time
    services: Mapping[str, MatchApplication] = field(default_factory=match_applications)

    def open(self, opening: Opening, query: PersonQuery) -> SignedCase:
        """Open a case; it asks nobody before it is approved.

        Raises:
            CaseError: if its service is unknown, it is to be open longer or to look further back
                than the service allows, or cannot be kept.
        """
        terms = self._service(opening.service).terms
        blob = query_bytes(query)
        drafted = draft_case(opening, self.city, terms, int(self.clock()), blob)
        signed = sign_case(drafted, self.keyring)
        case = signed.case
        self._record(case, CaseActKind.OPENED, opening.opened_by)
        file, spot = CaseFile(self.folder / case.id), opening.last_seen
        file.write_private(
            OpenCase(
                query=blob.hex(), last_lat=spot.lat, last_lon=spot.lon, last_s=opening.last_seen_s
            )
        )
        file.write_signed(signed)
        return signed

    def approve(self, case: str, keyring: Keyring, *, warrant: bool = False) -> SignedCase:
        """Approve a case by a person's own key, or sign a warrant by an authority's.

        Raises:
            CaseError: if it cannot be read or written.
        """
        kind = SignedKind.WARRANT if warrant else SignedKind.APPROVAL
        return self.take(case, approve(self.file(case).signed(), keyring, kind))

    def take(self, case: str, given: SignedCase) -> SignedCase:
        """Take the approvals and warrants of a copy that was signed elsewhere.

        Raises:
            CaseError: if it is of another case, or cannot be written.
        """
        file = self.file(case)
        with file.alone():
            own = file.signed()
            if given.case != own.case:
                raise CaseError("changed", f"this file is of another case than {case}")
            both = own.model_copy(
                update={
                    "approvals": (*own.approvals, *given.approvals),
                    "warrants": (*own.warrants, *given.warrants),
                }
            )
            # a copy full of strangers' keys stays readable
            known = recognised(both, self.keyring, beside=own)
            file.write_signed(known)
            if not file.is_closed:
                self._record_approvals(file, known)
        counted = {one.key for one in (*own.approvals, *recognised(known, self.keyring).approvals)}
        if strangers := sorted({one.key for one in given.approvals} - counted):
            raise CaseError(
                "stranger",
                f"approvals by keys that are not trusted here were not taken: "
                f"{', '.join(strangers[:5])}. If they are persons of {self.city}: deepcity keys "
                f"trust {self.city}/PERSON KEY --kind approval",
            )
        return known

    def search(self, case: str, exchange: Exchange, by: str) -> Decision:
        """Ask all cities of a case, keep what they answer, and decide what to look at.

        A city that does not answer, refuses, or answers with something else is named and costs no
        other's answer.

        Raises:
            CaseError: if the case is closed or cannot be kept.
        """
        file = self.file(case)
        signed = file.signed()
        terms = self._service(signed.case.service).terms
        self._check_ready(signed)
        with file.alone():
            self._record_approvals(file, signed)
        kept = self._numbered(file)
        content = bytes.fromhex(kept.query)
        replies = self._ask(exchange, signed, CaseVerb.SEARCH, kept.number, content)
        found, silent = [], []
        for city in signed.case.cities:
            span = signed.case.since_s - CLOCKS_S, int(self.clock()) + CLOCKS_S
            answer = answered(city, replies.get(city), terms.most_hits, span)
            if isinstance(answer, str):
                silent.append(city)
                self._record(signed.case, CaseActKind.UNANSWERED, by, city, why=answer)
                continue
            self._record(signed.case, CaseActKind.SEARCHED, by, city, len(answer))
            found += answer
        with file.alone():
            kept = file.private()  # meanwhile it may have been closed, or a sighting judged
            changed: dict[str, object] = {"hits": merged(kept.hits, found), "silent": tuple(silent)}
            kept = kept.model_copy(update=changed)
            file.write_private(kept)
        return self._decide(signed.case, kept)

    def view(self, case: str, by: str) -> tuple[MatchState, Decision]:
        """What is known of a case, recorded as looked at by a person.

        Raises:
            CaseError: if it is closed or cannot be read.
        """
        file = self.file(case)
        signed, kept = file.signed(), file.private()
        self._record(signed.case, CaseActKind.LOOKED, by, count=len(kept.hits))
        return self._state(signed.case, kept), self._decide(signed.case, kept)

    def record_verdict(
        self,
        case: str,
        exchange: Exchange,
        sighting: tuple[str, str, int],
        verdict: HitVerdict,
        by: str,
    ) -> Decision:
        """Keep what a person says of a sighting, and tell its owner, whose next answer learns.

        Args:
            sighting: city, camera and UTC seconds.

        Raises:
            CaseError: if there is no such sighting, or the case is closed.
        """
        file = self.file(case)
        signed = file.signed()
        city, camera, time_s = sighting
        confirmed = verdict is HitVerdict.CONFIRMED
        with file.alone():
            kept = file.private()
            if sighting not in {one.key for one in kept.hits}:
                raise CaseError(
                    "no-sighting", f"case {case} has no sighting by {city}/{camera} at {time_s}"
                )
            act = CaseActKind.CONFIRMED if confirmed else CaseActKind.REJECTED
            self._record(signed.case, act, by, city, why=f"{camera} {time_s}"[:200])
            hits = tuple(
                one.model_copy(update={"verdict": verdict}) if one.key == sighting else one
                for one in kept.hits
            )
            kept = kept.model_copy(update={"hits": hits, "number": kept.number + 1})
            file.write_private(kept)
        ref = SightingRef(camera=camera, time_s=time_s, confirmed=confirmed)
        # one that is not reached ranks as before
        self._ask(exchange, signed, CaseVerb.VERDICT, kept.number, ref.to_line(), (city,))
        return self._decide(signed.case, kept)

    def close(self, case: str, exchange: Exchange, by: str) -> tuple[Failure, ...]:
        """Delete all that is private of a case, here and at the cities that were asked.

        Returns:
            cities that could not be told; `close` may be called again until there are none.

        Raises:
            CaseError: if it cannot be deleted here.
        """
        file = self.file(case)
        with file.alone():
            try:
                signed = file.signed()
            except CaseError:  # whom it looks for is deleted, whatever became of the rest
                file.delete_private()
                raise
            self._record(signed.case, CaseActKind.CLOSED, by)
            file.delete_private()
        return tuple(failures(self._ask(exchange, signed, CaseVerb.CLOSE, MOST_REQUESTS, b"")))

    def file(self, case: str) -> CaseFile:
        """The files of a case.

        Raises:
            CaseError: if it is no id of a case here.
        """
        if not is_hex(case, 16) or not (self.folder / case).is_dir():
            known = ", ".join(path.parent.name for path in sorted(self.folder.glob("*/case.json")))
            raise CaseError("unknown-case", f"no case {case!r} in {self.folder}: {known or 'none'}")
        return CaseFile(self.folder / case)

    def terms(self, service: str) -> SearchTerms:
        """On which terms a service searches.

        Raises:
            CaseError: if there is no such service.
        """
        return self._service(service).terms

    def cases(self) -> Sequence[SignedCase]:
        """All cases that can be read, newest first; others are named in the log."""
        found = []
        for path in self.folder.glob("*/case.json"):
            try:
                found.append(CaseFile(path.parent).signed())
            except CaseError as error:
                _log.warning("%s", error)
        return sorted(found, key=lambda one: (-one.case.opened_s, one.case.id))

    @property
    def ledger(self) -> ReleaseLedger:
        """The record of all cases."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return site_ledger(self.folder, self.city, signing_key(self.folder / CLAIMS_KEY))

    def _check_ready(self, signed: SignedCase) -> None:
        """See that a case may be searched: owners would refuse it, and record that.

        Raises:
            CaseError: if approvals are missing or it is over.
        """
        case, terms = signed.case, self._service(signed.case.service).terms
        people = approvers(signed, self.keyring)
        if len(people) < terms.approvals:
            names = ", ".join(sorted(people)) or "nobody"
            raise CaseError(
                "approvals",
                f"case {case.id} is approved by {names}, and {case.service} needs "
                f"{terms.approvals} persons of {self.city} other than {case.opened_by}: "
                f"deepcity case approve",
            )
        if terms.warrant and not signed.warrants:
            raise CaseError(
                "warrant",
                f"case {case.id} has no warrant, and {case.service} needs one: deepcity case "
                f"approve --warrant",
            )
        if self.clock() >= case.until_s:
            raise CaseError("over", f"case {case.id} is over. Close it, and open another")

    def _record_approvals(self, file: CaseFile, signed: SignedCase) -> None:
        """Record who approves and was not recorded yet, however the signature came."""
        kept = file.private()
        people = approvers(signed, self.keyring)
        for name in sorted(people - set(kept.approved)):
            self._record(signed.case, CaseActKind.APPROVED, name)
        if people - set(kept.approved):
            everybody = tuple(sorted(people | set(kept.approved)))
            file.write_private(kept.model_copy(update={"approved": everybody}))

    def _numbered(self, file: CaseFile) -> OpenCase:
        """What is private of a case, with a number that is never sent again."""
        with file.alone():
            kept = file.private()
            kept = kept.model_copy(update={"number": kept.number + 1})
            file.write_private(kept)
            return kept

    def _ask(
        self,
        exchange: Exchange,
        signed: SignedCase,
        ask: CaseVerb,
        number: int,
        content: bytes,
        cities: Sequence[str] | None = None,
    ) -> Mapping[str, Message | Failure]:
        """Ask cities, each by a message that no other of them can use; left out, all."""
        asked = signed.case.cities if cities is None else cities
        messages = {city: self._message(signed, city, ask, number, content) for city in asked}
        return exchange.call_group(messages)

    def _message(
        self, signed: SignedCase, city: str, ask: CaseVerb, number: int, content: bytes
    ) -> Message:
        request = CaseRequest(
            case=signed.case.digest(),
            to=city,
            ask=ask,
            number=number,
            at_s=int(self.clock()),
            content=sha256(content).hexdigest(),
        )
        return case_message(signed, sign_request(request, self.keyring), content)

    def _state(self, case: SearchCase, kept: OpenCase) -> MatchState:
        return MatchState(
            now_s=self.clock(),
            last_seen=Spot(kept.last_lat, kept.last_lon),
            last_seen_s=kept.last_s,
            hits=tuple(one.hit() for one in kept.hits),
            cameras=self.cameras,
            asked=case.cities,
            silent=kept.silent,
            passers_by_h=self.passers_by_h,
        )

    def _decide(self, case: SearchCase, kept: OpenCase) -> Decision:
        return self._service(case.service).decide(self._state(case, kept))

    def _service(self, name: str) -> MatchApplication:
        if name not in self.services:
            known = ", ".join(self.services)
            raise CaseError("service", f"no service {name!r} looks for people; there are: {known}")
        return self.services[name]

    def _record(
        self,
        case: SearchCase,
        act: CaseActKind,
        who: str,
        city: str = "",
        count: int = 0,
        why: str = "",
    ) -> None:
        self.ledger.record(
            [
                CaseAct(
                    holder=self.city,
                    case=case.id,
                    digest=case.digest(),
                    act=act,
                    who=who[:200],
                    city=city,
                    count=count,
                    why=why,
                )
            ]
        )
