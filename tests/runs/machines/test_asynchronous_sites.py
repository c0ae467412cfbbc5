"""A map with asynchronous fusion between machines: leases, workers that die, sites that return."""

import json
from collections import Counter
from dataclasses import dataclass, field
from threading import Event

import pytest
from desk_leases import DeskLeases
from little_map import LittleMap, flows, service

from deepcity.city.progress import NoProgress
from deepcity.exchange.flare.kits import SITE_SETTINGS, FederationFile
from deepcity.exchange.flare.link import LOST, PING, Reply
from deepcity.exchange.flare.task import task_from
from deepcity.exchange.message import ROUND, from_bytes
from deepcity.exchange.party import COLLECT, TRAIN
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.runs.machines.lead import Leader
from deepcity.runs.machines.lease_holder import LeaseHolder
from deepcity.runs.simulate import Simulation
from deepcity.runs.site import Site
from deepcity.store.run_folder import site_folder

SITES = ("centre", "north", "south")
JOINED = "water.level_6"
"""The training that fuses layers."""


@dataclass
class DyingLeases(DeskLeases):
    """Desks of which one dies once: it has trained and saved, and does not answer.

    Of the first round nobody else's answer comes before that.

    Attributes:
        dies: site and round of the joint training.
        leaves_after: so many leases; then a site is away, until another one has trained round 1.
        trained: site, verb and round of each call of the joint training that was answered there.
    """

    dies: tuple[str, int] | None = None
    leaves_after: int | None = None
    trained: list[tuple[str, str, int]] = field(default_factory=list)
    _died: Event = field(default_factory=Event)

    def ask(self, site, task, blob, deadline_s):
        reply = super().ask(site, task, blob, deadline_s)
        if task == PING or task_from(task).training != JOINED:
            return reply
        message = from_bytes(blob)
        if message.verb not in {TRAIN, COLLECT} or reply.kind != "answer":
            return reply
        self.trained.append((site, message.verb, int(message.numbers[ROUND])))
        if self.trained[-1][2] == 1:
            self.away = set()
        if (site, self.trained[-1][2]) == self.dies and message.verb == TRAIN:
            self.dies = None
            self._died.set()
            return Reply(LOST, "its worker is gone")
        if self.dies and self.dies[1] == 0 == self.trained[-1][2]:
            self._died.wait(60)
        return reply

    def end(self, *, lost=False):
        with self._one:  # a worker at work shares this process' random numbers with the hub
            super().end(lost=lost)
        if len(self.leases) == self.leaves_after:
            self.leaves_after, self.away = None, {"south"}


def little(folder, size):
    folder.mkdir()
    found = LittleMap(folder)
    for seed, site in enumerate(SITES):
        found.party(f"{site}/water", flows(seed=seed, places=1))
    more = f"[service.strategy]\nschedule = 'asynchronous'\nbuffer_size = {size}\n"
    settings = "pooled = false"
    text = service(levels=(6,), settings=settings, grant='stem = "common"', more=more, rounds=6)
    return load_map(found.write(text))


def leases_of(folder, city_map, *, rounds=100, **how):
    kits = {site: folder / "kits" / site for site in SITES}
    for kit in kits.values():
        (kit / "local").mkdir(parents=True)
        (kit / "local" / SITE_SETTINGS).write_text(json.dumps({"map": str(city_map.path)}))
    desks = DyingLeases(kits, **how)
    file = FederationFile(name="tests", sites=list(SITES), lease_rounds=rounds)
    return desks, LeaseHolder(file, desks, desks, folder / "fed" / "run", patience_s=0.0)


def led(folder, size, **how):
    city_map = little(folder / "map", size)
    desks, leases = leases_of(folder, city_map, **how)
    [outcome] = Leader(city_map, leases, folder / "fed" / "run").run()
    return desks, outcome


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected")
    service, run = little(folder / "map", 3).services[0], folder / "run"
    parties = parties_of(service)
    sites = [Site(service.settings, one, 1, site_folder(run, one.name)) for one in parties]
    simulation = Simulation(service, sites, 1, run, NoProgress(), {}, {})
    simulation.run()
    return simulation


@pytest.mark.parametrize("dies", [None, ("north", 0), ("south", 2), ("centre", 5)])
def test_a_buffer_of_all_gives_what_one_process_gives_whoever_dies(tmp_path, expected, dies):
    desks, outcome = led(tmp_path, 3, dies=dies)
    found, wanted = outcome.trainings["level_6"].progress, expected.trainings["level_6"].progress
    assert found.errors == wanted.errors
    assert not any(found.failures)
    trained = [(site, number) for site, verb, number in desks.trained if verb == TRAIN]
    assert Counter(trained) == {(site, number): 1 for site in SITES for number in range(6)}
    collected = {(site, number) for site, verb, number in desks.trained if verb == COLLECT}
    assert dies is None or dies in collected
    assert len(desks.leases) == (1 if dies is None else 2)


def test_each_fuses_with_what_is_there_and_none_counts_twice(tmp_path):
    desks, outcome = led(tmp_path, 1, dies=("north", 1))
    progress = outcome.trainings["level_6"].progress
    trained = [(site, number) for site, verb, number in desks.trained if verb == TRAIN]
    assert set(Counter(trained).values()) == {1}
    counted = Counter(site for errors in progress.errors[:6] for site in errors)
    assert counted == Counter(f"{site}/water" for site, _ in trained)
    assert progress.round == 6
    assert not progress.asynchronous.awaited


def test_a_lease_goes_on_while_nobody_waits_to_come_in(tmp_path):
    desks, _ = led(tmp_path, 3, rounds=2)
    alone = 3  # leases of two rounds
    assert len(desks.leases) == alone + 1
    assert len(desks.trained) == 6 * len(SITES)


def test_a_site_that_is_back_comes_in_at_the_next_lease(tmp_path):
    desks, outcome = led(tmp_path, 3, rounds=2, leaves_after=3)
    progress = outcome.trainings["level_6"].progress
    assert [one.sites for one in desks.leases[-2:]] == [("centre", "north"), SITES]
    assert progress.trained == {f"{site}/water": 6 for site in SITES}
    here, everybody = {"centre/water", "north/water"}, {f"{site}/water" for site in SITES}
    assert [set(one) for one in progress.errors] == [here] * 2 + [everybody] * 5
    assert {one.party for failed in progress.failures for one in failed} == {"south/water"}
