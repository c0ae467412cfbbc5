"""The simulated federation: a map of four parties in two cities, run in one process.

What a play attacks is made when it first asks for it: the map, its sites, honest trainings, and a
whole run in a folder with checkpoints, ledgers and packages.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from audited_site import granting
from little_map import LittleMap, flows, service

from benchmarks.hostile_members.attacks import ATTACKS, HostileSite, hostile
from benchmarks.joining.cases import alone_learner, mean_error
from benchmarks.red_team.stages.deep_data import trained_town
from benchmarks.red_team.stages.encrypted import EncryptedRun, new_key
from deepcity.city.level import MAX_LEVEL
from deepcity.exchange.coordinator import Training
from deepcity.exchange.exchange import Handler
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.exchange.rounds import averaging_weights
from deepcity.intercity.level_choice import choose_level
from deepcity.intercity.method import Method
from deepcity.learning.training.learner import Learner
from deepcity.maps.city_map import CityMap, Service, load_map
from deepcity.parties.party import Party, parties_of
from deepcity.parties.releases.layer_release import layer_release
from deepcity.runs.run import run_map
from deepcity.runs.site import Site, SiteTask
from deepcity.runs.trainings import ServiceRun, profiles_of, run_method
from deepcity.store.run_folder import site_folder

SEED = 1
NAMES = ("east/north", "east/south", "west/office", "west/works")
"""Parties of the map; the last one is hostile where one is."""
LIAR = NAMES[-1]


@dataclass
class Simulated:
    """The federation.

    Attributes:
        folder: of its map, its runs, and whatever plays write.
    """

    folder: Path

    def map_with(self, name: str, **settings: object) -> CityMap:
        """The map in a folder of its own, with further settings of its service."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        little = LittleMap(folder)
        for seed, party in enumerate(NAMES):
            little.party(party, flows(seed=seed, places=1 + seed % 2))
        settings = {"levels": (6,), "settings": "pooled = false", **settings}
        return load_map(little.write(service(**settings)))

    @cached_property
    def service(self) -> Service:
        """Of the map as it is without further settings."""
        return self.map_with("plain").services[0]

    @cached_property
    def parties(self) -> list[Party]:
        """With their rows, of the plain map."""
        return parties_of(self.service)

    @cached_property
    def honest(self) -> Training:
        """All rounds at level 6, with nobody hostile."""
        return self.train(self.sites())

    def sites(self, of: Service | None = None) -> list[Site]:
        """New ones, all honest."""
        settings = (of or self.service).settings
        return [Site(settings, party, SEED) for party in self.parties]

    def lying(self, attack: str) -> list[Site]:
        """New ones, of which the last one lies by one of `hostile_members.attacks`."""
        *honest, liar = self.sites()
        return [*honest, hostile(liar, ATTACKS[attack])]

    def train(self, sites: list[Site]) -> Training:
        """Rounds at level 6 by the code of `deepcity run`."""
        settings = sites[0].settings
        run = ServiceRun(settings, profiles_of(sites), SEED)
        return run_method(run, Method("joined", {site.name: MAX_LEVEL for site in sites}), sites)

    def weights(self, sites: list[Site]) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Rows that members claimed in a training with these sites, and their weights in means."""
        levels = {site.name: MAX_LEVEL for site in sites}
        plan = ServiceRun(sites[0].settings, profiles_of(sites), SEED).plan(
            Method("joined", levels)
        )
        claimed = self.train(sites).progress.weights
        return claimed, averaging_weights(plan, claimed)

    def left_out(self, sites: list[Site]) -> str:
        """Whom a training with these sites left out of any round, and why."""
        failures = self.train(sites).progress.failures
        return "; ".join(dict.fromkeys(str(one) for failed in failures for one in failed))

    def worst_share(self, attack: str) -> float:
        """Greatest error of an honest party with a liar among four, as a share of that alone."""
        sites = self.lying(attack)
        self.train(sites)
        return max(self._share(site) for site in sites[:-1])

    def _share(self, site: Site) -> float:
        party, own = site.party, self._alone[site.name]
        choice = choose_level(party, own, site.learners["joined"], MAX_LEVEL, SEED)
        forecast = np.maximum(
            choice.first(0).predict(party.test, party.test_origins), np.float32(party.floor)
        )
        found = choice.forecast(party).forecast_BNH
        return mean_error(found, party) / mean_error(forecast, party)

    @cached_property
    def _alone(self) -> dict[str, Learner]:
        return {one.name: alone_learner(self.service, one, SEED) for one in self.parties}

    @cached_property
    def run(self) -> Path:
        """Folder of a whole run, as `deepcity run` leaves it."""
        folder = self.folder / "run"
        run_map(self.map_with("plain"), folder)
        return folder

    @cached_property
    def encrypted(self) -> EncryptedRun:
        """A whole run whose private files are encrypted."""
        found = EncryptedRun(self.folder / "encrypted", new_key())
        with found.key():
            run_map(self.map_with("plain"), found.folder)
        return found

    @cached_property
    def deep_data(self) -> Path:
        """Folder of a trained town whose weather office sends deep data to its water company."""
        return trained_town(self.folder / "deep-data")

    def site_of(self, party: str) -> Path:
        """A site's folder in the whole run."""
        return site_folder(self.run, party)

    def policy_site(self, highest: str) -> Site:
        """A site of a city whose policy lets layers leave up to this one, until year 2999."""
        folder = self.folder / f"policy-{highest}"
        folder.mkdir()
        of = load_map(granting(folder, highest=highest)).services[0]
        member = next(one for one in of.members if one.name == "east/north")
        release = layer_release(of, member, folder / "site")
        party = parties_of(of)[0]
        return Site(of.settings, party, SEED, folder / "site", release=release)


def task_of(site: Site, *, level: int = MAX_LEVEL, common_stem: bool = False) -> SiteTask:
    """What a coordinator asks of a site that has a training of its own."""
    return SiteTask("water.joined", "joined", level, common_stem, site.settings, SEED, {})


def exchange_of(handlers: Mapping[str, Handler]) -> InProcessExchange:
    """The coordinator's view of these parties; every payload is serialised."""
    return InProcessExchange(handlers)


class Impostor(HostileSite):
    """A hostile site that may change by whom, and with which answer, it joins."""

    def claiming(self, handler: Handler, *given: object, **more: object) -> Handler:
        """The honest claim's handler, and what `joining` makes of it."""
        return self.joining(super().claiming(handler, *given, **more))

    joining: Callable[[Handler], Handler]


def impostor(site: Site, joining: Callable[[Handler], Handler]) -> Impostor:
    """A site that joins as `joining` has it."""
    found = Impostor(site.settings, site.party, site.seed, site.folder)
    found.joining = joining
    return found


@dataclass
class Tap:
    """Keeps what passes between the coordinator and a site."""

    inner: Handler
    passed: list[tuple[Message, Message]] = field(default_factory=list)

    def handle(self, message: Message, caller: str) -> Message:
        """The site's answer."""
        answer = self.inner.handle(message, caller)
        self.passed.append((message, answer))
        return answer


@contextmanager
def simulated(folder: Path) -> Iterator[Simulated]:
    """The stage, in a folder that is made."""
    folder.mkdir(parents=True)
    yield Simulated(folder)
