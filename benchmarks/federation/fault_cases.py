"""The faults: each is made in one run, at the points where its processes stop for it."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from benchmarks.federation import site_network
from benchmarks.federation.fault_environment import (
    clock_variables,
    expire,
    fill,
    small_disk,
    why_no_clock,
    why_no_disk,
)
from benchmarks.federation.fault_points import EPISODES, JOINED, NEWCOMER, Point
from benchmarks.federation.fault_run import VICTIM, FaultyRun
from benchmarks.federation.fault_slow import brake
from deepcity.exchange.flare import kits, processes

Make = Callable[[FaultyRun, int], None]
IN_A_ROUND = (
    Point("asked", VICTIM, JOINED, 0),
    Point("trained", VICTIM, JOINED, 1),
    Point("fused", "", JOINED, 2),
    Point("kept", "", JOINED, 3),
)
AFTERWARDS = (
    Point("asked", "south", NEWCOMER, 1),
    Point("trained", VICTIM, EPISODES, 2),
    Point("choosing", VICTIM),
    Point("writing", VICTIM),
)
ONE = (IN_A_ROUND[1],)
CUT_S, BACK_S = 60.0, 5.0


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        points: where it is made.
        make: makes it at the point of this number.
        around: what holds while the run lasts; entered once its kits are there.
        why_not: why it cannot be made on this machine; empty if it can.
        host: by which sites find the hub.
        older_kits: certificates were made two hours before.
    """

    points: tuple[Point, ...] = ()
    make: Make = lambda _run, _number: None
    around: Callable[[FaultyRun], object] = lambda _run: nullcontext()
    why_not: Callable[[], str] = lambda: ""
    host: str = "127.0.0.1"
    older_kits: bool = False


def _victim(run, number):
    return run.kit(run.points.points[number].site or VICTIM)


def _kill_worker(run, number):
    run.kill(_victim(run, number), "worker_process")


def _kill_site(run, number):
    run.kill(_victim(run, number))


def _kill_server(run, _number):
    run.kill(run.hub[0])


def _kill_coordinator(run, _number):
    run.kill(run.folder, "machines.lead")


def _machine_dies(which):
    """All processes of a machine, keepers too; its operator starts it again."""

    def make(run, _number):
        machine = run.hub if which == "hub" else (run.kit(),)
        for kit in machine:
            os.kill(processes.running(kit), signal.SIGKILL)
            run.kill(kit, *(["machines.lead"] if kit == run.folder else []))
        time.sleep(BACK_S)
        for kit in machine:
            run.start(kit)

    return make


def _cut(seconds=None):
    def make(_run, _number):
        site_network.connect(up=False)
        if seconds is not None:
            timer = threading.Timer(seconds, site_network.connect, (True,))
            timer.daemon = True
            timer.start()

    return make


@contextmanager
def _apart(run):
    """The site in a network of its own."""
    run.prefix[VICTIM] = site_network.inside([])
    with site_network.site_network():
        yield


def _clock(shift):
    """The site's clock wrong from the start."""

    def around(run):
        run.variables[VICTIM] = clock_variables(run.folder / "clock", shift)
        return nullcontext()

    return around


def _clock_jumps(run, _number):
    (run.folder / "clock").write_text("+3600\n")


@contextmanager
def _own_disk(run):
    """All that the site writes goes to a little disk."""
    with small_disk(run.kit()):
        yield


def _disk_fills(run, number):
    if number == 0:
        fill(run.kit())
    else:
        (run.kit() / "filler").unlink()


@contextmanager
def _braked(run):
    """From its point on, the site's worker runs a twentieth of the time."""
    with brake(lambda: run.of(run.kit(), "worker_process")) as run.slow:
        yield


def _other_version(run, _number):
    processes.stop(run.kit())
    run.start(run.kit(), FAULT_VERSION="0.0.1")


def _version_from_start(run):
    run.variables[VICTIM] = {"FAULT_VERSION": "0.0.1"}
    return nullcontext()


def _certificate_expires(run, _number):
    expire(run.folder, run.kit())
    run.kill(run.kit())


def _revoked(run, _number):
    """As `deepcity federation revoke` does it; the site tries on."""
    kits.revoke_site(run.folder, VICTIM)
    processes.stop(run.kit())
    for kit in run.hub:
        processes.stop(kit)
    for kit in (*run.hub, run.kit()):
        run.start(kit)


def _older(run, number):
    """Keep the run's folder at one point; put it back at the next, all at the hub stopped."""
    copy, here = run.folder.parent / "older", run.folder / "run"
    if number == 0:
        shutil.copytree(here, copy)
        return
    for kit in reversed(run.hub):
        processes.stop(kit)
    shutil.rmtree(here)
    shutil.copytree(copy, here)
    for kit in run.hub:
        run.start(kit)


def _kept(number, training=JOINED):
    return Point("kept", "", training, number)


CASES = {
    "none": Case(),
    "kill -9 of a site's worker, in a round": Case(IN_A_ROUND, _kill_worker),
    "kill -9 of a site's worker, afterwards": Case(AFTERWARDS, _kill_worker),
    "kill -9 of a site, in a round": Case(IN_A_ROUND, _kill_site),
    "kill -9 of a site, afterwards": Case(AFTERWARDS, _kill_site),
    "kill -9 of the hub's server, in a round": Case(IN_A_ROUND, _kill_server),
    "kill -9 of the hub's server, afterwards": Case(AFTERWARDS, _kill_server),
    "kill -9 of the coordinator, in a round": Case(IN_A_ROUND, _kill_coordinator),
    "kill -9 of the coordinator, afterwards": Case(AFTERWARDS, _kill_coordinator),
    "a site's machine dies": Case(ONE, _machine_dies("site")),
    "the hub's machine dies": Case(ONE, _machine_dies("hub")),
    "network of a site cut for 60 s": Case(
        ONE, _cut(CUT_S), _apart, site_network.why_not, site_network.HUB
    ),
    "network of a site cut for good": Case(
        ONE, _cut(), _apart, site_network.why_not, site_network.HUB
    ),
    "a site 20 times slower": Case(IN_A_ROUND[:1], lambda run, _number: run.slow(), _braked),
    "a site's clock an hour ahead": Case(
        around=_clock("+3600"), why_not=why_no_clock, older_kits=True
    ),
    "a site's clock an hour behind": Case(
        around=_clock("-3600"), why_not=why_no_clock, older_kits=True
    ),
    "a site's clock jumps an hour ahead": Case(ONE, _clock_jumps, _clock("+0"), why_no_clock),
    "disk full at a site for two rounds": Case(
        (IN_A_ROUND[0], Point("asked", VICTIM, JOINED, 2)), _disk_fills, _own_disk, why_no_disk
    ),
    "disk full at a site for good": Case(IN_A_ROUND[:1], _disk_fills, _own_disk, why_no_disk),
    "a site of another version": Case(around=_version_from_start),
    "a site comes back with another version": Case(ONE, _other_version),
    "certificate of a site expired": Case(ONE, _certificate_expires),
    "certificate of a site revoked": Case(ONE, _revoked),
    "hub with a checkpoint one round older": Case((_kept(1), _kept(2)), _older),
    "hub with a checkpoint three rounds older": Case((_kept(0), _kept(3)), _older),
    "hub with a checkpoint of the training before": Case(
        (_kept(2, "water.level_2"), _kept(2)), _older
    ),
}
