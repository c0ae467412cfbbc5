"""An owner of cameras answers searches of other cities: it matches at home, and camera, time and
score are all that leaves.

In this order, so that whatever stops it nothing is out that was not allowed, counted and recorded:
the message is read within bounds, the case's signatures and terms are checked, the city's policy is
asked, the search is counted on the disk, tracks are compared, the release is recorded, and then the
answer leaves.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from math import log10
from threading import Lock

from deepcity.applications.tasks.matching.match_application import (
    MatchApplication,
    match_applications,
)
from deepcity.city.errors import CaseError, DeepCityError, GrantError
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import Message
from deepcity.exchange.trust.recorded_releases import tensors_bytes, tensors_digest
from deepcity.intercity.casework.asked_cases import MOST_VERDICTS, AskedCase, CaseBook
from deepcity.intercity.casework.case import (
    CLOCKS_S,
    CaseVerb,
    SearchCase,
    SignedCase,
    SignedRequest,
    check_case,
    check_request,
)
from deepcity.intercity.casework.case_messages import (
    SIGHTINGS,
    VERBS,
    query_of,
    read_message,
    sightings_message,
    verdict_of,
)
from deepcity.intercity.casework.refined_query import refined
from deepcity.maps.city_policy import PolicyFile
from deepcity.privacy.policy.release import ReleaseAction, ReleaseMeasures, ReleaseRequest
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.release import (
    MOST_GRANTS,
    CaseAct,
    CaseActKind,
    Deletion,
    DeletionRule,
    Release,
    ReleaseForm,
)
from deepcity.store.signatures.keyring import Keyring
from deepcity.vision.searching.person_query import SearchSpan
from deepcity.vision.searching.sighting import Sighting, TrackSearch

_log = logging.getLogger(__name__)
_NEVER_S = 10**9
_UNSIGNED = frozenset({"no-request", "service", "not-asked", "city-key"})
"""Refusals before it is known who asks: nothing in them is held against a city."""
_STRANGERS = 100
_NOTICED = 1000
"""Kinds of refusals that are counted; further ones count together."""


@dataclass
class CameraOwner:
    """One agency's answers to searches.

    Attributes:
        city, agency: whose cameras they are.
        search: finds tracks at home.
        keyring: whose keys are believed.
        policy: the city's; it must grant sightings for the service and purpose of a case.
        ledger: of the agency.
        book: what was asked so far.
        clock: UTC seconds.
    """

    city: str
    agency: str
    search: TrackSearch
    keyring: Keyring
    policy: PolicyFile
    ledger: ReleaseLedger
    book: CaseBook
    clock: Callable[[], float] = time.time
    services: Mapping[str, MatchApplication] = field(default_factory=match_applications)
    _refused: Counter[tuple[str, str, str]] = field(default_factory=Counter, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message of a case. Who carries it does not matter: its city signed it.

        Raises:
            CaseError: if it is refused, with the reason; the refusal is recorded.
            GrantError: if the policy denies it.
            LedgerError: if the answer cannot be recorded; it does not leave then.
        """
        with self._lock:
            try:
                signed, request, content = read_message(message)
            except CaseError as error:
                self._refuse(error, caller, None)
                raise
            try:
                return self._answer(signed, request, content)
            except (CaseError, GrantError) as error:
                known = getattr(error, "code", "") not in _UNSIGNED
                self._refuse(error, signed.case.city if known else caller, signed.case)
                raise

    def forget_over(self) -> None:
        """Forget what is kept of cases that are over; to be called now and then.

        Raises:
            CaseError: if it cannot be written.
        """
        with self._lock:
            self.book.forget_over(int(self.clock()))

    def _answer(self, signed: SignedCase, request: SignedRequest, content: bytes) -> Message:
        case, now_s = signed.case, self.clock()
        service = self.services.get(case.service)
        if service is None:
            known = ", ".join(self.services)
            raise CaseError("service", f"no service {case.service!r} looks for people: {known}")
        check_request(request, case, self.keyring, self.city)
        asked = request.request
        if asked.ask is CaseVerb.CLOSE:  # whoever may ask no more may still have all deleted
            return self._close(case, asked.number)
        check_case(signed, self.keyring, service.terms, self.city, now_s)
        if abs(asked.at_s - now_s) > CLOCKS_S:
            raise CaseError(
                "late",
                f"request {asked.number} of case {case.id} was sent at {asked.at_s}, and it is "
                f"{now_s:.0f} here. Send it anew, and compare the clocks",
            )
        grants = self.policy.check(self._request(case, now_s))
        if asked.ask is CaseVerb.VERDICT:
            return self._keep_verdict(case, asked.number, content)
        return self._search(case, asked.number, content, service, grants)

    def _search(
        self,
        case: SearchCase,
        number: int,
        content: bytes,
        service: MatchApplication,
        grants: tuple[str, ...],
    ) -> Message:
        if sha256(content).hexdigest() != case.query:
            raise CaseError("other-query", f"case {case.id} was approved for another query")
        query, terms = query_of(content), service.terms
        known = self.book.admit(case, number, int(self.clock()), terms)
        span = SearchSpan(case.since_s, min(case.until_s, self.clock() + CLOCKS_S))
        better = refined(query, self.search, known.verdicts, terms.least_score)
        try:
            found = self.search.nearest(better, span, terms.most_hits + len(known.verdicts))
        except ValueError as error:
            raise CaseError("other-network", str(error)) from error
        rejected = {(one.camera, one.time_s) for one in known.verdicts if not one.confirmed}
        kept = [
            one
            for one in found
            if one.score >= terms.least_score and (one.camera, int(one.time_s)) not in rejected
        ]
        given = kept[: terms.most_hits]
        self.book.answered(
            case, [(one.camera, int(one.time_s)) for one in given], int(self.clock())
        )
        return self._recorded(case, grants, given)

    def _recorded(
        self, case: SearchCase, grants: tuple[str, ...], found: list[Sighting]
    ) -> Message:
        """The answer, recorded before it leaves."""
        answer = sightings_message(found)
        tensors = answer.layers.get(SIGHTINGS, {})
        self.ledger.record(
            [
                Release(
                    party=f"{self.city}/{self.agency}",
                    receiver=case.city,
                    service=case.service,
                    training="",
                    verb=answer.verb,
                    round=-1,
                    layer=f"case {case.id}",
                    form=ReleaseForm.SIGHTINGS,
                    grant=None,
                    leakage=None,
                    bytes=tensors_bytes(tensors),
                    sha256=tensors_digest(tensors),
                    policy_grants=grants[:MOST_GRANTS],
                )
            ]
        )
        return answer

    def _keep_verdict(self, case: SearchCase, number: int, content: bytes) -> Message:
        """Remember what a person said of a sighting, for this search alone."""
        verdict = verdict_of(content)
        known = self.book.follow(case, number)
        if (verdict.camera, verdict.time_s) not in known.answered:
            raise CaseError(
                "no-sighting",
                f"no sighting by {verdict.camera} at {verdict.time_s} was given in case {case.id}",
            )
        others = [
            one
            for one in known.verdicts
            if (one.camera, one.time_s) != (verdict.camera, verdict.time_s)
        ]
        verdicts = (*others[1 - MOST_VERDICTS :], verdict)
        changed: dict[str, object] = {"number": number, "verdicts": verdicts}
        self.book.keep(case, known.model_copy(update=changed), int(self.clock()))
        return Message(VERBS[CaseVerb.VERDICT])

    def _close(self, case: SearchCase, number: int) -> Message:
        """Record that all that was kept for a case is forgotten, and forget it; again there is
        nothing to forget. It is remembered that it was closed, so that a late search is refused.
        """
        now_s = int(self.clock())
        if not self.book.is_known(case):
            self.book.close_unknown(case, now_s)
        if not self.book.is_open(case):
            return Message(VERBS[CaseVerb.CLOSE])
        known = self.book.follow(case, number)
        self.ledger.record([self._deletion(case, known, now_s)])
        changed: dict[str, object] = {"number": number, "closed": True}
        nothing: dict[str, object] = {"verdicts": (), "asked_s": (), "answered": ()}
        self.book.keep(case, known.model_copy(update={**changed, **nothing}), now_s)
        return Message(VERBS[CaseVerb.CLOSE])

    def _deletion(self, case: SearchCase, known: AskedCase, now_s: int) -> Deletion:
        return Deletion(
            holder=f"{self.city}/{self.agency}",
            data=f"case {case.id}",
            rule=DeletionRule.CASE_CLOSED,
            days=0,
            before_s=now_s,
            rows=1 + len(known.verdicts),
            first_s=known.first_s,
            last_s=now_s,
        )

    def _request(self, case: SearchCase, now_s: float) -> ReleaseRequest:
        asked_s = self.book.of(case, int(now_s)).asked_s
        since_s = int(now_s) - asked_s[-1] if asked_s else _NEVER_S
        return ReleaseRequest(
            action=ReleaseAction.RELEASE_SIGHTINGS,
            agency=self.agency,
            recipients=(case.city,),
            service=case.service,
            purpose=case.purpose,
            lowest=0,
            highest=0,
            now=int(now_s),
            measured=ReleaseMeasures(cadence_s=since_s),
        )

    def _refuse(self, error: DeepCityError, who: str, case: SearchCase | None) -> None:
        """Record a refusal; of many alike the 1st, 10th, 100th and so on."""
        code = error.code if isinstance(error, CaseError) else "policy"
        signed = case is not None and code not in _UNSIGNED
        kind = (who, case.id if case and signed else "", code)
        strangers = sum(1 for _, _, one in self._refused if one in _UNSIGNED)
        full = len(self._refused) >= _NOTICED if signed else strangers >= _STRANGERS
        if kind not in self._refused and full:
            kind = ("", "", code)  # whoever has no key crowds out nobody who has one
        self._refused[kind] += 1
        count = self._refused[kind]
        if not log10(count).is_integer():
            return
        _log.warning("%s refused %s (%s, %d times): %s", self.city, who, code, count, error)
        self.ledger.record(
            [
                CaseAct(
                    holder=f"{self.city}/{self.agency}",
                    case=kind[1],
                    digest=case.digest() if case and kind[1] else "",
                    act=CaseActKind.REFUSED,
                    who=kind[0][:200] or COORDINATOR,
                    city=self.city,
                    count=count,
                    why=code,
                )
            ]
        )
