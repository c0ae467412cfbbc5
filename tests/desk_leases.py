"""Leases of a federation without its engine: desks of this process, new ones with each lease."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

from deepcity.exchange.flare.desk import Desk
from deepcity.exchange.flare.leases import Lease
from deepcity.exchange.flare.link import ANSWER, LOST, PING, Reply
from deepcity.exchange.flare.task import task_from
from deepcity.exchange.message import from_bytes

_PATIENCE_S = 30


@dataclass
class DeskLeases:
    """What a `LeaseHolder` needs of leases and of the line to their job.

    Attributes:
        kits: folders of the sites.
        away: sites that are not connected when the next lease is taken.
        before: called with site, verb and service before each call; its reply, if any, is given
            instead of the site's.
        changed: called with site, message and reply of each call between sites; its own reply, if
            any, is given instead.
        between: site, verb and caller of each call that a site made to another one.
    """

    kits: dict[str, Path]
    away: set[str] = field(default_factory=set)
    before: object = None
    changed: object = None
    sites: tuple[str, ...] = ()
    leases: list[Lease] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    between: list[tuple[str, str, str]] = field(default_factory=list)
    _desks: dict[str, Desk] = field(default_factory=dict)
    _one: Lock = field(default_factory=Lock)
    _answering: set[Event] = field(default_factory=set)

    def present(self, wanted, _patience_s, least):
        found = tuple(site for site in wanted if site not in self.away)
        assert len(found) >= least, f"{self.away} are away"
        return found

    def take(self, lease):
        from deepcity.runs.machines.map_site import MapSite

        for answered in tuple(self._answering):  # a dead lease's workers are gone, too
            answered.wait(_PATIENCE_S)
        self.leases.append(lease)
        self.sites = lease.sites
        self._desks = {
            site: MapSite().desk(site, self.kits[site], lease.sites, SiteLine(self, site))
            for site in lease.sites
        }

    def end(self, *, lost=False):
        self._desks = {}  # the line's `sites` stay those of the last lease, as the engine's do

    def ask(self, site, task, blob, _deadline_s):
        if task == PING:
            return Reply(ANSWER)
        call = site, from_bytes(blob).verb, task_from(task).service
        self.asked.append(call)
        if self.before is not None and (reply := self.before(*call)) is not None:
            return reply
        if site not in self._desks:
            return Reply(LOST, "no lease's job is connected")
        desk, answered = self._desks[site], Event()
        self._answering.add(answered)
        try:
            with self._one:  # sites share this process' random numbers
                return Reply(**desk.answer(task, blob, "coordinator"))
        finally:
            answered.set()
            self._answering.discard(answered)

    def ask_between(self, site, task, blob, caller):
        """A call of one site to another; the caller's name is the transport's."""
        if task == PING:
            return Reply(ANSWER)
        message = from_bytes(blob)
        self.between.append((site, message.verb, caller))
        if site not in self._desks:
            return Reply(LOST, "no lease's job is connected")
        reply = Reply(**self._desks[site].answer(task, blob, caller))
        changed = None if self.changed is None else self.changed(site, message, reply)
        return reply if changed is None else changed


@dataclass
class SiteLine:
    """The line of one site to the others."""

    leases: DeskLeases
    site: str

    def ask(self, site, task, blob, _deadline_s):
        return self.leases.ask_between(site, task, blob, self.site)
