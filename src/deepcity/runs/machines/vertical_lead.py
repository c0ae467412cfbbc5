"""Vertical trainings of a service between machines, as the hub leads them.

The hub holds leases and lets each party's application go on, step after step; activations and
gradients go between the sites of a city. Parties of one city are trained one after another, for
they share agencies; those of several cities at once. Before that, equal agencies of several cities
pretrain their encoders together where the map asks for it (`reuse_level`). A party's results are
kept when they come, so that a coordinator that starts again asks only those that are missing.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import Field

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.city.frozen_model import FrozenModel
from deepcity.exchange.exchange import Failure, answers, failures
from deepcity.exchange.flare.leases import LeaseLostError
from deepcity.exchange.flare.task import VERTICAL_METHOD, CallTask, site_of
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message
from deepcity.exchange.party import RESULT
from deepcity.exchange.vertical.names import ADVANCE, LOST, SILENT, STEP
from deepcity.maps.city_map import Member, Service
from deepcity.runs.machines.federated_map import agencies_of, vertical_name
from deepcity.runs.machines.lease_holder import LeaseHolder
from deepcity.runs.machines.pretraining_lead import PretrainingLead
from deepcity.runs.machines.received_vertical import (
    MOST_FAILURES,
    printable_failure,
    received_vertical,
)
from deepcity.store.atomic import write_atomic
from deepcity.store.run_folder import coordinator_folder
from deepcity.vertical.compare import with_failures
from deepcity.vertical.machines.application import on_machines, total_steps
from deepcity.vertical.results import VerticalPartyResult, VerticalServiceResult
from deepcity.vertical.run import service_result

_log = logging.getLogger(__name__)
_TRIES = 3  # in a row that brought no step of any party


class KeptVertical(FrozenModel):
    """What a coordinator that starts again must know.

    Attributes:
        parties: results of those that are done, by name.
        steps: that each party's training has done.
        pretrained: trainings of encoders that are done.
        left_out: party -> why agencies that help it were left out of rounds of these.
    """

    parties: dict[str, VerticalPartyResult] = Field(default_factory=dict)
    steps: dict[str, int] = Field(default_factory=dict)
    pretrained: list[str] = Field(default_factory=list)
    left_out: dict[str, list[str]] = Field(default_factory=dict)


@dataclass
class VerticalLead:
    """Leads the vertical trainings of one service.

    Attributes:
        folder: of the run.
        seed: of the layers that encoders of several cities start from.
    """

    service: Service
    leases: LeaseHolder
    folder: Path
    seed: int = 0
    _done: dict[str, int] = field(default_factory=dict)
    _kept: dict[str, VerticalPartyResult] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)
    _pretrained: list[str] = field(default_factory=list)
    _left_out: dict[str, list[str]] = field(default_factory=dict)

    def run(self) -> VerticalServiceResult:
        """Results of every party.

        Raises:
            ExchangeError: if a party did not go on in several leases; names it and its reason.
            CheckpointError: if what was kept cannot be read.
        """
        self.service = on_machines(self.service)
        tries = 0
        self._read()
        self._pretrain()
        while (missing := self._missing()) and tries < _TRIES:
            before = self._progress()
            self.leases.insist(self._attempt, self._progress)
            tries = tries + 1 if self._progress() == before else 0
            if self._missing():
                self.leases.give_back()  # who was away may be in the next one
        if missing:
            reasons = "; ".join(f"{one}: {self._failed.get(one, 'no step')}" for one in missing)
            raise ExchangeError(f"{self._name} is not done: {reasons}")
        return service_result(
            self.service,
            [
                with_failures(self._kept[member.name], self._left_out.get(member.name, ()))
                for member in self.service.members
            ],
        )

    @property
    def _name(self) -> str:
        return vertical_name(self.service.settings.name)

    def _missing(self) -> list[str]:
        return [one.name for one in self.service.members if one.name not in self._kept]

    def _progress(self) -> int:
        """Grows with each step that is done, and with each party's results."""
        return sum(self._done.values()) + len(self._kept)

    def _pretrain(self) -> None:
        """Encoders of equal agencies of several cities, in one lease with their applications.

        Raises:
            ExchangeError: if one did not take part in several leases; names it and its reason.
        """
        vertical = self.service.settings.vertical
        assert vertical is not None
        members = {member.name: member for member in self.service.members}
        lead = PretrainingLead(
            self.service.settings.name,
            vertical,
            [*members],
            self.leases,
            self.seed,
            self._task,
            lambda party, answer: self._note(members[party], answer),
            self._leave_out,
        )
        for name, wave, agencies in lead.trainings():
            if name not in self._pretrained and not {*wave} <= {*self._kept}:
                lead.run(name, wave, agencies)
                self._pretrained.append(name)
                self._write()

    def _leave_out(self, party: str, failure: Failure) -> None:
        known = self._left_out.setdefault(party, [])
        if len(known) < MOST_FAILURES:
            known.append(printable_failure(str(failure)))

    def _wave(self) -> dict[str, Member]:
        """The next party of each city, by name."""
        found: dict[str, Member] = {}
        for member in self.service.members:
            if member.name not in self._kept:
                found.setdefault(member.city_file.city.name, member)
        return {member.name: member for member in found.values()}

    def _attempt(self) -> None:
        """Go on in one lease, until it is over or no party goes on in it."""
        wave = self._wave()
        agencies = [name for member in wave.values() for name in agencies_of(self.service, member)]
        wanted = list(dict.fromkeys([*wave, *agencies]))
        if len(self.leases.connected(wanted)) < len(wanted):
            self.leases.give_back()  # of the rounds before: agencies were not asked into it
        begun = any(self._done.get(party) for party in wave)
        self.leases.take(self._name, wanted, Ledger(), self._progress(), least=1 if begun else None)
        total = total_steps(self.service.settings) * len(self.service.members)
        stuck: set[str] = set()
        while ready := {p: m for p, m in self._wave().items() if p not in stuck}:
            before = self._progress()
            stuck |= self._advance(ready)
            if self._progress() > before:
                self._write()
                self.leases.counted(self._shown_name, total)(sum(self._done.values()))

    def _advance(self, wave: Mapping[str, Member]) -> set[str]:
        """Let each party go on by one step; returns those that cannot in this lease.

        Raises:
            LeaseLostError: if an agency's worker is gone.
        """
        tasks = {party: self._task(party) for party in wave}
        exchange = self.leases.exchange(tasks, Ledger(), "float32")
        here = [party for party in wave if party in exchange.parties]
        asked = {one: Message(ADVANCE, {STEP: float(self._done.get(one, 0) + 1)}) for one in here}
        replies = exchange.call_group(asked)
        failed = [*failures(replies)]
        failed += [Failure(one, "it was not connected") for one in wave if one not in here]
        for party, answer in answers(replies).items():
            try:
                self._note(wave[party], answer)
            except LeaseLostError:
                raise
            except ExchangeError as error:
                failed.append(Failure(party, str(error)))
        for one in failed:
            _log.warning("%s does not go on: %s", self._name, one)
        self._failed |= {one.party: one.reason for one in failed}
        return {one.party for one in failed}

    def _task(self, party: str) -> CallTask:
        return CallTask(
            party=party,
            service=self.service.settings.name,
            training=self._name,
            method=VERTICAL_METHOD,
        )

    def _note(self, member: Member, answer: Message) -> None:
        """What an application answered: how far it is, which agencies were silent, results.

        Raises:
            ExchangeError: if the answer cannot be.
            LeaseLostError: if it says that an agency's worker is gone.
        """
        total, step = total_steps(self.service.settings), answer.numbers.get(STEP, -1.0)
        if not (step.is_integer() and 0 <= step <= total):
            raise ExchangeError(f"it answered with step {step}; there are {total}")
        agencies = agencies_of(self.service, member)
        self._silent -= {*agencies}
        self._silent |= {*_named(answer, SILENT, agencies)}
        if lost := _named(answer, LOST, agencies):
            site = site_of(lost[0], self.leases.federation.sites)
            raise LeaseLostError(f"{lost[0]} is gone", site)
        self._done[member.name] = max(self._done.get(member.name, 0), int(step))
        if RESULT in answer.layers:
            self._kept[member.name] = received_vertical(self.service, member, answer)
            self._failed.pop(member.name, None)

    @property
    def _shown_name(self) -> str:
        """The training's name in the status, with agencies that are silent."""
        without = f", without {', '.join(sorted(self._silent))}" if self._silent else ""
        return f"{self._name}{without}"

    def _write(self) -> None:
        kept = KeptVertical(
            parties=self._kept,
            steps=self._done,
            pretrained=self._pretrained,
            left_out=self._left_out,
        )
        write_atomic(self._path, kept.model_dump_json(indent=1).encode())

    def _read(self) -> None:
        """What an earlier coordinator kept.

        Raises:
            CheckpointError: if it cannot be read.
        """
        names = {one.name for one in self.service.members}
        try:
            found = KeptVertical.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            found = KeptVertical()
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{self._path} cannot be read: {error}. Remove it, and sites are asked again"
            ) from error
        self._kept = {name: one for name, one in found.parties.items() if name in names}
        self._done = {name: step for name, step in found.steps.items() if name in names}
        self._pretrained, self._left_out = found.pretrained, found.left_out

    @property
    def _path(self) -> Path:
        return coordinator_folder(self.folder) / f"{self._name}.json"


def _named(answer: Message, group: str, agencies: list[str]) -> list[str]:
    """Agencies that an answer names by their numbers; others are not believed."""
    found = answer.layers.get(group, {}).get(group)
    if found is None or found.dtype != np.int64 or found.ndim != 1 or found.size > len(agencies):
        return []
    return [agencies[number] for number in found if 0 <= number < len(agencies)]
