"""Is what runs here of a federation as it should be? Asked by health checks of containers."""

from pathlib import Path
from typing import Any

from deepcity.city.errors import ExchangeError
from deepcity.exchange.flare import kits, processes
from deepcity.exchange.flare.certificates import kit_certificate, remark
from deepcity.runs.machines.status import FINISHED, STOPPED, read_status, sites_connected


def health_problems(folder: Path) -> list[str]:
    """What is wrong with a federation's hub and coordinator, or with one site, with reasons.

    A hub whose coordinator has finished is well. So is one that waits for sites: the hub is not
    what is wrong there.

    Raises:
        CheckpointError: if the folder is neither a federation nor a kit.
    """
    if processes.is_kit(folder):
        return _kit_problems(folder)
    kits.read_federation(folder)
    hub = kits.hub_folder(folder)
    found = _kit_problems(hub)
    found += _coordinator_problems(folder)
    if processes.running(hub) is not None:
        try:
            sites_connected(folder)
        except ExchangeError as error:
            found.append(str(error))
    return found


def _kit_problems(kit: Path) -> list[str]:
    found = [] if processes.running(kit) is not None else [f"{kit} is not running"]
    if found == [] and not processes.engine_runs(kit):
        found.append(f"{kit}: the engine has ended and is started again; see {kit / processes.LOG}")
    certificate = kit_certificate(kit)
    if certificate.expired():
        found.append(f"{kit}: {remark(certificate)}")
    return found


def _coordinator_problems(folder: Path) -> list[str]:
    status: dict[str, Any] = read_status(folder)
    what = str(status.get("what", ""))
    if what == FINISHED:
        return []
    if processes.running(folder) is None:
        return [f"the coordinator is not running; start it: deepcity federation start {folder}"]
    return [f"the coordinator: {what}"] if what.startswith(STOPPED) else []
