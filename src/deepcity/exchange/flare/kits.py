"""A federation's folder: settings, the authority, and a start kit for each participant.

FOLDER/federation.json   name, address, sites
FOLDER/authority/        private key of the federation's certificates; never leaves this machine
FOLDER/hub/              the hub's kit
FOLDER/operator/         the operator's kit, with which leases are submitted
FOLDER/sites/SITE/       a site's kit: all that its machine needs beside its own city file
FOLDER/renewed/SITE/     new certificates for a site whose kit is elsewhere, to be handed over
FOLDER/identities.json   public keys of all sites (`deepcity.exchange.flare.identities`)

A kit of the engine runs whatever classes a job names; ours do not: the allow-list holds the
classes of this package alone, and jobs that bring code are refused.
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepcity.city.errors import CheckpointError, ConfigError, ExchangeError
from deepcity.city.given_path import did_you_mean_path, path_kind
from deepcity.city.problem import Problem
from deepcity.exchange.flare.certificates import authority_days, forget
from deepcity.exchange.flare.identities import publish_identities
from deepcity.exchange.flare.need import require_engine
from deepcity.store.atomic import write_atomic

FEDERATION = "federation.json"
SITE_SETTINGS = "deepcity.json"
AUTHORITY, RENEWED = "authority", "renewed"
OPERATOR = "operator@deepcity.org"
CONTROLLER = "nvflare.collab.runtime.controller.CollabController"
EXECUTOR = "nvflare.collab.runtime.executor.CollabExecutor"
RELAY = "deepcity.exchange.flare.engine.Relay"
MAP_SITE = "deepcity.runs.machines.map_site.MapSite"
MAP_LEADER = "deepcity.runs.machines.lead"
"""Module that leads the rounds; named, for this row may not import it."""
_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_DISABLED = "disabled_clients.json"  # in the hub's kit; the engine reads it when it starts
_HEARTBEAT_TIMEOUT_S = 30  # a site that sent none for so long is not connected


class FederationFile(BaseModel):
    """What the operator decided.

    Attributes:
        name: of the federation.
        host, port: where sites find the hub; they connect outwards, nobody connects to them.
        sites: names; a site answers for the parties of a city or agency of that name.
        revoked: sites that may come in no more.
        lease_rounds: rounds of a job; sites that were away come in at the next one.
        endpoint: class that answers at a site.
        relay: class that carries calls at the hub.
        map: the map file, relative to the folder.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")] = "localhost"
    port: Annotated[int, Field(ge=1024, le=65535)] = 8002
    sites: list[str] = []
    revoked: list[str] = []
    lease_rounds: Annotated[int, Field(ge=1)] = 20
    endpoint: str = MAP_SITE
    relay: str = RELAY
    map: str = ""


def hub_folder(folder: Path) -> Path:
    """The hub's kit."""
    return folder / "hub"


def operator_folder(folder: Path) -> Path:
    """The operator's kit."""
    return folder / "operator"


def kit_folder(folder: Path, site: str) -> Path:
    """A site's kit."""
    return folder / "sites" / site


def federation_of(settings: Mapping[str, object]) -> FederationFile:
    """Settings of a new federation.

    Raises:
        ConfigError: with every problem.
    """
    try:
        return FederationFile.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(
            [
                Problem(FEDERATION, str(one["loc"][0]), str(one["input"]), one["msg"], "correct it")
                for one in error.errors(include_url=False)
            ]
        ) from None


