"""What an owner remembers of each case: who asks, how often, and what persons judged.

Kept in one private file, encrypted where a key is named, and written before an answer leaves, so
that neither a restart nor a replayed message begins anew. Nothing of the person stands in it but
the judged sightings, which are deleted with the case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from deepcity.applications.tasks.matching.match_application import SearchTerms
from deepcity.city.errors import CaseError, StorageKeyError
from deepcity.intercity.casework.case import CityName, SearchCase
from deepcity.intercity.casework.case_messages import SightingRef
from deepcity.store.at_rest.private_file import read_private, write_private
from deepcity.store.atomic import write_error_text
from deepcity.store.blob import BlobError, canonical_json
from deepcity.store.release_ledger.release import Digest, Name, Seconds, Strict

ASKED_CASES = "cases.private"
_MOST_BYTES = 50_000_000
MOST_VERDICTS = 500
_MOST_ANSWERED = 3000
_MOST_CLOSED = 200  # of one city that were never searched
_HOUR_S, _DAY_S = 3600, 86_400
_KEPT_S = 2 * _DAY_S  # a case that is over counts for its city's day


class AskedCase(Strict):
    """One case, as an owner knows it.

    Attributes:
        first_s: when it was first asked for, UTC seconds.
        number: of its newest request; older ones are replays.
        asked_s: when it was asked for within the last hour, UTC seconds.
        answered: camera and whole seconds of sightings that were given, the newest last; others
            cannot be judged.
    """

    digest: Digest
    city: CityName
    first_s: Seconds
    until_s: Seconds
    number: Annotated[int, Field(ge=0)] = 0
    asked_s: Annotated[tuple[Seconds, ...], Field(max_length=100_000)] = ()
    closed: bool = False
    answered: Annotated[tuple[tuple[Name, Seconds], ...], Field(max_length=_MOST_ANSWERED)] = ()
    verdicts: Annotated[tuple[SightingRef, ...], Field(max_length=MOST_VERDICTS)] = ()


class _AskedCases(Strict):
    """By ``CITY/ID``: another city's case of the same id is another case."""

    cases: Mapping[str, AskedCase] = {}


def _name(case: SearchCase) -> str:
    return f"{case.city}/{case.id}"


