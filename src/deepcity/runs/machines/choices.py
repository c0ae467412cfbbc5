"""The choice of levels between machines: every site is asked, and its errors are kept.

A site that is away, slow or refuses is asked again in later leases, and left out in the end; it
costs no other's choice. What came is kept by service, so that a coordinator that starts again asks
only those that are missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.city.frozen_model import FrozenModel
from deepcity.city.level import ALONE
from deepcity.exchange.coordinator import Training
from deepcity.exchange.exchange import Failure, answers, failures
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.profile import SiteProfile
from deepcity.intercity.party_choices import Offer
from deepcity.maps.city_map import Service
from deepcity.runs.choosing_site import choice_name, offer_message
from deepcity.runs.machines.lease_holder import LeaseHolder
from deepcity.runs.machines.received_results import SiteFacts, received_result
from deepcity.runs.note import Note
from deepcity.runs.notes import participation_notes
from deepcity.runs.results import PartyResult
from deepcity.store.atomic import write_atomic
from deepcity.store.run_folder import coordinator_folder

_TRIES = 3  # in a row that brought no site's choice


class KeptChoices(FrozenModel):
    """Results of the sites that have chosen, by party."""

    parties: dict[str, PartyResult]


@dataclass
class ChoiceLead:
    """Asks the sites of one service to choose.

    Attributes:
        joined: the joint training; None where there was none.
        offers: party -> what it may choose from.
        finish: brings the learners of the lease's workers to their best states.
        folder: of the run.
    """

    service: Service
    profiles: Mapping[str, SiteProfile]
    joined: Training | None
    offers: Mapping[str, Offer | None]
    leases: LeaseHolder
    finish: Callable[[], None]
    folder: Path
    _kept: dict[str, PartyResult] = field(default_factory=dict)
    _failed: dict[str, Failure] = field(default_factory=dict)
    _finished: int = -1  # number of the lease whose learners are at their best states

    def run(self) -> list[PartyResult]:
        """Results of every site that has chosen, in the order of the map.

        Raises:
            ExchangeError: if none has, or leases are lost again and again.
            CheckpointError: if what was kept cannot be read.
        """
        self._kept = self._read()
        tries = 0
        while (missing := self._missing()) and tries < _TRIES:
            before = len(self._kept)
            here = self.leases.insist(self._ask, lambda: len(self._kept))
            tries = tries + 1 if len(self._kept) == before else 0
            slow = any(party not in self._kept for party in here)  # or refuses: nobody can tell
            if self._missing() and not (slow and tries < _TRIES - 1):
                self.leases.give_back()  # who was away may be in the next one
        if not self._kept:
            reasons = "; ".join(str(self._failed[party]) for party in missing)
            raise ExchangeError(f"no site of {self.service.settings.name} chose a level: {reasons}")
        return [self._kept[party] for party in self.profiles if party in self._kept]

    def notes(self) -> list[Note]:
        """That sites keep what a run in one process shows, and which of them did not choose."""
        found = [Note(code="between_machines")]
        return found + [
            Note(
                code="site_without_choice",
                names={"party": party, "reason": self._failed[party].reason},
            )
            for party in self._missing()
        ]

    def _missing(self) -> list[str]:
        return [party for party in self.profiles if party not in self._kept]

    def _ask(self) -> list[str]:
        """Ask those that are missing, in one lease; returns those of them that are in it.

        One that did not answer in time is asked again in the same lease: it may be at work.
        """
        name, missing = choice_name(self.service.settings.name), self._missing()
        self.leases.take(name, missing, Ledger(), len(self._kept), least=0)
        if self.leases.held is not None and self._finished != self.leases.number:
            self.finish()
            self._finished = self.leases.number
        self.leases.report(name)
        tasks = {party: self._task(party) for party in missing}
        exchange = self.leases.exchange(tasks, Ledger(), "float32")  # as exact as in one process
        here = [party for party in missing if party in exchange.parties]
        replies = exchange.call_group({one: offer_message(self.offers[one]) for one in here})
        absent = [party for party in missing if party not in here]
        failed = [*failures(replies), *(Failure(one, "it was not connected") for one in absent)]
        for party, answer in answers(replies).items():
            try:
                self._keep(received_result(self._facts(party), answer))
            except ExchangeError as error:
                failed.append(Failure(party, str(error)))
        self._failed = {one.party: one for one in failed}
        return here

    def _task(self, party: str) -> CallTask:
        offer, settings = self.offers[party], self.service.settings
        return CallTask(
            party=party,
            service=settings.name,
            training=choice_name(settings.name),
            level=ALONE if offer is None else offer.level,
            common_stem=offer is not None and offer.common_stem,
        )

    def _facts(self, party: str) -> SiteFacts:
        return SiteFacts(
            self.service,
            next(one for one in self.service.members if one.name == party),
            self.profiles[party],
            ALONE if (offer := self.offers[party]) is None else offer.level,
        )

    def _keep(self, found: PartyResult) -> None:
        settings = self.service.settings
        more = participation_notes(settings, found.name, self.profiles, self.joined)
        self._kept[found.name] = found.model_copy(update={"notes": [*found.notes, *more]})
        data = KeptChoices(parties=self._kept).model_dump_json(indent=1).encode()
        write_atomic(self._path, data)

    def _read(self) -> dict[str, PartyResult]:
        try:
            found = KeptChoices.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{self._path} cannot be read: {error}. Remove it, and sites are asked again"
            ) from error
        return {name: one for name, one in found.parties.items() if name in self.profiles}

    @property
    def _path(self) -> Path:
        return coordinator_folder(self.folder) / f"{self.service.settings.name}.choices.json"
