"""A lease as the engine's job: a folder of two settings files, and no code."""

import json
from collections.abc import Sequence
from pathlib import Path

from deepcity.exchange.flare.kits import CONTROLLER, EXECUTOR, RELAY
from deepcity.store.atomic import write_atomic

SYNC_S = 120
"""Seconds in which every site's worker must have begun."""
_THREADS = 32  # calls at once, of one worker


def write_job(
    folder: Path, name: str, sites: Sequence[str], endpoint: str, relay: str = RELAY
) -> Path:
    """Write a job's folder; returns it.

    Args:
        name: of the job.
        sites: that take part; the job begins when all of them can.
        endpoint: class that answers at a site.
        relay: class that carries calls at the hub.
    """
    job = folder / name
    meta = {
        "name": name,
        "resource_spec": {},
        "min_clients": len(sites),
        "mandatory_clients": list(sites),
        "deploy_map": {"app": ["server", *sites]},
    }
    controller = {
        "server_obj_id": "_server",
        "sync_task_timeout": SYNC_S,
        "max_call_threads": _THREADS,
    }
    server = {
        "format_version": 2,
        "workflows": [{"id": "controller", "path": CONTROLLER, "args": controller}],
        "components": [{"id": "_server", "path": relay, "args": {"lease": name}}],
    }
    executor = {"client_obj_id": "_client", "max_call_threads": _THREADS}
    client = {
        "format_version": 2,
        "executors": [
            {"tasks": ["*"], "executor": {"id": "executor", "path": EXECUTOR, "args": executor}}
        ],
        "components": [{"id": "_client", "path": endpoint, "args": {}}],
    }
    config = job / "app" / "config"
    write_atomic(job / "meta.json", json.dumps(meta, indent=1).encode())
    write_atomic(config / "config_fed_server.json", json.dumps(server, indent=1).encode())
    write_atomic(config / "config_fed_client.json", json.dumps(client, indent=1).encode())
    return job
