"""A federation as it grows: seconds, bytes and memory at the hub, and where it becomes the limit.

Real processes for 3, 10 and 30 sites; the coordinator's own work with up to 1,000 simulated sites,
and a line through the smaller numbers that is checked against the larger ones; regional hubs.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.federation.fault_points import ROOT
from benchmarks.federation.overhead import wire_bytes
from benchmarks.federation.processes import pss_mb, running

REAL = (3, 10, 30)
FITTED, CHECKED = (3, 10, 30, 100), (200, 1000)
REGIONS = 32
CITIES = 10_000
ROUNDS, WARM = 10, 3
_SIZE = 1_000_000


def growth():
    """Tables of real and of simulated sites, the line through them, and regional hubs."""
    real = [_real(count) for count in REAL]
    made = {count: _simulated(count) for count in (*FITTED, *CHECKED)}
    regional = _simulated(max(CHECKED), REGIONS)
    flat = made[max(CHECKED)]
    off = float(np.abs(np.subtract(flat["mean"], regional["mean"])).max())
    lines = [
        "## A federation as it grows",
        "",
        f"1 MB each way and site. Real: hub and sites in processes of their own on this machine, "
        f"two each for a site; sites send back what they get. Median of {ROUNDS} rounds with least "
        "and greatest; bytes on the hub's port over payload; memory of the hub's processes and the "
        "coordinator (PSS: what they share is counted once).",
        "",
        "| real sites | a round, s | wire | hub, MB | all sites, MB |",
        "| ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {one['sites']} | {one['s']:.3f} ({one['least']:.3f} to {one['most']:.3f}) "
            f"| {one['wire']:.3f} | {one['hub_mb']:,.0f} | {one['sites_mb']:,.0f} |"
            for one in real
        ),
        "",
        _model([one["s"] for one in real]),
        "",
        "The coordinator's own work: messages, checks and FedAvg, with sites in its process that "
        "answer at once; greatest memory of a process that does nothing else.",
        "",
        "| simulated sites | a round, s | memory, MB | by the line, s | MB |",
        "| ---: | ---: | ---: | ---: | ---: |",
        *_simulated_rows(made),
        "",
        f"Regional hubs: {max(CHECKED):,} sites under {REGIONS} hubs, each a site of the next one. "
        f"Fused numbers differ by at most {off:.1e} from those of one hub; memory "
        f"{regional['memory_mb']:,.0f} MB instead of {flat['memory_mb']:,.0f}, a round "
        f"{regional['seconds']:.2f} s instead of {flat['seconds']:.2f} with all hubs in one "
        f"process, of which each region would do 1/{REGIONS} at the same time.",
        "",
        *_limit(made),
    ]
    return "\n".join(lines)


def _simulated(sites, regions=0):
    """One round at the hub, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.federation.growth_round", str(sites), str(regions)]
    found = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return json.loads(found.stdout)


def _simulated_rows(made):
    lines = {name: _line(FITTED, [made[n][name] for n in FITTED]) for name in _PARTS}
    for count, one in made.items():
        by_line = [
            f"{a + b * count:,.{digits}f}" if count in CHECKED else ""
            for (a, b), digits in zip(lines.values(), (2, 0), strict=True)
        ]
        yield (
            f"| {count:,} | {one['seconds']:.3f} | {one['memory_mb']:,.0f} | {by_line[0]} "
            f"| {by_line[1]} |"
        )


_PARTS = ("seconds", "memory_mb")


def _line(counts, values):
    """Least squares of values over counts: where it begins, and a site's part."""
    slope, start = np.polyfit(counts, values, 1, w=1 / np.sqrt(counts))
    return start, slope


def _model(seconds):
    start, slope = _line(REAL, seconds)
    return (
        f"A round takes {start:.2f} s and {1000 * slope:.0f} ms a site: with {CITIES:,} cities "
        f"{start + slope * CITIES:,.0f} s, if one hub of this machine's size could hold them."
    )


def _limit(made):
    lines = {name: _line(FITTED, [made[n][name] for n in FITTED]) for name in _PARTS}
    seconds, memory = (start + slope * CITIES for start, slope in lines.values())
    per_hub = int(np.sqrt(CITIES))
    small = [start + slope * per_hub for start, slope in lines.values()]
    yield (
        f"By the line one hub for {CITIES:,} cities would work {seconds:,.0f} s a round and hold "
        f"{memory / 1000:,.1f} GB; {per_hub} regional hubs of {per_hub} cities each, and one above "
        f"them, {2 * small[0]:,.1f} s (two hubs one after the other) and {small[1]:,.0f} MB each."
    )


def _real(count):
    """Rounds with so many sites in real processes."""
    from deepcity.exchange.message import Message

    names = tuple(f"site{number:02d}" for number in range(count))
    endpoint = "benchmarks.federation.raw_site."
    with (
        TemporaryDirectory() as folder,
        running(
            Path(folder), names, endpoint=f"{endpoint}RawSite", relay=f"{endpoint}RawRelay"
        ) as federation,
    ):
        exchange = federation.exchange()
        message = Message("echo", {}, {"h1": {"w": np.zeros(_SIZE // 4, np.float32)}})
        messages = dict.fromkeys(names, message)
        for _ in range(WARM):
            exchange.call_group(messages)
        before, seconds = wire_bytes(federation.port), []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            replies = exchange.call_group(messages)
            seconds.append(time.perf_counter() - begun)
            assert all(isinstance(one, Message) for one in replies.values())
        carried = wire_bytes(federation.port) - before
        hub, sites = _memory_mb(federation)
    return {
        "sites": count,
        "s": float(np.median(seconds)),
        "least": min(seconds),
        "most": max(seconds),
        "wire": carried / (2 * count * _SIZE * ROUNDS),
        "hub_mb": hub,
        "sites_mb": sites,
    }


def _memory_mb(federation):
    """Memory of the hub's processes with this one, and of all sites'."""
    hub, sites = pss_mb(os.getpid()), 0.0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(federation.hub) in command:
            hub += pss_mb(int(entry.name))
        elif os.fsencode(federation.folder) in command:
            sites += pss_mb(int(entry.name))
    return hub, sites
