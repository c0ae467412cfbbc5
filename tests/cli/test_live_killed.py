"""`deepcity agent` killed with -9 at the three moments that count; `deepcity serve` looks on.

All are processes of their own: the agency kills itself at the very line, as a power cut would.
"""

import signal
import subprocess
import sys

import httpx
import pytest
from live_server import TOKENS, environment, free_port, ready, run_once, serve_process, store_of
from live_server import wait_for as wait
from live_town import HOUR, NOW, START
from test_live_commands import assert_whole, running

from deepcity.store.outbox import Outbox

HOURS = NOW // HOUR - START // HOUR
SINCE = ("--since", "2024-05-02T00:00:00Z")
DIES = """
import os, signal
from deepcity.store import outbox

def die(*_args, **_more):
    os.kill(os.getpid(), signal.SIGKILL)

def dies_before(name):
    setattr(outbox.Outbox, name, die)

def dies_before_commit():
    from contextlib import contextmanager
    whole = outbox.Outbox._writing
    @contextmanager
    def cut(self):
        with whole(self):
            yield
            if self._one("select count(*) from parcels"):
                die()
    outbox.Outbox._writing = cut

{moment}
from deepcity.cli import app
app()
"""
MOMENTS = {
    "encoded, and not yet written": 'dies_before("put")',
    "written, and not yet committed": "dies_before_commit()",
    "pushed, and the answer not yet kept": 'dies_before("confirm")',
}


def killed_at(moment, town, folder, address):
    """`deepcity agent` that kills itself there."""
    code = DIES.format(moment=MOMENTS[moment])
    call = [sys.executable, "-c", code, "agent", str(town.encoder_files["gates"])]
    call += ["--city", str(folder / "town.toml"), "--to", address, "--json", *SINCE]
    env = environment(DEEPCITY_TOKEN=TOKENS["gates"])
    return subprocess.run(call, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def server(town_trained, tmp_path):
    """A real `deepcity serve` that runs on while agencies die, and where it is."""
    folder, port = tmp_path / "killed", free_port()
    town_trained.copy_to(folder, HOURS - 3)
    url = f"duckdb:///{folder / 'deep.duckdb'}"
    with running(serve_process(town_trained, folder, port, url)) as process:
        address = f"http://127.0.0.1:{port}"
        wait(lambda: ready(address))
        yield folder, address, url, process


def newest(address):
    answer = httpx.get(f"{address}/agencies", params={"at": NOW}, trust_env=False).json()
    return next(one["newest"] for one in answer["agencies"] if one["name"] == "gates")


def test_killed_at_each_moment_it_loses_and_doubles_nothing(town_trained, server):
    """After each death three hours later: one pass, and the store has each row once."""
    folder, address, url, process = server
    for number, moment in enumerate(MOMENTS):
        hours, before = HOURS - 2 + number, newest(address)
        town_trained.copy_to(folder, hours)
        died = killed_at(moment, town_trained, folder, address)
        assert died.returncode == -signal.SIGKILL, (moment, died.stderr)
        with Outbox(folder / ".gates-ridership-live" / "outbox.sqlite") as outbox:
            waiting = outbox.waiting().parcels
        pushed = moment.startswith("pushed")
        assert bool(waiting) == pushed, moment
        assert (newest(address) != before) == pushed, moment
        result = run_once(town_trained, "gates", folder, address, *SINCE)
        assert result.exit_code == 0, (moment, result.stdout)
        assert '"sent"' in result.stdout
    process.send_signal(signal.SIGINT)
    process.wait(timeout=600)
    with store_of(town_trained, url) as store:
        assert_whole(town_trained, store, "gates", HOURS)
