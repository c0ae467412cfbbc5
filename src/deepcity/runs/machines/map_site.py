"""A site's end of a map between machines: its own parties, records and checkpoints.

KIT/local/deepcity.json   where the map file is on this machine
KIT/run/map.json          the same, for `deepcity forecast` and `deepcity up`
KIT/run/sites/PARTY/      its checkpoints, forecaster and results, as in a run in one process
KIT/run/sites/AGENCY/     an agency's encoder and checkpoints, where it helps a party of its city
KIT/run/sites/PARTY/sums.json   rounds whose secure sums it has opened; none is opened twice

Records are read when a party is first asked for something, those of its own parties alone. What
a training shares is bounded here by the site's own copy of the map, not by what the hub asks for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import torch

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.city.level import ALONE
from deepcity.exchange.exchange import Handler
from deepcity.exchange.flare.access import CallAccess
from deepcity.exchange.flare.certificates import authority_id
from deepcity.exchange.flare.desk import Desk, PartyDesk
from deepcity.exchange.flare.engine import SiteEndpoint
from deepcity.exchange.flare.identities import (
    IDENTITY,
    party_identities,
    read_identity,
    sites_of_kit,
)
from deepcity.exchange.flare.kits import SITE_SETTINGS
from deepcity.exchange.flare.link import Wire
from deepcity.exchange.flare.task import VERTICAL_METHOD, CallTask
from deepcity.exchange.precision import Precision
from deepcity.exchange.secure.opened_rounds import OpenedRounds
from deepcity.exchange.secure.summing_party import SummingParty
from deepcity.intercity.party_choices import allows_episodes
from deepcity.intercity.starting_package import starting_package
from deepcity.maps.city_map import CityMap, Service
from deepcity.maps.group_checks import least_members
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.party import load_party
from deepcity.parties.releases.layer_release import layer_release
from deepcity.runs.choosing_site import ChoosingSite, choice_name
from deepcity.runs.episodic_training import STAGES
from deepcity.runs.identity import check_site, record_site
from deepcity.runs.machines.federated_map import check_service, is_secure, map_on_machine
from deepcity.runs.machines.site_heads import head_desks
from deepcity.runs.machines.site_places import SitePlaces
from deepcity.runs.machines.site_trainings import (
    check_summed,
    open_training,
    own_level,
    own_name,
)
from deepcity.runs.machines.vertical_site import SiteWire, agency_desks, open_application
from deepcity.runs.progress import trained_levels
from deepcity.runs.site import Site
from deepcity.store.run_folder import record_map, site_folder
from deepcity.vertical.machines.application import MachineApplication


class MapSite(SiteEndpoint):
    """Answers for the parties of a city or agency in every service of a map."""

    def desk(self, name: str, folder: Path, sites: tuple[str, ...], wire: Wire) -> Desk:
        """The parties of this site, and its agencies that send activations.

        Args:
            wire: to other sites; only an application asks there, agencies of its own city.

        Raises:
            CheckpointError: if the site's settings cannot be read.
            ConfigError: if the map cannot be read.
        """
        torch.set_num_threads(1)
        city_map = map_on_machine(_map_file(folder))
        known = tuple(sorted({*sites, name, *sites_of_kit(folder)}))
        here = SiteWire(name, wire)
        places = SitePlaces(name, sites, known, folder / "run", here)
        mine: dict[str, list[Service]] = {}
        for service in city_map.services:
            for member in service.members:
                if places.is_here(member.name):
                    mine.setdefault(member.name, []).append(service)
        desks = {party: _desk(city_map, party, mine[party], folder, places) for party in mine}
        agencies = agency_desks(city_map, places)
        heads = head_desks(city_map, places)
        here.desk = Desk(desks, known, agencies.meeting, agencies.pretraining, heads)
        return here.desk


@dataclass
class _Opened:
    """A party's sites and handlers, made when first asked for.

    Attributes:
        kit: folder of the site.
        places: where other parties are; None: no application here asks any.
        sites: by service.
        handlers: training and its handler by service and method, the newest alone; the choice of a
            level is a training without a method.
        finished: service -> methods whose learners are at their best states.
    """

    city_map: CityMap
    party: str
    services: Mapping[str, Service]
    kit: Path
    places: SitePlaces | None = None
    sites: dict[str, Site] = field(default_factory=dict)
    handlers: dict[str, tuple[str, Handler]] = field(default_factory=dict)
    finished: dict[str, set[str]] = field(default_factory=dict)
    applications: dict[str, MachineApplication] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    @property
    def run(self) -> Path:
        """Folder of the site's checkpoints and forecasters."""
        return self.kit / "run"

    def handler(self, task: CallTask) -> Handler:
        """The handler of a training; without a training, one that describes the site."""
        if task.service not in self.services:
            known = ", ".join(self.services)
            raise ExchangeError(f"{self.party} is in no service {task.service!r}; it is in {known}")
        check_service(self.services[task.service])
        with self.lock:
            site = self._site(task.service)
            if task.method == VERTICAL_METHOD:
                return self._application(task.service, site)
            if not task.training:
                return site.describe()
            name = own_name(task)
            if name not in self.handlers or self.handlers[name][0] != task.training:
                self.handlers[name] = task.training, self._open(site, task)
            return self.handlers[name][1]

    def _application(self, service: str, site: Site) -> MachineApplication:
        if self.places is None:
            raise ExchangeError(f"{self.party} has no way to other sites here")
        if service not in self.applications:
            self.applications[service] = open_application(
                self.city_map, self.services[service], site.party, self.places
            )
        return self.applications[service]

    def _open(self, site: Site, task: CallTask) -> Handler:
        service = self.services[task.service]
        finished = self.finished.setdefault(task.service, set())
        levels = trained_levels(site.settings, len(service.members))
        if task.training == choice_name(task.service):
            choosing = ChoosingSite(
                service, site, [one for one in levels if one != ALONE], finished
            )
            return self._recording(site, choosing, task, ALONE)
        package, _ = starting_package(self.city_map, service)
        if is_secure(site.settings):
            check_summed(site, task, levels)
        handler = open_training(site, task, finished, package)
        if is_secure(site.settings):
            handler = self._secured(handler, task)
        level, key = own_level(site, task), self.kit / "local" / IDENTITY
        claiming = site.claiming(handler, task.training, level, authority_id(self.kit), key)
        return self._recording(site, claiming, task, level)

    def _recording(self, site: Site, handler: Handler, task: CallTask, level: int) -> Handler:
        """The handler, whose layers are recorded before they leave."""
        return site.recording(
            handler,
            task.training,
            level,
            secure=is_secure(site.settings),
            precision=site.settings.wire.precision,
            key=self.kit / "local" / IDENTITY,
        )

    def _secured(self, handler: Handler, task: CallTask) -> SummingParty:
        """The handler, through which layers leave in secure sums only."""
        parties = [one.name for one in self.services[task.service].members]
        return SummingParty(
            handler,
            self.party,
            task.training,
            read_identity(self.kit),
            party_identities(self.kit, parties),
            OpenedRounds(site_folder(self.run, self.party) / "sums.json", own_name(task)),
            least_members(self.services[task.service].settings),
        )

    def _site(self, service: str) -> Site:
        if service not in self.sites:
            found = self.services[service]
            member = next(one for one in found.members if one.name == self.party)
            party = load_party(found, member)
            digest = check_site(self.run, self.city_map, found, party)
            record_site(self.run, self.city_map, found, self.party, digest)
            record_map(self.run, self.city_map.path)
            folder = site_folder(self.run, self.party)
            seed = self.city_map.settings.seed
            release = layer_release(found, member, folder)
            self.sites[service] = Site(found.settings, party, seed, folder, release=release)
        return self.sites[service]


