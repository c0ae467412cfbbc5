"""The federation of separate processes: a hub and three sites, under mutual TLS, in one lease.

Plays have the coordinator's line (what a hostile coordinator can send), and each site's own line
to the others (what a hostile city can).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from little_map import LittleMap, flows, service
from little_vertical import MEETING

from benchmarks.federation.processes import SITES, Federation, running
from benchmarks.red_team.hostile_site import LIAR, LIE, SENT, sending
from benchmarks.red_team.play import Ending, stopped_by
from deepcity.city.errors import ExchangeError
from deepcity.exchange.flare import kits
from deepcity.exchange.flare.certificates import authority_id
from deepcity.exchange.flare.link import ANSWER, FAILED
from deepcity.exchange.flare.machines import MachineExchange
from deepcity.exchange.flare.task import CallTask, site_of
from deepcity.exchange.message import Message, to_bytes
from deepcity.exchange.profile import DESCRIBE, profile_in
from deepcity.exchange.rounds import Progress, learn_together
from deepcity.exchange.trust.row_claims import ClaimTerms
from deepcity.intercity.method import Method
from deepcity.maps.city_map import CityMap, load_map
from deepcity.runs.trainings import ServiceRun

ENDPOINT = "benchmarks.red_team.hostile_site.HostileSite"
PARTIES = tuple(f"{site}/water" for site in SITES)
_PATIENCE_S = 60.0
_RUN = 3
"""Values in a row that count as a record."""


@dataclass
class Machines:
    """A federation whose processes run.

    Attributes:
        folder: of its map, and whatever plays write.
    """

    folder: Path
    federation: Federation
    city_map: CityMap

    def kit(self, site: str) -> Path:
        """A site's kit."""
        return kits.kit_folder(self.federation.folder, site)

    def task(self, party: str, **more: object) -> CallTask:
        """The envelope of a call; by default of the training at level 2."""
        known = {"service": "water", "training": "water.level_2", "method": "level_2", "level": 2}
        return CallTask.model_validate({"party": party, **known, **more})

    def exchange(self, parties: tuple[str, ...] = PARTIES, **more: object) -> MachineExchange:
        """The coordinator's."""
        link, tasks = self.federation.link, {one: self.task(one, **more) for one in parties}
        return MachineExchange(link, parties, link.sites, tasks)

    def ask(self, party: str, message: Message, **more: object) -> Message:
        """A call of the coordinator, which may name any task.

        Raises:
            ExchangeError: if the party refuses.
        """
        return self.exchange((party,), **more).call(party, message)

    def ask_raw(self, site: str, task: str, blob: bytes) -> str:
        """Any text and bytes from the coordinator.

        Raises:
            ExchangeError: if the site refuses.
            RuntimeError: if it fails otherwise.
        """
        reply = self.federation.link.ask(site, task, blob, _PATIENCE_S)
        return _answered(reply.kind, reply.text)

    def refused_to_site(self, words: str, party: str, message: Message, **more: object) -> Ending:
        """A call that the hostile site sends to another one, which must be refused."""
        whole = {"caller": "", "service": "water", "training": "water.level_2", **more}
        parts = {
            "site": str(site_of(party, self.federation.link.sites)).encode(),
            "task": self.task(party, **whole).model_dump_json().encode(),
            "blob": to_bytes(message),
        }

        def attempt() -> str:
            answer = self.exchange((LIAR,)).call(LIAR, sending(parts))
            reply = json.loads(np.asarray(answer.layers[SENT]["reply"]).tobytes())
            return _answered(reply["kind"], reply["text"])

        return stopped_by(ExchangeError, words, attempt)

    def rounds(self, lie: str = "") -> Progress:
        """Rounds of all three members at level 2, in which one lies.

        Raises:
            ExchangeError: if a member cannot join.
        """
        path = self.kit(LIAR) / LIE
        path.write_text(lie)
        try:
            exchange, levels = self.exchange(), dict.fromkeys(PARTIES, 2)
            asked = self.exchange(training="", method="", level=0)
            profiles = {
                one: profile_in(asked.call(one, Message(DESCRIBE)).numbers) for one in PARTIES
            }
            settings = self.city_map.services[0].settings
            run = ServiceRun(settings, profiles, self.city_map.settings.seed)
            method = Method("level_2", levels)
            terms = ClaimTerms(authority_id(self.kit(LIAR)), run.training(method))
            return learn_together(exchange, replace(run.plan(method), claims=terms))
        finally:
            path.unlink()

    def record_runs(self, site: str) -> set[bytes]:
        """Runs of a site's records, as the bytes of their numbers."""
        values_T = flows(seed=SITES.index(site), places=1).round(4)[:, 0]
        windows = np.lib.stride_tricks.sliding_window_view(values_T, _RUN)
        return {one.astype(kind).tobytes() for one in windows for kind in (np.float32, np.float64)}

    @cached_property
    def theirs(self) -> Path:
        """Another federation of the same names, on the same port; its kits alone."""
        folder = self.folder / "theirs"
        wanted = {"name": "bench", "port": self.federation.port}
        kits.new_federation(folder, kits.federation_of(wanted))
        kits.add_sites(folder, SITES, {"map": ""})
        return folder


def _answered(kind: str, text: str) -> str:
    if kind == FAILED:
        raise RuntimeError(text)
    if kind != ANSWER:
        raise ExchangeError(text)
    return text or kind


def _map(folder: Path) -> Path:
    """Water of three cities at level 2, in plain rounds and in sums; weather that helps one."""
    folder.mkdir()
    little = LittleMap(folder)
    for seed, party in enumerate(PARTIES):
        little.party(party, flows(seed=seed, places=1))
    little.party("north/weather", flows(seed=9, places=1))
    plain = service(levels=(2,), rounds=2, settings="pooled = false", grant="level = 2")
    more = "[service.strategy]\naggregation = 'secure'\nweighting = 'equal'\n"
    secure = service("secure", levels=(), rounds=2, settings="pooled = false", more=more)
    meeting = MEETING.format(more="", agency="")
    vertical = service("vertical", levels=(), rounds=2, settings="pooled = false", more=meeting)
    of_water = (one.replace('["*/*"]', '["*/water"]') for one in (plain, secure))
    return little.write(*of_water, vertical.replace('["*/*"]', '["north/water"]'))


@contextmanager
def machines(folder: Path) -> Iterator[Machines]:
    """The stage: provisioned, started and with a lease; at the end nothing is left running."""
    folder.mkdir(parents=True)
    map_file = _map(folder / "map")
    with running(folder / "federation", endpoint=ENDPOINT, map=str(map_file)) as federation:
        yield Machines(folder, federation, load_map(map_file))
