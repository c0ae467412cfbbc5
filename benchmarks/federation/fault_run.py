"""A federation under a fault: its processes, what ends them, and the wait for the run's end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.federation.fault_environment import clock_variables
from benchmarks.federation.fault_points import ROOT, Points
from benchmarks.federation.points.sitecustomize import FOLDER
from benchmarks.federation.processes import SITES, free_port
from deepcity.exchange.flare import kits, processes
from deepcity.runs.machines.status import local_kits

VICTIM = "centre"
PATIENCE_S, POLL_S = 900.0, 0.01
_LEASE_ROUNDS = 100  # one lease unless a fault ends it: a new one is most of a run's time
_EARLIER_S = 7200
_AGAIN = 2  # coordinators that stop for the same reason: the run ends there, the fault named


def provision(folder, map_file, host):
    """A federation's folder, with all kits."""
    settings = {"name": "faults", "host": host, "port": free_port()}
    settings |= {"map": str(map_file), "lease_rounds": _LEASE_ROUNDS}
    kits.new_federation(folder, kits.federation_of(settings))
    kits.add_sites(folder, SITES, {"map": str(map_file)})


def provision_earlier(folder, map_file, host):
    """The same in a process whose clock is two hours behind, for no certificate is of the future.

    Where a site's clock is wrong, that is all that shall be wrong.
    """
    where = ", ".join(f"Path({str(one)!r})" for one in (folder, map_file))
    code = (
        f"from benchmarks.federation.fault_run import Path, provision; provision({where}, {host!r})"
    )
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    clock = clock_variables(map_file.parent / "earlier", -_EARLIER_S)
    environment = {**os.environ, **clock, "PYTHONPATH": paths}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@dataclass
class FaultyRun:
    """One run.

    Attributes:
        folder: of the federation.
        points: at which its processes stop.
        variables: of a kit's processes, by site; "" is the hub and the coordinator.
        prefix: of a kit's start command, by site, as for a network of its own.
        slow: begins to slow a site down.
    """

    folder: Path
    points: Points
    variables: dict = field(default_factory=dict)
    prefix: dict = field(default_factory=dict)
    slow: Callable = lambda: None

    def kit(self, site=VICTIM):
        """A site's kit."""
        return kits.kit_folder(self.folder, site)

    @property
    def hub(self):
        """Kits of the hub and of the coordinator."""
        return kits.hub_folder(self.folder), self.folder

    def start(self, kit, **more):
        """Start a kit's keeper with the environment of its site."""
        site = kit.name if kit.parent.name == "sites" else ""
        with self.points.environment(site, **self.variables.get(site, {}), **more):
            if site not in self.prefix:
                processes.start(kit)
                return
            code = f"from pathlib import Path; processes.start(Path({str(kit)!r}))"
            code = f"from deepcity.exchange.flare import processes; {code}"
            subprocess.run([*self.prefix[site], sys.executable, "-c", code], check=True)

    def stop(self):
        """Stop all parts that run here."""
        for kit in reversed(local_kits(self.folder)):
            processes.stop(kit)

    def kill(self, kit, *words, keeper=False):
        """kill -9 of a kit's processes, or those with these words in their command."""
        for process in self.of(kit, *words, keeper=keeper):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def of(self, kit, *words, keeper=False):
        """A kit's processes; its keeper only if asked for."""
        found = []
        for process, command in _commands(self.points.folder):
            named = f"{kit.absolute()}/" in f"{command}/".replace("\0", "/")
            kept = "flare.keeper" not in command or keeper
            if named and kept and all(word in command for word in words):
                found.append(process)
        return found

    def commands(self):
        """All processes of this run that exist, and their commands."""
        return _commands(self.points.folder)

    def left(self):
        """Processes of this run that still exist."""
        return [process for process, _ in self.commands()]

    def status(self):
        """What the coordinator last reported."""
        try:
            return json.loads((self.folder / "run" / "status.json").read_text())
        except (OSError, ValueError):
            return {}

    def watch(self, make):
        """Wait for the end, and call `make` with the number of each point that is reached.

        Returns:
            why it stopped for good: "finished", the coordinator's reason, or nothing in time.
        """
        until, reasons = time.monotonic() + PATIENCE_S, set()
        while time.monotonic() < until:
            for number in self.points.reached():
                make(number)
                self.points.go_on(number)
            status = self.status()
            what = status.get("what", "")
            if what == "finished":
                return what
            if what.startswith("stopped"):
                reasons.add(status["time"])
                if len(reasons) >= _AGAIN:
                    return what
            time.sleep(POLL_S)
        return ""


def _commands(marker):
    """Processes that inherited a run's environment, and their commands."""
    found = []
    wanted = f"{FOLDER}={marker}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                command = (process / "cmdline").read_bytes().decode(errors="replace")
                if command:  # else it has ended, and waits for its parent
                    found.append((int(process.name), command))
        except OSError:
            continue
    return found
