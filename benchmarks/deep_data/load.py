"""Many clients at once, and for long: forecasts a second, latency, and memory of the server.

Clients ask for the forecast of now, all places as JSON, one request after another on a
connection each; agencies' deep data and own rows are those of `live`. The clients' process
takes one of the cores' time.
"""

import asyncio
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.deep_data.live import Served, served

CLIENTS, SECONDS, WARM_S = 500, 60, 5
SOAK_S, SOAK_CLIENTS, SOAK_WARM_S = 1800, 20, 300
BLOCK_S, FIVE_S = 60, 300


@dataclass
class _Found:
    """What the clients measured."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0


def load() -> str:
    """Forecasts a second and latency of many clients."""
    with TemporaryDirectory() as name, served(Path(name)) as server:
        before = _resident_mb(server.process)
        rows = []
        for title, head in (("whole answers", b""), ("304, as they have it", _tag(server))):
            cpu = _cpu_s(server.process)
            found = asyncio.run(_ask(server, CLIENTS, WARM_S + SECONDS, head))
            cpu = _cpu_s(server.process) - cpu
            rate = len(found.seconds) / SECONDS
            p50, p99 = np.quantile(found.seconds, [0.5, 0.99])
            rows.append(
                f"| {title} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {max(found.seconds):.2f} | "
                f"{found.failed} | {1000 * cpu / max(1, len(found.seconds)):.2f} |"
            )
        after = _resident_mb(server.process)
    lines = [
        "## Deep data live: many clients",
        f"{CLIENTS} clients for {SECONDS} s ask for the newest forecast of {server.places} places,",
        f"all steps, JSON of {server.answer_bytes / 1000:.0f} kB; each asks again as soon as it",
        f"is answered; counted after {WARM_S} s, when all are connected. Clients",
        "and server share the machine's cores.",
        "",
        "| | forecasts/s | p50, s | p99, s | longest, s | failed | server's CPU a forecast, ms |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *rows,
        "",
        f"Memory of the server: {before:.0f} MB before, {after:.0f} MB after.",
    ]
    return "\n".join(lines)


def soak() -> str:
    """Memory of the server over a long time."""
    with TemporaryDirectory() as name, served(Path(name)) as server:
        measured = asyncio.run(_soaked(server))
    warm_s = min(SOAK_WARM_S, SOAK_S / 2)
    late = np.array([(at, mb) for at, mb in measured if at >= warm_s])
    # by all looks: a single last one may lie anywhere
    slope_mb_s, level_mb = np.polyfit(*late.T, 1)
    off_mb = late[:, 1] - slope_mb_s * late[:, 0] - level_mb
    block = late[:, 0] // BLOCK_S  # looks beside one another are alike: blocks are not
    blocks_mb = [off_mb[block == one].mean() for one in np.unique(block)]
    error_mb_s = np.std(blocks_mb, ddof=2) / (BLOCK_S * np.sqrt(_squares(len(blocks_mb))))
    every = max(60, SOAK_S // 30)
    ends = range(every, SOAK_S + 1, every)
    shown = [f"{[mb for at, mb in measured if at <= end][-1]:.0f}" for end in ends]
    fives = range(0, SOAK_S, FIVE_S)
    means = [np.mean([mb for at, mb in measured if 0 <= at - one < FIVE_S]) for one in fives]
    lines = [
        "## Deep data live: memory over time",
        f"{SOAK_CLIENTS} clients for {SOAK_S / 60:.0f} min, at 40 different moments, places and",
        f"decisions; every 5 s an agency sends its last day again. {server.places} places.",
        "",
        f"Memory of the server after every {every} s: {', '.join(shown)} MB. Growth after",
        f"the first {warm_s / 60:.0f} min, by least squares: {60 * slope_mb_s:+.2f} "
        f"± {60 * error_mb_s:.2f} MB a minute (standard error, of means of {BLOCK_S} s).",
        f"Means of {FIVE_S / 60:.0f} min: {', '.join(f'{one:.1f}' for one in means)} MB.",
    ]
    return "\n".join(lines)


def _squares(count: int) -> float:
    """Sum of squares of 0, 1, ... less their mean."""
    return count * (count**2 - 1) / 12


async def _soaked(server: Served) -> list[tuple[float, float]]:
    """(seconds, MB) every ten seconds."""
    begun, measured = time.monotonic(), [(0.0, _resident_mb(server.process))]
    clients = asyncio.create_task(_ask(server, SOAK_CLIENTS, SOAK_S, b"", varied=True))
    while (at := time.monotonic() - begun) < SOAK_S:
        await asyncio.sleep(5)
        await asyncio.to_thread(server.send_again)
        measured.append((at, _resident_mb(server.process)))
    await clients
    return measured


async def _ask(
    server: Served, clients: int, seconds: float, head: bytes, *, varied: bool = False
) -> _Found:
    found, until = _Found(), time.monotonic() + seconds
    await asyncio.gather(
        *(_client(server, number, until, head, found, varied) for number in range(clients))
    )
    return found


async def _client(
    server: Served, number: int, until: float, head: bytes, found: _Found, varied: bool
) -> None:
    count = number
    while time.monotonic() < until:
        writer = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 20)
            while time.monotonic() < until:
                count += 1
                path = server.path(count) if varied else server.path(None)
                begun = time.monotonic()
                writer.write(b"GET %s HTTP/1.1\r\nhost: t\r\n%s\r\n" % (path.encode(), head))
                answer = await reader.readuntil(b"\r\n\r\n")
                size = [line for line in answer.lower().split(b"\r\n") if b"content-length" in line]
                if size:
                    await reader.readexactly(int(size[0].split(b":")[1]))
                if answer.split(b" ", 2)[1] not in {b"200", b"304"}:
                    found.failed += 1
                if begun > until - SECONDS or varied:  # all are connected by then
                    found.seconds.append(time.monotonic() - begun)
                if varied:
                    await asyncio.sleep(0.2)
        except (OSError, asyncio.IncompleteReadError):
            found.failed += 1
        finally:
            if writer is not None:
                writer.close()


def _tag(server: Served) -> bytes:
    return b"if-none-match: %s\r\n" % server.tag.encode()


def _cpu_s(process: int) -> float:
    """Seconds that all cores have worked for it."""
    numbers = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
