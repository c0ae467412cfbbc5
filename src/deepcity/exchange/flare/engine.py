"""NVIDIA FLARE: the one file that imports it.

`Relay` is the job's end at the hub: it carries the coordinator's calls to sites and decides
nothing. `SiteEndpoint` is its end at a site: it takes the caller's name from the engine, which
took it from the certificate, and hands the bytes to a `Desk`. Both are classes of this package, so
that a site runs only code that it installed itself: no job brings code along, and a site's
allow-list names no other class (`deepcity.exchange.flare.kits`).
"""

import contextlib
import io
import json
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection
from pathlib import Path
from threading import Lock
from typing import Any

from nvflare.apis.job_def import RunStatus
from nvflare.collab import CollabCallError, collab
from nvflare.collab.api.exceptions import RunAborted
from nvflare.fuel.flare_api.api_spec import InternalError, JobNotRunning
from nvflare.fuel.flare_api.flare_api import new_secure_session
from nvflare.lighter.impl.cert import CertBuilder
from nvflare.lighter.impl.signature import SignatureBuilder
from nvflare.lighter.impl.static_file import StaticFileBuilder
from nvflare.lighter.impl.workspace import WorkspaceBuilder
from nvflare.lighter.provision import prepare_project
from nvflare.lighter.provisioner import Provisioner

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.flare.desk import Desk, reply_fields
from deepcity.exchange.flare.link import (
    ANSWER,
    FAILED,
    LINK_FILE,
    LOST,
    MOST_BYTES,
    PING,
    REFUSED,
    TIMEOUT,
    Reply,
    Wire,
    receive,
    send,
    without_delay,
)

_log = logging.getLogger(__name__)
_SERVER = "server"  # the engine's name of the hub within a job
_POLL_S = 0.5
_LOGIN_S = 5.0
_ACTIVE = (
    RunStatus.SUBMITTED.value,
    RunStatus.APPROVED.value,
    RunStatus.DISPATCHED.value,
    RunStatus.RUNNING.value,
)


@dataclass(frozen=True)
class EngineWire:
    """Carries bytes to the sites of a job; a `Wire`."""

    proxies: Mapping[str, Any]

    def ask(self, site: str, task: str, blob: bytes, deadline_s: float) -> Reply:
        """Ask one site; blocks until it answers or the deadline has passed."""
        if site not in self.proxies:
            return Reply(LOST, f"{site} is not in this job")
        try:
            found = self.proxies[site](timeout=deadline_s).answer(task=task, blob=blob)
            blob = found["blob"]
            if not isinstance(blob, bytes) or len(blob) > MOST_BYTES:
                raise ValueError(f"at most {MOST_BYTES:,} bytes are")
            return Reply(found["kind"], found["text"], blob, found["counts"])
        except CollabCallError as error:
            if isinstance(error.cause, TimeoutError):
                return Reply(TIMEOUT, f"no answer within {deadline_s:.0f} s")
            return Reply(FAILED if error.remote_traceback else LOST, str(error.cause))
        except RunAborted:
            return Reply(LOST, "the job is being ended")
        except (KeyError, TypeError, ValueError) as error:
            return Reply(LOST, f"its answer is not one: {type(error).__name__}: {error}")


class Relay:
    """The job's end at the hub.

    Args:
        lease: name of the job, by which the coordinator knows it.
    """

    def __init__(self, lease: str) -> None:
        self.lease = lease
        self._sending = Lock()

    @collab.main  # type: ignore[untyped-decorator]
    def lead(self, context: Any) -> None:  # noqa: ANN401 (the engine's)
        """Carry calls until the coordinator hangs up or is gone; then the job is done."""
        proxies = {proxy.name: proxy for proxy in context.clients}
        found = json.loads(Path(context.workspace.get_site_config_dir(), LINK_FILE).read_text())
        key = bytes.fromhex(found["key"])
        wire = EngineWire(proxies)
        with Client((found["host"], found["port"]), authkey=key) as line:
            without_delay(line)
            send(line, {"lease": self.lease, "sites": sorted(proxies)})
            pool = ThreadPoolExecutor(max_workers=4 * len(proxies), thread_name_prefix="relay")
            try:
                while not context.is_aborted():
                    if line.poll(_POLL_S):
                        head, blob = receive(line)
                        pool.submit(self._carry, line, wire, head, blob)
            except (EOFError, OSError):
                _log.info("the coordinator has hung up; lease %s ends", self.lease)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _carry(self, line: Connection, wire: Wire, head: dict[str, Any], blob: bytes) -> None:
        reply = wire.ask(head["site"], head["task"], blob, head["timeout"])
        found = {"id": head["id"], "kind": reply.kind, "text": reply.text}
        try:
            with self._sending:
                send(line, {**found, "counts": list(reply.counts)}, reply.blob)
        except OSError:
            _log.info("an answer came after the coordinator hung up")