@dataclass
class CaseBook:
    """The cases that an owner was asked about.

    Attributes:
        path: of the file.
    """

    path: Path
    _cases: dict[str, AskedCase] | None = field(default=None, repr=False)

    def of(self, case: SearchCase, now_s: int) -> AskedCase:
        """What is known of a case; a new one where it was never asked about."""
        known = self._known().get(_name(case))
        return known or AskedCase(
            digest=case.digest(), city=case.city, first_s=now_s, until_s=case.until_s
        )

    def is_open(self, case: SearchCase) -> bool:
        """Whether a case was searched and not closed yet."""
        known = self._known().get(_name(case))
        return known is not None and not known.closed

    def answered(self, case: SearchCase, found: list[tuple[str, int]], now_s: int) -> None:
        """Remember what is about to be given.

        Raises:
            CaseError: if it cannot be written.
        """
        known = self._known()[_name(case)]
        both = tuple(dict.fromkeys((*known.answered, *found)))[-_MOST_ANSWERED:]
        if both != known.answered:
            self.keep(case, known.model_copy(update={"answered": both}), now_s)

    def forget_over(self, now_s: int) -> None:
        """Forget what persons judged and what was given in cases that are over.

        Raises:
            CaseError: if it cannot be written.
        """
        bare: dict[str, object] = {"verdicts": (), "answered": ()}
        over = {
            name: one.model_copy(update=bare)
            for name, one in self._known().items()
            if one.until_s <= now_s and (one.verdicts or one.answered)
        }
        if over:
            self._write({**self._known(), **over}, now_s)

    def close_unknown(self, case: SearchCase, now_s: int) -> None:
        """Remember that a case was closed before it was ever searched, so that a late search of it
        is refused; of some hundreds of one city.

        Raises:
            CaseError: if it cannot be written.
        """
        closed = [one for one in self._known().values() if one.city == case.city and one.closed]
        if len(closed) < _MOST_CLOSED:
            until_s = min(case.until_s, now_s + _KEPT_S)
            found = AskedCase(
                digest=case.digest(), city=case.city, first_s=now_s, until_s=until_s, closed=True
            )
            self.keep(case, found, now_s)

    def is_known(self, case: SearchCase) -> bool:
        """Whether a case was searched or closed."""
        return _name(case) in self._known()

    def admit(self, case: SearchCase, number: int, now_s: int, terms: SearchTerms) -> AskedCase:
        """A case with one more search counted, kept on the disk.

        Raises:
            CaseError: if the case is closed or another than before, the request is an old one, or
                there are too many.
        """
        known = self._fits(self.of(case, now_s), case, number)
        recent = tuple(one for one in known.asked_s if one > now_s - _HOUR_S)
        if len(recent) >= terms.searches_an_hour:
            raise CaseError(
                "too-many-searches",
                f"case {case.id} was searched {len(recent)} times within an hour, the most that "
                f"{case.service} allows. Ask again in {_HOUR_S - (now_s - min(recent))} seconds",
            )
        if not self.is_known(case):
            self._check_day(case, now_s, terms)
        found = known.model_copy(update={"number": number, "asked_s": (*recent, now_s)})
        self.keep(case, found, now_s)
        return found

    def follow(self, case: SearchCase, number: int) -> AskedCase:
        """What is known of a case that was searched before.

        Raises:
            CaseError: if it never was, is closed or another than before, or the request is an old
                one.
        """
        known = self._known().get(_name(case))
        if known is None:
            raise CaseError("unknown-case", f"case {case.id} was never searched here")
        return self._fits(known, case, number)

    def _fits(self, known: AskedCase, case: SearchCase, number: int) -> AskedCase:
        if known.digest != case.digest():
            raise CaseError(
                "changed", f"case {case.id} is another than the one that was asked before"
            )
        if known.closed:
            raise CaseError("closed", f"case {case.id} was closed. Open another")
        if number <= known.number:
            raise CaseError(
                "replayed",
                f"request {number} of case {case.id} was answered; the newest was {known.number}",
            )
        return known

    def keep(self, case: SearchCase, found: AskedCase, now_s: int) -> None:
        """Keep what is known of a case; those that are long over are forgotten.

        Raises:
            CaseError: if it cannot be written.
        """
        self._write({**self._known(), _name(case): found}, now_s)

    def _write(self, cases: Mapping[str, AskedCase], now_s: int) -> None:
        cases = {one: it for one, it in cases.items() if it.until_s > now_s - _KEPT_S}
        data = canonical_json(_AskedCases(cases=cases).model_dump(mode="json")).encode()
        if len(data) > _MOST_BYTES:
            raise CaseError("full", f"{self.path} holds all that it can; close cases, or ask later")
        try:
            write_private(self.path, data)
        except OSError as error:
            raise CaseError("disk", write_error_text(self.path, error, len(data))) from error
        except StorageKeyError as error:
            raise CaseError("key", str(error)) from error
        self._cases = cases

    def _check_day(self, case: SearchCase, now_s: int, terms: SearchTerms) -> None:
        others = [
            one
            for name, one in self._known().items()
            if name != _name(case) and one.city == case.city and one.first_s > now_s - _DAY_S
        ]
        if len(others) >= terms.cases_a_day:
            raise CaseError(
                "too-many-cases",
                f"{case.city} asked about {len(others)} cases within a day, the most that "
                f"{case.service} allows. Ask again in "
                f"{_DAY_S - (now_s - min(one.first_s for one in others))} seconds",
            )

    def _known(self) -> dict[str, AskedCase]:
        """All cases, read once.

        Raises:
            CaseError: if the file cannot be read: then nothing is answered, for what it counts
                would begin anew.
        """
        if self._cases is None:
            self._cases = self._read() if self.path.exists() else {}
        return self._cases

    def _read(self) -> dict[str, AskedCase]:
        try:
            data = read_private(self.path, _MOST_BYTES)
            return dict(_AskedCases.model_validate_json(data).cases)
        except (OSError, StorageKeyError, BlobError, ValidationError) as error:
            raise CaseError(
                "book",
                f"{self.path} cannot be read, and nothing is answered without it, for it counts "
                f"what was asked: {error}. Put back a copy",
            ) from error
