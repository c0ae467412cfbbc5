"""Routes of searches for a person. Who looks at one is recorded, whatever role they have."""

from collections.abc import Callable
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request

from deepcity.applications.tasks.matching.match_state import HitVerdict
from deepcity.city.errors import CaseError, LedgerError
from deepcity.intercity.casework.case import SignedCase
from deepcity.store.release_ledger.sheets import parse_sheet
from deepcity.web.api.refusals import Refusal
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.cases.answer import cases_json, closed_json, looked_at_json
from deepcity.web.control.cases.bodies import (
    ApprovalAsked,
    CaseSearchAsked,
    ClosingAsked,
    HitVerdictAsked,
    SearchCaseAsked,
    SignedCopyAsked,
)
from deepcity.web.control.cases.case_desk import CaseDesk
from deepcity.web.control.cases.case_refusals import refusing

Asking = Callable[[Request], User]


def case_routes(desk: CaseDesk | None, zone: ZoneInfo, asking: Asking) -> APIRouter:
    """Routes of searches.

    Args:
        desk: None: this city searches for nobody.
        zone: of the city's clock.
        asking: gives the person who asks, or refuses.
    """
    routes = APIRouter(prefix="/api/cases")
    who = Annotated[User, Depends(asking)]

    @routes.get("")
    def all_cases(user: who) -> dict[str, Any]:
        """All cases, newest first, without whom they look for; and what one is opened with."""
        found = _there(desk)
        with refusing(""):
            return cases_json(found, found.person(user.name))

    @routes.post("", status_code=201)
    def open_case(asked: SearchCaseAsked, user: who) -> dict[str, Any]:
        """Open a case; nobody is asked before others have approved it."""
        found = _there(desk)
        with refusing(""):
            opening = asked.opening(found.person(user.name), zone)
            signed = found.room.open(opening, asked.query())
            return _look(found, signed.case.id, user, zone)

    @routes.get("/{case}")
    def one_case(case: str, user: who) -> dict[str, Any]:
        """A case: sightings, path, cameras to watch, cities to ask. The look is recorded."""
        found = _there(desk)
        with refusing(case):
            return _look(found, case, user, zone)

    @routes.post("/{case}/approvals", status_code=201)
    def approve(case: str, asked: ApprovalAsked, user: who) -> dict[str, Any]:
        """Approve a case that one has read; who opened it cannot."""
        found = _there(desk)
        with refusing(case):
            found.approve(case, user.name, asked.digest)
            return _look(found, case, user, zone)

    @routes.post("/{case}/signatures", status_code=201)
    def take(case: str, asked: SignedCopyAsked, user: who) -> dict[str, Any]:
        """Take approvals and warrants of a copy that was signed elsewhere."""
        found = _there(desk)
        with refusing(case):
            found.take(case, _copy(asked.file))
            return _look(found, case, user, zone)

    @routes.post("/{case}/searches", status_code=201)
    def search(case: str, asked: CaseSearchAsked, user: who) -> dict[str, Any]:
        """Ask all cities of a case, and look at it."""
        found = _there(desk)
        with refusing(case):
            found.search(case, user.name, watching=asked.watching)
            return _look(found, case, user, zone)

    @routes.post("/{case}/verdicts", status_code=201)
    def verdict(case: str, asked: HitVerdictAsked, user: who) -> dict[str, Any]:
        """Say that a sighting is the person, or somebody else; the search learns from it."""
        found = _there(desk)
        sighting = (asked.city, asked.camera, asked.time_s)
        with refusing(case):
            found.keep_verdict(case, user.name, sighting, HitVerdict(asked.verdict))
            return _look(found, case, user, zone)

    @routes.post("/{case}/closings", status_code=201)
    def close(case: str, asked: ClosingAsked, user: who) -> dict[str, Any]:
        """Delete who is looked for, here and at all cities; `unreached`: those not reached."""
        found = _there(desk)
        with refusing(case):
            unreached = [one.party for one in found.close(case, user.name)]
            return {**_look(found, case, user, zone), "unreached": unreached}

    return routes


def _there(desk: CaseDesk | None) -> CaseDesk:
    if desk is None:
        right = "see docs/how-to/search-for-a-person.md for what it needs"
        raise Refusal(404, "searches", "this city searches for nobody here", right)
    return desk


def _look(desk: CaseDesk, case: str, user: User, zone: ZoneInfo) -> dict[str, Any]:
    """A case as a person sees it now; of one that is closed nothing private is left to look at."""
    file = desk.room.file(case)
    if file.is_closed:
        return closed_json(desk, file.signed())
    state, decision = desk.room.view(case, desk.person(user.name))
    return looked_at_json(desk, file.signed(), state, decision, zone)


def _copy(text: str) -> SignedCase:
    try:
        return parse_sheet(text.encode(), SignedCase, "this file")
    except LedgerError as error:
        raise CaseError("no-case", str(error)) from error
