"""The engine's processes on this machine: one keeper for the hub or a site, in the background.

A keeper starts the engine, starts it again after a crash, and ends it with all that it started.
"""

import contextlib
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

from deepcity.city.errors import ExchangeError
from deepcity.exchange.flare.kits import FEDERATION, MAP_LEADER, place_hub

PID = "keeper.pid"
LOG = "engine.log"
_KEEPER = "deepcity.exchange.flare.keeper"
_PATIENCE_S = 15.0


def is_hub(kit: Path) -> bool:
    """Whether this is the hub's kit; a site's otherwise."""
    return (kit / "startup" / "fed_server.json").exists()


def is_kit(folder: Path) -> bool:
    """Whether a folder is the hub's or a site's kit."""
    return is_hub(folder) or (folder / "startup" / "fed_client.json").exists()


def command_of(kit: Path) -> list[str]:
    """What a keeper runs: the engine for a kit, the coordinator for a federation's folder."""
    if (kit / FEDERATION).exists():
        return [sys.executable, "-m", MAP_LEADER, str(kit.absolute())]
    side, name = ("server", "fed_server") if is_hub(kit) else ("client", "fed_client")
    variables = ["secure_train=true", "org=hub" if side == "server" else "org=site"]
    if side == "client":
        variables.append(f"uid={_common_name(kit)}")
    return [
        sys.executable,
        "-u",
        "-m",
        f"nvflare.private.fed.app.{side}.{side}_train",
        "-m",
        str(kit.absolute()),
        "-s",
        f"{name}.json",
        "--set",
        *variables,
        "config_folder=config",
    ]


def _common_name(kit: Path) -> str:
    """A site's name, as its certificate holds it; the folder may be called anything."""
    name: str = json.loads((kit / "startup" / "fed_client.json").read_text())["client"]["fqsn"]
    return name


def running(kit: Path) -> int | None:
    """The keeper's process, if it runs.

    After a crash of the machine another process may have its number: one that is no keeper of
    this kit is neither taken for it nor ended.
    """
    try:
        pid = int((kit / PID).read_text())
        with contextlib.suppress(ChildProcessError):  # our own child, if it has ended
            os.waitpid(pid, os.WNOHANG)
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except (OSError, ValueError):
        return None
    kept = Path(os.fsdecode(words[-1])).resolve() == kit.resolve()
    return pid if kept and _KEEPER.encode() in words else None


def engine_runs(kit: Path) -> bool:
    """Whether a kit's keeper has an engine now; not, while a crashed one waits to be started."""
    pid = running(kit)
    if pid is None:
        return False
    try:
        return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    except OSError:
        return False


def check_path(folder: Path) -> None:
    """Refuse a folder whose name the engine's command lines cannot carry.

    Raises:
        ExchangeError: naming the characters.
    """
    if bad := sorted(set(re.findall(r"[^\w./+@:,-]", str(folder.absolute())))):
        raise ExchangeError(
            f"{folder.absolute()} holds {' '.join(map(repr, bad))}, which the engine cannot start "
            f"from; choose a folder named with letters, digits, -, _ and ."
        )


def start(kit: Path) -> int:
    """Start a keeper in the background; returns its process.

    Raises:
        ExchangeError: if one runs already, or the engine cannot start from this folder.
    """
    if (pid := running(kit)) is not None:
        raise ExchangeError(f"{kit} runs already, as process {pid}")
    check_path(kit)
    if is_hub(kit):
        place_hub(kit)
    command = [sys.executable, "-m", _KEEPER, str(kit.absolute())]
    with (kit / LOG).open("ab") as log:
        outputs = [(os.POSIX_SPAWN_DUP2, log.fileno(), number) for number in (1, 2)]
        pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=outputs, setsid=True)
    (kit / PID).write_text(str(pid))
    return pid


def stop(kit: Path) -> bool:
    """Stop a keeper and all that it started; returns whether one ran.

    Raises:
        ExchangeError: if it does not end.
    """
    if (pid := running(kit)) is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + _PATIENCE_S
    while running(kit) is not None:
        if time.monotonic() > until:
            raise ExchangeError(f"process {pid} of {kit} does not end; see {kit / LOG}")
        time.sleep(0.05)
    (kit / PID).unlink(missing_ok=True)
    return True
