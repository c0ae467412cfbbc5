"""What a person reports, and the case that is drafted of it for others to approve."""

from dataclasses import dataclass
from hashlib import sha256

from pydantic import ValidationError

from deepcity.applications.tasks.matching.match_application import SearchTerms
from deepcity.applications.tasks.matching.match_state import Spot
from deepcity.city.errors import CaseError
from deepcity.intercity.casework.case import SearchCase, new_id

_LEAST_HOURS = 0.1


@dataclass(frozen=True)
class Opening:
    """What a person reports when a case is opened.

    Attributes:
        service: of the task *match*.
        purpose: as grants of sightings have it.
        cities: to ask; the own one too, where its cameras are searched.
        opened_by: ``CITY/PERSON``.
        last_seen, last_seen_s: where and when the person was seen last, UTC seconds.
        hours: until it is over; None: as long as the service allows.
        back_hours: how far before `last_seen_s` tracks are searched.
    """

    service: str
    purpose: str
    cities: tuple[str, ...]
    opened_by: str
    last_seen: Spot
    last_seen_s: int
    hours: float | None = None
    back_hours: float = 0.0


def draft_case(
    opening: Opening, city: str, terms: SearchTerms, now_s: int, query: bytes
) -> SearchCase:
    """The case of a report.

    Args:
        query: who is looked for (`query_bytes`).

    Raises:
        CaseError: with everything that is wrong with it.
    """
    hours = terms.most_hours if opening.hours is None else opening.hours
    if not (0 <= opening.back_hours <= 24 * 365 and _LEAST_HOURS <= hours <= 24 * 365):  # NaN too
        raise CaseError(
            "no-case",
            f"open for {hours:g} hours, and {opening.back_hours:g} hours back: give hours of "
            f"{_LEAST_HOURS:g} and more, and hours back of 0 and more",
        )
    since_s = int(opening.last_seen_s - 3600 * opening.back_hours)
    if wrong := _wrong(opening, city, terms, hours, (now_s - since_s) / 3600):
        raise CaseError("no-case", "; ".join(wrong))
    try:
        return SearchCase(
            id=new_id(),
            city=city,
            service=opening.service,
            purpose=opening.purpose,
            cities=opening.cities,
            opened_by=opening.opened_by,
            opened_s=now_s,
            until_s=now_s + int(3600 * hours),
            since_s=since_s,
            query=sha256(query).hexdigest(),
        )
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)
        raise CaseError("no-case", f"this is no case: {faults}") from None


def _wrong(
    opening: Opening, city: str, terms: SearchTerms, hours: float, back_hours: float
) -> list[str]:
    found = []
    if not 0 < hours <= terms.most_hours:
        found.append(
            f"{hours:g} hours: {opening.service} allows up to {terms.most_hours}; give fewer"
        )
    if back_hours > terms.back_hours:
        found.append(
            f"tracks of {back_hours:.1f} hours before now: {opening.service} allows "
            f"{terms.back_hours}; give a later time"
        )
    if back_hours < 0:
        found.append(f"seen last {-back_hours:.1f} hours from now; compare the clock and the date")
    if opening.opened_by.split("/", 1)[0] != city:
        found.append(
            f"opened_by {opening.opened_by!r}: a person of {city} opens its cases; write "
            f"{city}/PERSON"
        )
    return found