def read_federation(folder: Path) -> FederationFile:
    """The settings of a federation.

    Raises:
        CheckpointError: if the folder holds none, or they cannot be read.
    """
    path = folder / FEDERATION
    try:
        return FederationFile.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        hint = did_you_mean_path(folder, lambda one: (one / FEDERATION).exists())
        raise CheckpointError(
            f"{folder} holds no federation ({path_kind(folder)}); {hint}"
            f"{'Make' if hint else 'make'} one with: deepcity federation new NAME --map FILE"
        ) from None
    except (OSError, ValidationError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error


def new_federation(folder: Path, federation: FederationFile) -> None:
    """Make a federation with a hub, and an authority of its own.

    Raises:
        ExchangeError: if the folder holds one already, or the engine is not installed.
    """
    require_engine()
    if (folder / FEDERATION).exists():
        raise ExchangeError(f"{folder} holds a federation already; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_atomic(folder / ".gitignore", b"*\n")  # private keys belong into no repository
    _provision(folder, federation, _kits(folder, federation), {})


def add_sites(folder: Path, names: Sequence[str], settings: dict[str, str]) -> list[Path]:
    """Add sites and write their kits; kits of others stay as they are.

    Args:
        settings: written into each site's `local/deepcity.json`.

    Raises:
        ExchangeError: naming every name that cannot be a site's.
    """
    require_engine()
    federation = read_federation(folder)
    bad = [name for name in names if not _SITE.fullmatch(name)]
    double = [name for name in names if name in federation.sites or names.count(name) > 1]
    if bad or double:
        raise ExchangeError(
            "; ".join(
                [f"{name!r} is no site's name: letters, digits, - and _ only" for name in bad]
                + [f"{name!r} is a site already" for name in dict.fromkeys(double)]
            )
        )
    federation.sites += names
    _provision(folder, federation, {name: kit_folder(folder, name) for name in names}, {})
    for name in names:
        target = kit_folder(folder, name) / "local" / SITE_SETTINGS
        write_atomic(target, json.dumps(settings, indent=1).encode())
    _publish(folder, federation)
    return [kit_folder(folder, name) for name in names]


def revoke_site(folder: Path, name: str) -> None:
    """Note that a site may come in no more; the hub reads it when it starts.

    Raises:
        ExchangeError: if there is no such site.
    """
    federation = read_federation(folder)
    if name not in federation.sites:
        known = ", ".join(federation.sites) or "none"
        raise ExchangeError(f"no site {name!r}; the sites are: {known}")
    if name not in federation.revoked:
        federation.revoked.append(name)
    write_atomic(
        hub_folder(folder) / _DISABLED,
        json.dumps({"disabled_clients": sorted(federation.revoked)}).encode(),
    )
    _publish(folder, federation)
    _write(folder, federation)


def _publish(folder: Path, federation: FederationFile) -> None:
    kits = {site: kit_folder(folder, site) for site in federation.sites}
    publish_identities(folder, kits, federation.revoked)


def _write(folder: Path, federation: FederationFile) -> None:
    write_atomic(folder / FEDERATION, federation.model_dump_json(indent=1).encode())


def renew_certificates(
    folder: Path, names: Sequence[str] = (), *, hub: bool = False
) -> dict[str, Path]:
    """Give new certificates, from the same authority, to sites, or to the hub and the operator.

    Args:
        names: of sites; none and not `hub`: all that may come in, the hub and the operator.
        hub: the hub and the operator, too.

    Returns:
        participant -> its kit, or, where that is elsewhere, the folder whose `startup/` is to be
        handed over in place of the kit's.

    Raises:
        ExchangeError: naming every site that there is not, or that was revoked.
        CheckpointError: if the authority is not on this machine, or cannot be read.
    """
    require_engine()
    federation = read_federation(folder)
    allowed = [site for site in federation.sites if site not in federation.revoked]
    if wrong := [name for name in names if name not in allowed]:
        known = ", ".join(allowed) or "none"
        raise ExchangeError(
            f"no site {', '.join(map(repr, wrong))} that may come in; such are: {known}"
        )
    everybody = not names and not hub
    wanted = [*(allowed if everybody else names)]
    wanted += [federation.host, OPERATOR] if everybody or hub else []
    forget(folder / AUTHORITY, wanted)
    kits = _kits(folder, federation)
    homes = {name: _home(folder, name, kits[name]) for name in wanted}
    _provision(folder, federation, {}, homes)
    return homes


def _home(folder: Path, name: str, kit: Path) -> Path:
    """Where new certificates of a participant go: its kit, or a folder to hand over."""
    return kit if kit.exists() else folder / RENEWED / name


def _kits(folder: Path, federation: FederationFile) -> dict[str, Path]:
    kits = {federation.host: hub_folder(folder), OPERATOR: operator_folder(folder)}
    return kits | {site: kit_folder(folder, site) for site in federation.sites}


def _provision(
    folder: Path, federation: FederationFile, new: Mapping[str, Path], renewed: Mapping[str, Path]
) -> None:
    """Write new kits, and new certificates into the folders of others; no other kit is touched.

    A kit that left for its machine is not written again: its key would be here once more.
    """
    from deepcity.exchange.flare.engine import provision

    root = folder / AUTHORITY
    made = provision(root, _project(federation), authority_days(root))
    for name, target in renewed.items():
        _replace(made / name / "startup", target / "startup")
    for name, target in new.items():
        if not target.exists():
            shutil.copytree(made / name, target)
            target.chmod(0o700)
            if name != OPERATOR:
                _restrict(target, federation)
    shutil.rmtree(made)  # private keys of participants lie in their kits alone
    _write(folder, federation)


def _replace(made: Path, target: Path) -> None:
    """Put a new folder in another one's place, whole: a key needs its certificate."""
    new, old = target.with_name("startup.new"), target.with_name("startup.old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o700)
    shutil.copytree(made, new)
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _project(federation: FederationFile) -> dict[str, Any]:
    hub = {"name": federation.host, "type": "server", "org": "hub"}
    ports = {"fed_learn_port": federation.port, "admin_port": federation.port}
    operator = {"name": OPERATOR, "type": "admin", "org": "hub", "role": "project_admin"}
    sites = [{"name": site, "type": "client", "org": "site"} for site in federation.sites]
    return {
        "api_version": 3,
        "name": federation.name,
        "participants": [{**hub, **ports}, *sites, operator],
    }


def _restrict(kit: Path, federation: FederationFile) -> None:
    """Only our classes, no code from elsewhere, and no file outside the kit."""
    local = kit / "local"
    resources = json.loads((local / "resources.json.default").read_text())
    resources["class_allow_list"] = [CONTROLLER, EXECUTOR, federation.relay, federation.endpoint]
    resources["allow_log_streaming"] = False  # a site's log may hold values of its rows
    kept = [one for one in resources["components"] if "log_" not in one["id"]]
    resources["components"] = kept
    if "servers" in resources:
        resources["servers"][0]["heart_beat_timeout"] = _HEARTBEAT_TIMEOUT_S
        _place(resources, kit)
        for component in kept:
            if component["id"] == "job_scheduler":
                component["args"] |= {"min_schedule_interval": 1.0, "max_schedule_interval": 5.0}
    write_atomic(local / "resources.json", json.dumps(resources, indent=1).encode())
    rules = json.loads((local / "authorization.json.default").read_text())
    rights = ("submit_job", "manage_job", "view", "operate", "download_job")
    rules["permissions"] = {"project_admin": dict.fromkeys(rights, "any")}
    write_atomic(local / "authorization.json", json.dumps(rules, indent=1).encode())


def _place(resources: dict[str, Any], kit: Path) -> None:
    """Name the hub's own folders, which the engine wants as whole paths."""
    storage = resources["snapshot_persistor"]["args"]["storage"]["args"]
    storage["root_dir"] = str(kit.absolute() / "snapshots")
    for component in resources["components"]:
        if component["id"] == "job_manager":
            component["args"]["uri_root"] = str(kit.absolute() / "jobs")


def place_hub(kit: Path) -> None:
    """Let the hub's kit name its folders where it lies now; it may have been moved, or mounted.

    Raises:
        CheckpointError: if its settings cannot be read.
    """
    path = kit / "local" / "resources.json"
    try:
        resources = json.loads(path.read_bytes())
        _place(resources, kit)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Put back the hub's kit") from error
    write_atomic(path, json.dumps(resources, indent=1).encode())


def set_federation_map(folder: Path, map_file: Path) -> None:
    """Note where a federation's map file is on this machine.

    Raises:
        CheckpointError: if the folder holds no federation.
    """
    federation = read_federation(folder)
    federation.map = str(map_file.absolute())
    _write(folder, federation)
