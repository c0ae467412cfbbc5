"""Leases for the coordinator: submit one, wait until its job is connected, renew it.

Submitting is idempotent twice over: a job of the same name is looked for first, and the engine
itself answers a repeated request with the first one's job.
"""

import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

from deepcity.city.errors import ExchangeError
from deepcity.exchange.flare.jobs import SYNC_S, write_job
from deepcity.exchange.flare.kits import RELAY
from deepcity.exchange.flare.leases import Lease, LeaseLostError, attempt_name
from deepcity.exchange.flare.link import CoordinatorLink

_log = logging.getLogger(__name__)
_POLL_S = 0.5
_OURS = "deepcity-"  # names of all leases begin so


class Jobs(Protocol):
    """What a lease needs of the engine."""

    def connected(self) -> tuple[str, ...]:
        """Names of the sites that are connected now."""
        ...

    def jobs(self, name: str) -> list[dict[str, Any]]:
        """Jobs whose names begin so."""
        ...

    def active(self, name: str) -> list[dict[str, Any]]:
        """Those of them that wait or run."""
        ...

    def submit(self, folder: Path, name: str) -> str:
        """Submit a job, once; returns its identity."""
        ...

    def abort(self, job: str) -> None:
        """End a job."""
        ...


@dataclass
class Leasing:
    """Takes leases for one coordinator.

    Attributes:
        jobs: the engine.
        link: the line that a lease's job connects to.
        endpoint: class that answers at a site.
        relay: class that carries calls at the hub.
        patience_s: seconds to wait for a job to begin.
    """

    jobs: Jobs
    link: CoordinatorLink
    endpoint: str
    relay: str = RELAY
    patience_s: float = SYNC_S + 60.0
    _job: str | None = field(default=None)

    def present(self, wanted: Sequence[str], patience_s: float, least: int) -> tuple[str, ...]:
        """The wanted sites that are connected; waits for the others.

        Raises:
            ExchangeError: if fewer than `least` are connected after the wait.
        """
        until = time.monotonic() + patience_s
        while True:
            connected = set(self.jobs.connected())
            found = tuple(site for site in wanted if site in connected)
            if len(found) == len(wanted):
                return found
            if time.monotonic() > until:
                break
            time.sleep(_POLL_S)
        if len(found) < least:
            absent = ", ".join(site for site in wanted if site not in found)
            raise ExchangeError(
                f"{len(found)} of {len(wanted)} sites are connected, {least} are needed. "
                f"Missing: {absent}. Start them: deepcity federation start KIT"
            )
        return found

    def take(self, lease: Lease) -> None:
        """Submit a lease's job, unless it is there already, and wait until it is connected.

        Raises:
            LeaseLostError: if it ended, or did not begin in time.
        """
        name = self._attempt(lease)
        self._end_others(name)
        folder = Path(mkdtemp(prefix="lease-"))
        try:
            active = [job for job in self.jobs.active(name) if job["job_name"] == name]
            self.link.wait_for(name, 0)
            if active:
                self._job = active[0]["job_id"]
            else:
                self._job = self.jobs.submit(
                    write_job(folder, name, lease.sites, self.endpoint, self.relay), name
                )
            self._await(name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def end(self, *, lost: bool = False) -> None:
        """Give the lease back; its job ends by itself and is waited for, a lost one is ended."""
        self.link.hang_up()
        job, self._job = self._job, None
        if job is None or self._has_ended(job, 0.0 if lost else self.patience_s):
            return
        self.jobs.abort(job)
        self._has_ended(job, self.patience_s)

    def _end_others(self, name: str) -> None:
        """End jobs of a coordinator that was killed: no site may have two workers."""
        until = time.monotonic() + self.patience_s
        aborted: set[str] = set()
        while others := [job for job in self.jobs.active(_OURS) if job["job_name"] != name]:
            for job in others:
                if job["job_id"] not in aborted:
                    self.jobs.abort(job["job_id"])
                    aborted.add(job["job_id"])
            if time.monotonic() > until:
                raise LeaseLostError(f"job {others[0]['job_name']} does not end")
            time.sleep(_POLL_S)

    def _attempt(self, lease: Lease) -> str:
        """The name of the job of this lease that is active, or of the next attempt."""
        jobs = self.jobs.jobs(lease.name + ".")
        active = {job["job_name"] for job in self.jobs.active(lease.name + ".")}
        return min(active) if active else attempt_name(lease.name, len(jobs))

    def _await(self, name: str) -> None:
        until = time.monotonic() + self.patience_s
        while time.monotonic() < until:
            if self.link.wait_for(name, _POLL_S):
                return
            if self._job is not None and not self._is_active(self._job):
                raise LeaseLostError(f"job {name} ended before all of its sites had begun")
        raise LeaseLostError(f"job {name} has not begun within {self.patience_s:.0f} s")

    def _has_ended(self, job: str, patience_s: float) -> bool:
        """Wait until a job has ended; whether it has."""
        until = time.monotonic() + patience_s
        while self._is_active(job):
            if time.monotonic() >= until:
                return False
            time.sleep(_POLL_S)
        return True

    def _is_active(self, job: str) -> bool:
        return any(one["job_id"] == job for one in self.jobs.active(_OURS))
