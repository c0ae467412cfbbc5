"""A real HTTP server around a live application: in a thread, or a process of its own."""

import gc
import os
import socket
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from processes import PATIENCE_S, begun
from typer.testing import CliRunner

from deepcity.cli import app
from deepcity.live.access import Access, AgencyEntry, GrantEntry
from deepcity.live.application import LiveApplication
from deepcity.store.open_store import open_store
from deepcity.web.api.app import create_app
from deepcity.web.server.serving import make_server

TOKENS = {"weather": "weather-token-0123456789", "gates": "gates-token-0123456789"}
SERVICE = "ridership"


def access(*names, readers=(), **grant):
    """Grants of these agencies; of both if none is named."""
    entry = GrantEntry(service=SERVICE, **grant)
    agencies = [AgencyEntry(name=n, token=TOKENS[n], grant=entry) for n in names or TOKENS]
    return Access(agency=tuple(agencies), reader=tuple(readers))


ACCESS_FILE = "\n".join(
    f'[[agency]]\nname = "{name}"\ntoken = "{token}"\n[agency.grant]\nservice = "{SERVICE}"'
    for name, token in TOKENS.items()
)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def store_of(town, url, allowed=None, days=36_500):  # the town lives in other years
    allowed = allowed or access()
    with open_store(url, allowed.may_read("town")) as store:
        for agency in town.fused.facts.agencies:
            store.register(agency.space, agency.width, days)
        yield store


@contextmanager
def serving(app, **how):
    """A server in a thread; gives its address."""
    port = free_port()
    with _running(make_server(app, "127.0.0.1", port, **how)):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serving_with(app, port, **settings):
    """A server at a port with settings of uvicorn, without our limits."""
    settings = {"log_level": "error", **settings}
    with _running(uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, **settings))):
        yield f"http://127.0.0.1:{port}"
    with warnings.catch_warnings():
        # a page that tries again has connections that the server accepted and never began
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@contextmanager
def _running(server):
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=30)


@contextmanager
def application_of(town, url, *, until=None, allowed=None, clock=time.time, **how):
    """A live application with its rows, served over HTTP: (address, application)."""
    allowed = allowed or access()
    with store_of(town, url, allowed) as store:
        application = LiveApplication(town.fused, store)
        application.load_rows(town.panel("metro", until))
        with serving(create_app(application, allowed, clock=clock, **how)) as address:
            yield address, application


def wait_for(done, seconds=PATIENCE_S):
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


def ready(address):
    try:
        return httpx.get(f"{address}/health", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def environment(**more):
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


def serve_process(town, folder: Path, port: int, store: str, *more, most_bytes=None, program=None):
    """`deepcity serve` in a process of its own; as `processes.begun` takes the rest."""
    (folder / "access.toml").write_text(ACCESS_FILE, encoding="utf-8")
    words = [
        "serve", town.fused_file, "--city", folder / "town.toml",
        "--access", folder / "access.toml", "--store", store, "--port", port, "--reload", "0.2",
        "--keep-days", "36500", *more,  # the town lives in other years
    ]  # fmt: skip
    quiet = None if "--json" in more else os.devnull
    return begun(words, environment(), program, output=quiet, most_bytes=most_bytes)


def agency_process(town, name, folder: Path, address: str, *more, program=None, **environ):
    """`deepcity agent` in a process of its own; as `processes.begun` takes the program."""
    words = [
        "agent", town.encoder_files[name], "--city", folder / "town.toml", "--to", address,
        "--json", "--every", "0.1", *more,
    ]  # fmt: skip
    return begun(words, environment(DEEPCITY_TOKEN=TOKENS[name], **environ), program)


def once(*call):
    """One pass of `deepcity agent` in this process; its exit code."""
    return run_once(*call).exit_code


def run_once(town, name, folder, address, *more):
    """One pass, and what it said."""
    call = ["agent", str(town.encoder_files[name]), "--city", str(folder / "town.toml")]
    call += ["--to", address, "--once", "--json", *more]
    return CliRunner().invoke(app, call, env={"DEEPCITY_TOKEN": TOKENS[name]})
