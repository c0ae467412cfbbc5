"""A city's cases as the people of its control room work on them, each under their own name and key.

The server keeps one key an account, made at the first approval: an approval tells which account it
was, and whoever administers the server could make one. Who wants more than that signs at home
(`deepcity case approve`), and the signed copy is taken.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from math import ceil, inf
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from deepcity.applications.tasks.matching.match_application import SearchTerms
from deepcity.applications.tasks.matching.match_state import HitVerdict
from deepcity.city.errors import CaseError
from deepcity.exchange.exchange import Exchange, Failure
from deepcity.intercity.casework.case import SignedCase
from deepcity.intercity.casework.case_room import CaseRoom
from deepcity.store.signatures.ed25519 import public_hex
from deepcity.store.signatures.keyring import Keyring
from deepcity.store.signatures.trust_list import SignedKind, TrustedKey, write_trust_list

_WAIT_S = 10.0
_LEAST_EVERY_S = 30
_SPARED = 1.1  # of the searches that owners answer in an hour, some are left to people
_LONGEST = 180


@dataclass(frozen=True)
class CaseDesk:
    """What the control room works on cases with. Threads may share it.

    Attributes:
        room: the cases.
        exchange: reaches the cities that may be asked.
        people: folder of a keyring for each account.
    """

    room: CaseRoom
    exchange: Exchange
    people: Path
    _locks: dict[str, Lock] = field(default_factory=dict, repr=False)
    _searched_s: dict[str, float] = field(default_factory=dict, repr=False)
    _making: Lock = field(default_factory=Lock, repr=False)

    def person(self, account: str) -> str:
        """Who an account is in cases: ``CITY/ACCOUNT``.

        Raises:
            CaseError: if no person can have that name.
        """
        name = f"{self.room.city}/{account}"
        if "/" in account or not account or not account.isprintable() or len(name) > 200:
            raise CaseError(
                "account",
                f"{account[:80]!r} is no name that a case can have. Log in by an account of up to "
                f"{199 - len(self.room.city)} letters, without a slash",
            )
        return name

    def approve(self, case: str, account: str, digest: str) -> SignedCase:
        """Approve a case by the key of an account, which the city trusts from then on.

        Args:
            digest: of the case that the person has read.

        Raises:
            CaseError: if the person opened it, it is another case by now, the key was revoked, or
                it cannot be kept.
        """
        person = self.person(account)
        with self._held(case):
            own = self.room.file(case).signed().case
            if own.opened_by == person:
                raise CaseError("own-case", f"{person} opened case {case}. Have others approve it")
            if own.digest() != digest:
                raise CaseError("changed", f"case {case} is not the one that was read. Read it")
            return self.room.approve(case, self._trusted(account, person))

    def take(self, case: str, given: SignedCase) -> SignedCase:
        """Take approvals and warrants that were signed elsewhere.

        Raises:
            CaseError: if they are of another case.
        """
        with self._held(case):
            return self.room.take(case, given)

    def search(self, case: str, account: str, *, watching: bool = False) -> None:
        """Ask the cities of a case.

        Args:
            watching: the page asks by itself: nobody is asked again before `search_every_s`.

        Raises:
            CaseError: if it is not approved, over or closed.
        """
        person = self.person(account)
        with self._held(case):
            every_s = search_every_s(self.terms(self.room.file(case).signed().case.service))
            now_s = self.room.clock()
            if watching and now_s - self._searched_s.get(case, -inf) < every_s:
                return
            self.room.search(case, self.exchange, person)
            self._searched_s[case] = now_s

    def keep_verdict(
        self, case: str, account: str, sighting: tuple[str, str, int], verdict: HitVerdict
    ) -> None:
        """Keep what a person says of a sighting: city, camera and UTC seconds.

        Raises:
            CaseError: if there is no such sighting, or the case is closed.
        """
        with self._held(case):
            person = self.person(account)
            self.room.record_verdict(case, self.exchange, sighting, verdict, person)

    def close(self, case: str, account: str) -> tuple[Failure, ...]:
        """Close a case; gives the cities that could not be reached.

        Raises:
            CaseError: if it cannot be deleted here.
        """
        with self._held(case):
            return self.room.close(case, self.exchange, self.person(account))

    def terms(self, service: str) -> SearchTerms:
        """On which terms a service searches; of one that is no more, the usual ones."""
        known = self.room.services.get(service)
        return SearchTerms() if known is None else known.terms

    @contextmanager
    def _held(self, case: str) -> Iterator[None]:
        self.room.file(case)  # names are free to invent
        with self._making:
            lock = self._locks.setdefault(case, Lock())
        if not lock.acquire(timeout=_WAIT_S):
            raise CaseError("busy", f"case {case} is being searched. Try again in some seconds")
        try:
            yield
        finally:
            lock.release()

    def _trusted(self, account: str, person: str) -> Keyring:
        """The keyring of an account, whose approvals the city believes."""
        keyring, city = Keyring(self.people / folder_name(account)), self.room.keyring
        with self._making:
            key = public_hex(keyring.private_key())
            known = city.trust_list()
            if known.revocation(key) is not None:
                raise CaseError("revoked", f"the key of {person} was revoked. Ask an admin")
            if not known.entries(key):
                entry = TrustedKey(name=person, key=key, kinds=(SignedKind.APPROVAL,))
                write_trust_list(city.folder, known.trusting(entry))
        return keyring


def search_every_s(terms: SearchTerms) -> int:
    """How often a page that watches may ask, seconds: within what owners answer in an hour."""
    return max(_LEAST_EVERY_S, ceil(3600 * _SPARED / terms.searches_an_hour))


def folder_name(account: str) -> str:
    """The name of an account's folder: of whatever letters, it stays within its folder.

    >>> folder_name("kim"), folder_name("../lee")
    ('kim', '%2E%2E%2Flee')
    """
    name = quote(account, safe="").replace(".", "%2E")
    return name if len(name) <= _LONGEST else sha256(account.encode()).hexdigest()