def _desk(
    city_map: CityMap, party: str, services: list[Service], kit: Path, places: SitePlaces
) -> PartyDesk:
    known = {one.settings.name: one for one in services}
    grants = {name: one.settings.grant for name, one in known.items()}
    access = CallAccess(
        services={name: grant.level_of(party) for name, grant in grants.items()},
        stems=frozenset(n for n, grant in grants.items() if grant.stem_of(party) == "common"),
        secure=frozenset(name for name, one in known.items() if is_secure(one.settings)),
        rounds={name: _most_rounds(one.settings) for name, one in known.items()},
    )
    precisions: dict[str, Precision] = {
        name: one.settings.wire.precision for name, one in known.items()
    }
    opened = _Opened(city_map, party, known, kit, places)
    return PartyDesk(access, opened.handler, precisions)


def _most_rounds(settings: ServiceSettings) -> int:
    """Rounds of the longest training of a service."""
    stages = [rounds for rounds, _ in STAGES] if allows_episodes(settings) else []
    return max([settings.training.rounds, *stages])


def _map_file(folder: Path) -> Path:
    path = folder / "local" / SITE_SETTINGS
    try:
        return folder / Path(json.loads(path.read_bytes())["map"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CheckpointError(
            f"{path} must name the map file of this site, as {{'map': 'PATH'}}: {error}"
        ) from error
