"""The application's end of vertical training between machines, at the site of its party.

It holds the party's rows and truths, leads the training with the agencies of its city, and keeps
checkpoints, results and its package in its own site's folder, as in a run in one process. The
coordinator carries nothing of it: it lets the application go on by one verb.

    advance   go on to a step (a round of one of the methods; 0: have the agencies begin); the
              answer says whether they have, which step is done, which agencies were silent, and
              at the end what the party's results are

What leaves at the end are errors and bytes; a week of forecasts leaves only where the party
grants its measured values.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from deepcity import __version__
from deepcity.city.errors import ExchangeError
from deepcity.data.city_file import empty_panel
from deepcity.data.panel import records_digest
from deepcity.exchange.exchange import (
    COORDINATOR,
    Exchange,
    answers,
    failures,
    refuse_failures,
)
from deepcity.exchange.flare.leases import LeaseLostError
from deepcity.exchange.grant_guard import details_stay
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message
from deepcity.exchange.party import JSON, RESULT
from deepcity.exchange.vertical.names import (
    ADVANCE,
    CELLS,
    CLOSE,
    HORIZON_S,
    LOST,
    OPEN,
    OPENED,
    RECORD_BYTES,
    SILENT,
    STEP,
    UNTIL_S,
)
from deepcity.maps.city_map import Member, Service
from deepcity.maps.map_settings import ServiceSettings
from deepcity.maps.vertical_checks import encoded_fields
from deepcity.maps.vertical_settings import VerticalSettings
from deepcity.parties.party import Party
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.run_folder import ensure_folder, site_folder, write_file
from deepcity.vertical.checkpoints import Checkpoints
from deepcity.vertical.compare import RunContext, evaluate_party, methods_of
from deepcity.vertical.machines.agency import plain_name
from deepcity.vertical.machines.agency_bounds import whole
from deepcity.vertical.machines.silent_agencies import NotedExchange, SilentAgencies
from deepcity.vertical.machines.stepped_training import AfterStep, SteppedTraining
from deepcity.vertical.results import TOGETHER, VerticalPartyResult
from deepcity.vertical.setup import (
    RemoteAgency,
    VerticalSetup,
    build_remote_setup,
    check_near,
    terms_of,
)
from deepcity.vertical.training import are_cells

_WAIT_S = 10.0
"""An answer waits so long for a step; whoever leads asks again."""


def on_machines(service: Service) -> Service:
    """A service as machines train it: no rows leave, so none are pooled."""
    return replace(service, settings=service.settings.model_copy(update={"pooled": False}))


def total_steps(settings: ServiceSettings) -> int:
    """Steps of a party's training: a round of every method, and one to finish."""
    return len(methods_of(settings)) * settings.training.rounds + 1


