"""What our exchange adds to its engine: a round of three sites, 1 MB each way, in one run."""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.federation.processes import SITES, free_port, running

SIZES = (10_000, 1_000_000)
ROUNDS, WARM, BLOCKS = 10, 3, 5


def overhead():
    """Seconds of a round, ours over the engine and over gRPC; bytes on the wire over payload."""
    with TemporaryDirectory() as folder, ExitStack() as open_now:
        endpoint = "benchmarks.federation.raw_site."
        federation = open_now.enter_context(
            running(Path(folder), endpoint=f"{endpoint}RawSite", relay=f"{endpoint}RawRelay")
        )
        channels = open_now.enter_context(_grpc_sites())
        rows = [_measured(federation, channels, size) for size in SIZES]
    lines = [
        "## Between machines: a round of three sites",
        "",
        f"Payload each way and site; median of {BLOCKS * ROUNDS} rounds, in {BLOCKS} blocks that "
        "take turns; gRPC without identity or encryption. Wire: bytes on the hub's "
        "port, as the kernel counts them, over payload.",
        "",
        "| payload | ours, ms | engine, ms | gRPC, ms | ours / engine | ours / gRPC | wire |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for size, ours, raw, grpc, wire in rows:
        lines.append(
            f"| {size / 1e6:g} MB | {ours * 1e3:.1f} | {raw * 1e3:.1f} | {grpc * 1e3:.1f} "
            f"| {ours / raw:.2f} | {ours / grpc:.1f} | {wire:.3f} |"
        )
    return "\n".join(lines)


def _measured(federation, channels, size):
    ours, raw, grpc = [], [], []
    exchange = federation.exchange()
    from deepcity.exchange.message import Message, to_bytes

    message = Message("echo", {}, {"h1": {"w": np.zeros(size // 4, np.float32)}})
    blob = to_bytes(message)
    messages = dict.fromkeys(SITES, message)
    for _ in range(WARM):
        exchange.call_group(messages)
    _raw(federation, len(blob), WARM)
    carried, rounds = 0, 0
    for _ in range(BLOCKS):
        before = wire_bytes(federation.port)
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            replies = exchange.call_group(messages)
            ours.append(time.perf_counter() - begun)
            assert all(isinstance(one, Message) for one in replies.values())
        carried += wire_bytes(federation.port) - before
        rounds += ROUNDS
        raw += _raw(federation, len(blob), ROUNDS)
        with ThreadPoolExecutor(len(SITES)) as pool:
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                back = list(pool.map(lambda echo: echo(blob, timeout=60), channels))
                grpc.append(time.perf_counter() - begun)
                assert all(len(one) == len(blob) for one in back)
    payload = 2 * len(SITES) * len(blob) * rounds
    return size, *(float(np.median(one)) for one in (ours, raw, grpc)), carried / payload


def _raw(federation, size, rounds):
    """Seconds of rounds by the engine's own calls, within the hub's job."""
    from benchmarks.federation.raw_site import RAW_FILE, RESULT_FILE

    found = federation.hub / "local" / RESULT_FILE
    found.unlink(missing_ok=True)
    part = federation.hub / "local" / f".{RAW_FILE}"
    part.write_text(json.dumps({"bytes": size, "rounds": rounds}))
    part.rename(federation.hub / "local" / RAW_FILE)
    until = time.monotonic() + 120
    while not found.exists():
        if time.monotonic() > until:
            sys.exit("the engine's own rounds did not end")
        time.sleep(0.02)
    return json.loads(found.read_text())


def wire_bytes(port):
    """Bytes that the hub has sent and received on its port so far, by the kernel's count."""
    text = subprocess.run(
        ["ss", "-tinH", "state", "established", f"( sport = :{port} )"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sum(int(n) for n in re.findall(r"bytes_(?:sent|received):(\d+)", text))


@contextmanager
def _grpc_sites():
    import grpc

    from benchmarks.federation.grpc_echo import MOST

    ports = [free_port() for _ in SITES]
    command = [sys.executable, "-m", "benchmarks.federation.grpc_echo"]
    sites = [subprocess.Popen([*command, str(port)], env=os.environ) for port in ports]
    try:
        channels = [grpc.insecure_channel(f"127.0.0.1:{port}", options=MOST) for port in ports]
        for channel in channels:
            grpc.channel_ready_future(channel).result(timeout=30)
        yield [channel.unary_unary("/bench/echo") for channel in channels]
        for channel in channels:
            channel.close()
    finally:
        for site in sites:
            site.kill()
            site.wait()
