"""A case: whom a city may ask for whom, what for and until when, signed by those who approve it.

What is approved is exact: the query's SHA-256 stands in the case, so that nobody can be looked for
under another's approval, and the cities that are asked stand in it too.

Names in a trust list say who is who: a city's key has the city's name, a person's ``CITY/PERSON``.
"""

import secrets
import unicodedata
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from deepcity.applications.tasks.matching.match_application import SearchTerms
from deepcity.city.errors import CaseError
from deepcity.store.release_ledger.release import Digest, Name, Seconds, Signature, Strict
from deepcity.store.signatures.keyring import Keyring, SignatureEntry, SignatureError
from deepcity.store.signatures.trust_list import SignedKind, TrustedKey

CLOCKS_S = 300
"""By how much the clocks of two cities may differ."""
OWN = "this installation"
"""What a keyring calls its own key."""
_MOST_APPROVALS, _MOST_WARRANTS = 20, 5
MOST_REQUESTS = 10**9
"""Of one case; its closing has this number, so that nothing can come after it."""
CaseId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
CityName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/]+$")]
PersonName = Annotated[
    str, Field(min_length=3, max_length=200, pattern=r"^[^\x00-\x1f\x7f/]+/[^\x00-\x1f\x7f/]+$")
]


def _each_once(cities: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({one for one in cities if cities.count(one) > 1})
    unseen = [one for one in cities if one != one.strip() or not one.isprintable()]
    if twice or unseen:
        raise ValueError(f"name each city once, as it is written: {(twice or unseen)[0]!r}")
    return cities


class SearchCase(Strict):
    """What is approved.

    Attributes:
        city: that searches.
        service: of the task *match*, whose terms hold.
        purpose: as grants of sightings have it.
        cities: that are asked.
        opened_by: a person of the city, ``CITY/PERSON``.
        opened_s, until_s: UTC seconds; from `until_s` on it is over.
        since_s: the earliest tracks that are searched, UTC seconds.
        query: SHA-256 of who is looked for (`query_bytes`).
    """

    id: CaseId
    city: CityName
    service: Name
    purpose: Name
    cities: Annotated[
        tuple[CityName, ...], Field(min_length=1, max_length=1000), AfterValidator(_each_once)
    ]
    opened_by: PersonName
    opened_s: Seconds
    until_s: Seconds
    since_s: Seconds
    query: Digest

    def digest(self) -> str:
        """SHA-256 of its one text: what signatures are of."""
        return sha256(self.to_line()).hexdigest()


class CaseSignature(Strict):
    """A public key (64 hex digits) and its signature (128)."""

    key: Digest
    value: Signature

    @classmethod
    def of(cls, entry: SignatureEntry) -> "CaseSignature":
        """As a keyring makes it."""
        return cls(key=entry["key"], value=entry["value"])


class SignedCase(Strict):
    """A case and who answers for it.

    Attributes:
        signature: of the city.
        approvals: of persons of the city.
        warrants: of authorities outside of it.
    """

    case: SearchCase
    signature: CaseSignature
    approvals: Annotated[tuple[CaseSignature, ...], Field(max_length=_MOST_APPROVALS)] = ()
    warrants: Annotated[tuple[CaseSignature, ...], Field(max_length=_MOST_WARRANTS)] = ()


class CaseVerb(StrEnum):
    """What a city asks in a case."""

    SEARCH = "search"
    VERDICT = "verdict"  # a person has judged a sighting
    CLOSE = "close"


class CaseRequest(Strict):
    """One thing asked in a case, so that it cannot be asked again by another.

    Attributes:
        case: digest of the case.
        to: the city that is asked; another that it is sent on to refuses it.
        number: grows with each request of the case.
        at_s: when it was sent, UTC seconds.
        content: SHA-256 of what is sent with it.
    """

    case: Digest
    to: CityName
    ask: Annotated[CaseVerb, Field(strict=False)]
    number: Annotated[int, Field(ge=1, le=MOST_REQUESTS)]
    at_s: Seconds
    content: Digest


class SignedRequest(Strict):
    """A request, signed by its city."""

    request: CaseRequest
    signature: CaseSignature


def new_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_hex(8)


def sign_case(case: SearchCase, keyring: Keyring) -> SignedCase:
    """A case, signed by its city.

    Raises:
        KeyringError: if the key cannot be read or made.
    """
    entry = keyring.signed(SignedKind.CASE, {}, _header(case.digest()))["signature"]
    return SignedCase(case=case, signature=CaseSignature.of(entry))


def approve(signed: SignedCase, keyring: Keyring, kind: SignedKind) -> SignedCase:
    """A case with one more approval or warrant, by the key of a person or an authority.

    Raises:
        CaseError: if there are as many as it holds.
        KeyringError: if the key cannot be read or made.
    """
    entry = keyring.signed(kind, {}, _header(signed.case.digest()))["signature"]
    approval = kind is SignedKind.APPROVAL
    field, most = ("approvals", _MOST_APPROVALS) if approval else ("warrants", _MOST_WARRANTS)
    one = CaseSignature.of(entry)
    before: tuple[CaseSignature, ...] = getattr(signed, field)
    if one not in before and len(before) >= most:
        raise CaseError(
            "full", f"this copy of case {signed.case.id} has {most} {field}; take a fresh one"
        )
    return signed if one in before else signed.model_copy(update={field: (*before, one)})


def sign_request(request: CaseRequest, keyring: Keyring) -> SignedRequest:
    """A request, signed by its city.

    Raises:
        KeyringError: if the key cannot be read or made.
    """
    entry = keyring.signed(SignedKind.CASE, {}, {"request": request.model_dump(mode="json")})
    return SignedRequest(request=request, signature=CaseSignature.of(entry["signature"]))


def check_case(
    signed: SignedCase, keyring: Keyring, terms: SearchTerms, own: str, now_s: float
) -> None:
    """See that a case is signed, approved, within its terms and not over.

    Args:
        own: the city that checks.

    Raises:
        CaseError: with what is not so.
        KeyringError: if the trust list cannot be read.
    """
    case = signed.case
    _check_times(case, terms, now_s)
    if own not in case.cities:
        raise CaseError("not-asked", f"case {case.id} asks {', '.join(case.cities)}, not {own}")
    _check_city(case, signed.signature, _header(case.digest()), keyring, own)
    people = approvers(signed, keyring)
    if len(people) < terms.approvals:
        names = ", ".join(sorted(people)) or "nobody"
        raise CaseError(
            "approvals",
            f"case {case.id} is approved by {names} that {own} knows as persons of {case.city} "
            f"other than {case.opened_by}, and {case.service} needs {terms.approvals}. Have it "
            f"approved (`deepcity case approve`), or trust their keys here under names like "
            f"{case.city}/PERSON",
        )
    if terms.warrant and not _warranted(signed, keyring):
        raise CaseError(
            "warrant",
            f"case {case.id} has no warrant that {own} believes, and {case.service} needs one. "
            f"Have the authority sign it (`deepcity case approve --warrant`)",
        )


def check_request(signed: SignedRequest, case: SearchCase, keyring: Keyring, own: str) -> None:
    """See that a request is its city's, and meant for this one.

    Raises:
        CaseError: if it is not.
        KeyringError: if the trust list cannot be read.
    """
    asked = signed.request
    if asked.to != own:
        raise CaseError("not-asked", f"this request asks {asked.to}, not {own}")
    if (asked.ask is CaseVerb.CLOSE) != (asked.number == MOST_REQUESTS):
        raise CaseError(
            "no-request", f"number {asked.number} is not that of a request to {asked.ask}"
        )
    header = {"request": signed.request.model_dump(mode="json")}
    _check_city(case, signed.signature, header, keyring, own)


def approvers(signed: SignedCase, keyring: Keyring) -> set[str]:
    """Persons of the searching city, known here, who approved a case; who opened it is none.

    All names under which a key is trusted count: somebody with two of them is one person, and none
    if one of these opened the case.
    """
    found: set[str] = set()
    opener = _folded(signed.case.opened_by)
    for one in signed.approvals:
        name = _signer(SignedKind.APPROVAL, one, _header(signed.case.digest()), keyring)
        names = {_folded(known) for known in _names(one, keyring)}
        if name.split("/", 1)[0] != signed.case.city or "/" not in name or opener in names:
            continue
        if not names & {_folded(known) for known in found}:
            found.add(name)
    return found


def recognised(
    signed: SignedCase, keyring: Keyring, beside: SignedCase | None = None
) -> SignedCase:
    """A case with those approvals and warrants alone whose keys are trusted here.

    Args:
        beside: a case whose signatures stay, too, as far as there is room: their keys may be
            trusted later.
    """
    header = _header(signed.case.digest())

    def some(field: str, kind: SignedKind, most: int) -> tuple[CaseSignature, ...]:
        given: tuple[CaseSignature, ...] = getattr(signed, field)
        more: tuple[CaseSignature, ...] = getattr(beside, field, ())
        trusted = [one for one in given if _signer(kind, one, header, keyring)]
        return tuple(dict.fromkeys((*trusted, *more)))[:most]

    return signed.model_copy(
        update={
            "approvals": some("approvals", SignedKind.APPROVAL, _MOST_APPROVALS),
            "warrants": some("warrants", SignedKind.WARRANT, _MOST_WARRANTS),
        }
    )


def _warranted(signed: SignedCase, keyring: Keyring) -> bool:
    """Whether a key that is trusted for warrants in so many words, and is no part of the searching
    city, signed it.
    """
    header = _header(signed.case.digest())
    return any(
        _signer(SignedKind.WARRANT, one, header, keyring) not in ("", OWN)
        and any(SignedKind.WARRANT in entry.kinds for entry in _entries(one, keyring))
        and all(name.split("/", 1)[0] != signed.case.city for name in _names(one, keyring))
        for one in signed.warrants
    )


def _entries(one: CaseSignature, keyring: Keyring) -> list[TrustedKey]:
    return keyring.trust_list().entries(one.key)


def _names(one: CaseSignature, keyring: Keyring) -> set[str]:
    return {entry.name for entry in _entries(one, keyring)}


def _folded(name: str) -> str:
    """A name without what eyes do not tell apart in it."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _check_times(case: SearchCase, terms: SearchTerms, now_s: float) -> None:
    if now_s >= case.until_s:
        raise CaseError("over", f"case {case.id} is over since {case.until_s}. Open another")
    if case.opened_s > now_s + CLOCKS_S:
        raise CaseError(
            "not-begun", f"case {case.id} begins at {case.opened_s}; compare the clocks"
        )
    if case.until_s - case.opened_s > terms.most_hours * 3600:
        raise CaseError(
            "too-long",
            f"case {case.id} is to be open for {(case.until_s - case.opened_s) / 3600:.1f} hours, "
            f"and {case.service} allows {terms.most_hours}. Open it for less",
        )
    if case.since_s < case.opened_s - terms.back_hours * 3600:
        raise CaseError(
            "too-far-back",
            f"case {case.id} looks {(case.opened_s - case.since_s) / 3600:.1f} hours back, and "
            f"{case.service} allows {terms.back_hours}. Open it for less",
        )


def _check_city(
    case: SearchCase, one: CaseSignature, header: dict[str, Any], keyring: Keyring, own: str
) -> None:
    """See that the searching city signed; its own key is not in its trust list."""
    name = _signer(SignedKind.CASE, one, header, keyring)
    if (own if name == OWN else name) != case.city:
        signer = f"the key of {name}" if name else f"key {one.key[:16]}, which {own} does not trust"
        raise CaseError(
            "city-key",
            f"case {case.id} of {case.city} is signed with {signer}. If it is theirs: "
            f"deepcity keys trust {case.city!r} {one.key}",
        )


def _signer(kind: SignedKind, one: CaseSignature, header: dict[str, Any], keyring: Keyring) -> str:
    """Whose signature it is; empty where it counts for nothing."""
    entry: SignatureEntry = {"key": one.key, "value": one.value}
    try:
        return keyring.check(kind, {}, {**header, "signature": entry})
    except SignatureError:
        return ""


def _header(digest: str) -> dict[str, Any]:
    return {"case": digest}