@dataclass
class MachineApplication:
    """Trains one party's application with the agencies of its city, as far as it may.

    Attributes:
        service: as machines train it (`on_machines`).
        fingerprint: of the site's own copy of the map.
        folder: of the site's runs.
        connect: an exchange to the agencies, by their names, that counts in a ledger.
        sites: agency -> site that answers for it.
        wait_s: how long an answer waits for a step.
    """

    service: Service
    member: Member
    party: Party
    seed: int
    fingerprint: str
    folder: Path
    connect: Callable[[Ledger], Exchange]
    sites: dict[str, str | None] = field(default_factory=dict)
    wait_s: float = _WAIT_S
    _silent: SilentAgencies = field(default_factory=SilentAgencies)
    _training: SteppedTraining[VerticalPartyResult] | None = None

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; what is wrong with records stays in the site's own log.

        Raises:
            ExchangeError: if the caller is not the coordinator, the verb is another, there is no
                such step, or the training failed.
        """
        if caller != COORDINATOR or message.verb != ADVANCE:
            raise ExchangeError(
                f"{caller} may not ask for {message.verb!r} here; the coordinator may {ADVANCE}"
            )
        step = whole(message, STEP, 0, total_steps(self.service.settings))
        with details_stay(self.party.name, ADVANCE, ExchangeError):
            if (kept := self._kept()) is not None:
                return self._answer(kept)
            if self._training is None:
                self._training = SteppedTraining(self._train)
            training = self._training
            if not training.advance(step, self.wait_s):
                return self._answer(None, training.done)
            self._training = None
            if isinstance(training.error, LeaseLostError):
                return self._answer(None, training.done, training.error.site)
            if training.error is not None:
                raise training.error
            return self._answer(training.result)

    def stop(self) -> None:
        """End what runs, after the step that it is at."""
        if self._training is not None:
            self._training.stop()

    def _answer(
        self, result: VerticalPartyResult | None, done: int = -1, lost: str | None = None
    ) -> Message:
        layers: dict[str, dict[str, np.ndarray]] = {}
        names = [one.agency for one in self._vertical.agency]
        groups = {
            SILENT: [one for one in names if one in self._silent.reasons],
            LOST: [one for one in names if lost is not None and self.sites.get(one) == lost],
        }
        for group, which in groups.items():
            if which:
                indices = np.asarray([names.index(one) for one in which], np.int64)
                layers[group] = {group: indices}
        if result is not None:
            done = total_steps(self.service.settings)
            shown = _for_the_map(result, self.service.settings).model_dump_json()
            layers[RESULT] = {JSON: np.frombuffer(shown.encode(), np.uint8)}
        return Message(ADVANCE, {STEP: float(max(done, 0)), OPENED: float(done >= 0)}, layers)

    def _train(self, after_step: AfterStep) -> VerticalPartyResult:
        """Every method, and the results; in a thread of its own."""
        settings, own = self.service.settings, self._own
        ensure_folder(self._store.folder)
        methods = methods_of(settings)

        def after_round(method: str) -> AfterStep:
            first = methods.index(method) * settings.training.rounds
            return lambda done: after_step(first + done)

        context = RunContext(
            settings=settings,
            metric=self.party.metric,
            seed=self.seed,
            after_round=after_round,
            checkpoints=lambda method: Checkpoints(self._store, self._checkpoint_name(method)),
            packages=own / "packages" / own.name,
        )
        setup = self._open()
        after_step(0)
        found = evaluate_party(setup, self.member.city_file, context)
        write_file(self._path, found.model_dump_json(indent=1).encode())
        self._exchange(Ledger()).call_group(dict.fromkeys(setup.remote, Message(CLOSE)))
        for old in self._store.folder.glob(f"{self._stem}.*"):
            old.unlink()
        return found

    def _open(self) -> VerticalSetup:
        """Have the agencies that are there begin; the party's places must lie near their cells.

        Raises:
            ExchangeError: if one cannot, and the training has not begun with it.
        """
        terms, city = terms_of(self.party), self.member.city_file
        asked = Message(OPEN, {UNTIL_S: float(terms.until), HORIZON_S: float(terms.horizon_s)})
        names = [one.agency for one in self._vertical.agency]
        found = self._exchange(Ledger()).call_group(dict.fromkeys(names, asked))
        if self._store.newest(self._checkpoint_name(TOGETHER)) is None:
            right = "Correct that, or leave them out"
            refuse_failures(failures(found), "these agencies cannot take part", right)
        replies, remote = answers(found), {}
        for one in self._vertical.agency:
            fields = encoded_fields(city.city.agency(one.agency), one)
            remote[one.agency] = RemoteAgency(
                one.agency,
                tuple((known.name, known.unit) for known in fields),
                empty_panel(city, one.agency).clock.step_s,
                _record_bytes(replies.get(one.agency)),
            )
        setup = build_remote_setup(self.service, self.member, self.party, remote, self._exchange)
        for name, reply in replies.items():
            cells = reply.layers.get(CELLS, {}).get(CELLS)
            if are_cells(cells):
                check_near(name, cells, self.party, setup.place_cells)
        return setup

    def _exchange(self, ledger: Ledger) -> NotedExchange:
        return NotedExchange(self.connect(ledger), self._silent)

    @property
    def _vertical(self) -> VerticalSettings:
        assert self.service.settings.vertical is not None
        return self.service.settings.vertical

    @property
    def _own(self) -> Path:
        return site_folder(self.folder, self.party.name)

    @property
    def _store(self) -> CheckpointStore:
        return CheckpointStore(self._own / "checkpoints")

    def _checkpoint_name(self, method: str) -> str:
        return f"{self._stem}.{plain_name(method)}"

    @cached_property
    def _stem(self) -> str:
        """Prefix of the party's files; unique to a map, seed, version and its records."""
        records = records_digest([(self.party.name, self.party.panel)])
        run = f"{self.fingerprint}/{self.seed}/{__version__}/{self.service.settings.name}"
        whole_name = f"{run}/{self.party.name}/{records}"
        digest = hashlib.sha256(whole_name.encode()).hexdigest()[:12]
        return f"{plain_name(self.party.name)}-{digest}"

    @property
    def _path(self) -> Path:
        return self._own / "results" / f"{self._stem}.json"

    def _kept(self) -> VerticalPartyResult | None:
        try:
            return VerticalPartyResult.model_validate_json(self._path.read_bytes())
        except (OSError, ValueError):
            return None


def _record_bytes(reply: Message | None) -> int:
    """Size of an agency's records as it says; 0 where it does not."""
    value = 0.0 if reply is None else reply.numbers.get(RECORD_BYTES, 0.0)
    return int(value) if 0 <= value < 2**53 else 0


def _for_the_map(found: VerticalPartyResult, settings: ServiceSettings) -> VerticalPartyResult:
    """What leaves: a week of forecasts follows the records closely, so it needs the same grant."""
    if settings.grant.truths_of(found.name) == "shared":
        return found
    return found.model_copy(update={"forecast": None})
