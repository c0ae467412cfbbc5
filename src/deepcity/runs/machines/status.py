"""What an operator asks of a federation's folder: its kits here, its sites, its coordinator."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcity.city.errors import CheckpointError
from deepcity.exchange.flare import kits, processes
from deepcity.store.atomic import write_atomic

FINISHED = "finished"
STOPPED = "stopped, and is started again"
"""What a coordinator reports at its end, and before the reason why it stopped."""
_STATUS = "status.json"
_STATUS_PATIENCE_S = 5.0


def local_kits(folder: Path, *, hub_only: bool = False, revoked: bool = True) -> list[Path]:
    """The parts that can run on this machine: hub, sites, coordinator.

    Args:
        hub_only: without sites.
        revoked: with sites that may not come in.

    Raises:
        CheckpointError: if the folder is neither a federation nor a kit.
    """
    if processes.is_kit(folder):
        return [folder]
    federation = kits.read_federation(folder)
    sites = [] if hub_only else federation.sites
    if not revoked:
        sites = [site for site in sites if site not in federation.revoked]
    here = [kit for kit in (kits.kit_folder(folder, site) for site in sites) if kit.exists()]
    return [kits.hub_folder(folder), *here, folder]


def set_map(kit: Path, map_file: Path) -> None:
    """Note where the map file of a site's kit, or of a federation's folder, is on its machine.

    Raises:
        CheckpointError: if the folder is neither, or there is no such file.
    """
    federated = (kit / kits.FEDERATION).exists()
    if not federated and (not processes.is_kit(kit) or processes.is_hub(kit)):
        raise CheckpointError(f"{kit} is no site's kit and no federation; --map belongs to one")
    if not map_file.is_file():
        raise CheckpointError(f"{map_file} is no file; name the map file on this machine")
    if federated:
        kits.set_federation_map(kit, map_file)
        return
    data = json.dumps({"map": str(map_file.absolute())}, indent=1).encode()
    write_atomic(kit / "local" / kits.SITE_SETTINGS, data)


def sites_connected(folder: Path) -> tuple[str, ...]:
    """The sites that are connected to the hub now.

    Raises:
        ExchangeError: if the hub does not answer.
    """
    from deepcity.exchange.flare.engine import Operator

    operator = Operator(kits.operator_folder(folder), kits.OPERATOR, _STATUS_PATIENCE_S)
    try:
        return operator.connected()
    finally:
        operator.close()


def run_folder(folder: Path) -> Path:
    """Where a federation's coordinator keeps its run."""
    return folder / "run"


def vertical_folder(run: Path) -> Path:
    """Where results of vertical trainings lie in the coordinator's folder of a run."""
    return run / "vertical"


def write_status(
    run: Path,
    what: str,
    *,
    done: int = 0,
    rounds: int = 0,
    leases: int = 0,
    sites: Sequence[str] = (),
    left_out: Mapping[str, str] | None = None,
) -> None:
    """Write what the coordinator does now, or why it stopped, into the folder of its run.

    Args:
        done, rounds: of the training that runs.
        leases: taken so far.
        sites: in the lease that is held.
        left_out: parties that the run, or its newest round, goes on without, and why.
    """
    status = {"what": what, "round": done, "rounds": rounds, "leases": leases}
    status |= {"sites": list(sites), "left_out": dict(left_out or {}), "time": time.time()}
    write_atomic(run / _STATUS, json.dumps(status, indent=1).encode())


def read_status(folder: Path) -> dict[str, Any]:
    """What the coordinator of a federation's folder last wrote; empty where that is nothing."""
    try:
        found = json.loads((run_folder(folder) / _STATUS).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def coordinator_status(folder: Path) -> str:
    """What the coordinator last reported."""
    found = read_status(folder)
    if not found:
        return "coordinator: no round yet"
    ago = max(0, round(time.time() - found["time"]))
    text = f"coordinator, {ago} s ago: {found['what']}"
    if found["rounds"]:
        text += f", round {found['round']} of {found['rounds']}"
    if leases := found["leases"]:
        text += f", {leases} lease{'s' if leases != 1 else ''}"
    for party, reason in found.get("left_out", {}).items():
        text += f"\n{party} is left out: {reason}"
    return text
