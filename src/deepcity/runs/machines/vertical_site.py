"""A site's part in vertical trainings: its parties' applications, and its agencies.

An application at one site asks agencies at others, or at its own, over the job's line between
sites; the hub carries bytes. Which agency helps which party follows from the site's own map.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Handler
from deepcity.exchange.flare.access import AGENCY_RULES, PRETRAINING_RULES, CallAccess
from deepcity.exchange.flare.deadlines import Deadlines
from deepcity.exchange.flare.desk import Desk, PartyDesk
from deepcity.exchange.flare.identities import IDENTITY
from deepcity.exchange.flare.link import ANSWER, PING, Reply, Wire
from deepcity.exchange.flare.machines import MachineExchange
from deepcity.exchange.flare.task import AGENCY_METHOD, CallTask, site_of
from deepcity.exchange.ledger import Ledger
from deepcity.maps.city_map import CityMap, Member, Service
from deepcity.parties.party import Party
from deepcity.runs.machines.federated_map import check_service, vertical_name
from deepcity.runs.machines.site_places import SitePlaces
from deepcity.vertical.machines.agency import MachineAgency
from deepcity.vertical.machines.agency_pretraining import AgencyPretraining
from deepcity.vertical.machines.application import MachineApplication, on_machines
from deepcity.vertical.pretraining import PRETRAINING_ROUNDS

_LEAST_S = 120.0
"""An agency is waited for so long at least: its test span takes longer than the blocks before."""


@dataclass
class SiteWire:
    """The line to other sites, and to this one itself, which is asked without a way around.

    Attributes:
        desk: of this site.
    """

    site: str
    others: Wire
    desk: Desk | None = None

    def ask(self, site: str, task: str, blob: bytes, deadline_s: float) -> Reply:
        """Ask a site; blocks until it answers or the deadline has passed."""
        if site != self.site or self.desk is None:
            return self.others.ask(site, task, blob, deadline_s)
        if task == PING:
            return Reply(ANSWER)
        return Reply(**self.desk.answer(task, blob, site))


class AgencyDesks(NamedTuple):
    """The agencies of a site, by name, each with what it allows.

    Attributes:
        meeting: where they send activations to applications.
        pretraining: where their encoders are pretrained with those of other cities.
    """

    meeting: dict[str, PartyDesk]
    pretraining: dict[str, PartyDesk]


def agency_desks(city_map: CityMap, places: SitePlaces) -> AgencyDesks:
    """The agencies of this site that send activations."""
    served: dict[str, dict[str, set[str]]] = {}
    for service in city_map.services:
        if service.settings.vertical is None:
            continue
        for member in service.members:
            city = member.city_file.city.name
            for one in service.settings.vertical.agency:
                if places.is_here(name := f"{city}/{one.agency}"):
                    by_service = served.setdefault(name, {})
                    by_service.setdefault(service.settings.name, set()).add(member.name)
    one_at_a_time = Lock()
    desks = AgencyDesks({}, {})
    levels = {
        one.settings.name: one.settings.vertical.reuse_level
        for one in city_map.services
        if one.settings.vertical is not None and one.settings.vertical.reuse_level
    }
    for name, by_service in served.items():
        opened = OpenedAgency(city_map, name, places, one_at_a_time)
        rounds = {one.settings.name: one.settings.training.rounds for one in city_map.services}
        access = CallAccess(
            AGENCY_RULES,
            services=dict.fromkeys(by_service, 0),
            rounds={service: rounds[service] for service in by_service},
            applications={service: frozenset(who) for service, who in by_service.items()},
        )
        desks.meeting[name] = PartyDesk(access, opened.handler)
        shared = {one: level for one, level in levels.items() if one in by_service}
        allowed = CallAccess(
            PRETRAINING_RULES, services=shared, rounds=dict.fromkeys(shared, PRETRAINING_ROUNDS)
        )
        desks.pretraining[name] = PartyDesk(allowed, opened.pretraining)
    return desks


@dataclass
class OpenedAgency:
    """An agency's answers to the applications that it helps, made when one first asks."""

    city_map: CityMap
    name: str
    places: SitePlaces
    one_at_a_time: Lock
    handlers: dict[tuple[str, str], MachineAgency] = field(default_factory=dict)
    pretrained: dict[tuple[str, str], AgencyPretraining] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def handler(self, task: CallTask) -> Handler:
        """The answers to one application in one service.

        Raises:
            ExchangeError: if the map lets it not help that party.
        """
        with self.lock:
            return self._agency((task.service, task.caller))

    def pretraining(self, task: CallTask) -> Handler:
        """The answers to the coordinator that pretrains encoders of several cities.

        Raises:
            ExchangeError: if the map lets it not help that party.
        """
        with self.lock:
            key = task.service, task.application
            if key not in self.pretrained:
                self.pretrained[key] = AgencyPretraining(self._agency(key))
            return self.pretrained[key]

    def _agency(self, key: tuple[str, str]) -> MachineAgency:
        if key not in self.handlers:
            self.handlers[key] = self._opened(*key)
        return self.handlers[key]

    def _opened(self, name: str, application: str) -> MachineAgency:
        service, member = _of_service(self.city_map, name, application)
        check_service(service)
        vertical = service.settings.vertical
        found = [
            one
            for one in (vertical.agency if vertical else ())
            if f"{member.city_file.city.name}/{one.agency}" == self.name
        ]
        if not found:
            raise ExchangeError(f"{self.name} sends {application} nothing in {name}")
        return MachineAgency(
            service,
            member.city_file,
            found[0],
            application,
            self.city_map.settings.seed,
            self.city_map.fingerprint(),
            self.city_map.path.parent,
            self.places.run,
            self.one_at_a_time,
            self.places.run.parent / "local" / IDENTITY,
        )


def open_application(
    city_map: CityMap, service: Service, party: Party, places: SitePlaces
) -> MachineApplication:
    """The application of a party of this site.

    Raises:
        ExchangeError: if the service has no vertical training.
    """
    _, member = _of_service(city_map, service.settings.name, party.name)
    vertical = service.settings.vertical
    if vertical is None:
        raise ExchangeError(f"{service.settings.name} has no vertical training here")
    deadlines, city = Deadlines(least_s=_LEAST_S), party.city
    names = tuple(one.agency for one in vertical.agency)
    task = CallTask(
        party=city,
        service=service.settings.name,
        training=vertical_name(service.settings.name),
        method=AGENCY_METHOD,
    )
    tasks: Mapping[str, CallTask] = dict.fromkeys(names, task)

    def connect(ledger: Ledger) -> MachineExchange:
        return MachineExchange(
            places.wire,
            names,
            places.known,
            tasks,
            ledger=ledger,
            deadlines=deadlines,
            away=frozenset(places.known) - {*places.connected, places.site},
            city=city,
            leads_for=party.name,
        )

    return MachineApplication(
        on_machines(service),
        member,
        party,
        city_map.settings.seed,
        city_map.fingerprint(),
        places.run,
        connect,
        {one: site_of(f"{city}/{one}", places.known) for one in names},
    )


def _of_service(city_map: CityMap, name: str, party: str) -> tuple[Service, Member]:
    for service in city_map.services:
        for member in service.members:
            if (service.settings.name, member.name) == (name, party):
                return service, member
    raise ExchangeError(f"{party} is in no service {name!r}")