class SiteEndpoint:
    """The job's end at a site; a subclass says which parties answer there."""

    def __init__(self) -> None:
        self._desk: Desk | None = None

    def desk(self, name: str, folder: Path, sites: tuple[str, ...], wire: Wire) -> Desk:
        """The parties that answer here.

        Args:
            name: of this site, as its certificate holds it.
            folder: the site's own: start kit, settings, checkpoints.
            sites: names of all sites of the job.
            wire: to the other sites.
        """
        raise NotImplementedError

    @collab.init  # type: ignore[untyped-decorator]
    def begin(self, context: Any) -> None:  # noqa: ANN401 (the engine's)
        """Prepare the desk; called once a job."""
        proxies = {proxy.name: proxy for proxy in context.clients}
        folder = Path(context.workspace.get_root_dir())
        self._desk = self.desk(
            context.app.name, folder, tuple(sorted(proxies)), EngineWire(proxies)
        )

    @collab.publish  # type: ignore[untyped-decorator]
    def answer(self, task: str, blob: bytes, context: Any) -> dict[str, Any]:  # noqa: ANN401
        """Answer one call; the caller's name is the engine's, not the message's."""
        if self._desk is None or not isinstance(task, str) or not isinstance(blob, bytes):
            return reply_fields(REFUSED, "a call is a text and bytes")
        if task == PING:
            return reply_fields(ANSWER, "")
        caller = COORDINATOR if context.caller == _SERVER else str(context.caller)
        return self._desk.answer(task, blob, caller)


class Operator:
    """Submits leases to the engine's server, and asks it for its state.

    A server that is away (it crashed, it starts) is waited for.

    Args:
        kit: the operator's folder.
        patience_s: seconds to wait for the server.
    """

    def __init__(self, kit: Path, user: str, patience_s: float = 120.0) -> None:
        self._kit, self._user, self._patience_s = kit, user, patience_s
        self._session: Any = None
        self._gone: set[str] = set()

    def connected(self) -> tuple[str, ...]:
        """Names of the sites that are connected now."""
        info = self._do(lambda session: session.get_system_info())
        return tuple(sorted(client.name for client in info.client_info))

    def jobs(self, name: str) -> list[dict[str, Any]]:
        """Jobs whose names begin so: `job_id`, `job_name`, `status`."""
        found: list[dict[str, Any]] = self._do(lambda session: session.list_jobs(name_prefix=name))
        return found

    def active(self, name: str) -> list[dict[str, Any]]:
        """Those of them that wait or run."""
        known = [job for job in self.jobs(name) if job["job_id"] not in self._gone]
        return [job for job in known if job["status"] in _ACTIVE]

    def submit(self, folder: Path, name: str) -> str:
        """Submit a job, once: a repeated request with the same name finds the first one's job."""
        job: str = self._do(lambda session: session.submit_job(str(folder), submit_token=name))
        return job

    def abort(self, job: str) -> None:
        """End a job; one that a crash of the server left as running for ever counts as ended."""

        def end(session: Any) -> None:  # noqa: ANN401 (the engine's)
            try:
                session.abort_job(job)
            except (JobNotRunning, InternalError) as error:
                if "not running" not in str(error):
                    raise
                self._gone.add(job)

        self._do(end)

    def revoke(self, site: str) -> None:
        """Refuse a site from now on, also after a restart of the server."""
        self._do(lambda session: session.disable_client(site))

    def close(self) -> None:
        """End the session."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _do(self, ask: Callable[[Any], Any]) -> Any:  # noqa: ANN401 (what the engine answers)
        until = time.monotonic() + self._patience_s
        while True:
            try:
                if self._session is None:
                    with contextlib.redirect_stdout(io.StringIO()):  # it prints that it connects
                        self._session = new_secure_session(
                            self._user, str(self._kit), timeout=_LOGIN_S, auto_login_max_tries=1
                        )
                return ask(self._session)
            except Exception as error:
                self.close()
                if time.monotonic() > until:
                    raise ExchangeError(
                        f"the hub's server does not answer: {type(error).__name__}: {error}. Is it "
                        f"running? deepcity federation status"
                    ) from error
                time.sleep(_POLL_S)


def provision(root: Path, project: Mapping[str, Any], authority_days: int) -> Path:
    """Write every participant's start kit; participants of earlier calls keep certificates.

    Args:
        root: holds the authority's private key; never leaves this machine.
        project: as the engine's project file.
        authority_days: that the authority's certificate counts; of one that is there, what it has.

    Returns:
        the folder of the newest kits, one a participant.
    """
    builders = [
        WorkspaceBuilder(),
        StaticFileBuilder(config_folder="config", scheme="grpc"),
        CertBuilder(root_valid_days=authority_days),
        SignatureBuilder(),
    ]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints where the kits are
        context = Provisioner(str(root), builders).provision(prepare_project(dict(project)))
    return Path(context.get_result_location())
