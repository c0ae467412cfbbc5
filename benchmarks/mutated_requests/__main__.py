"""Mutated tokens, requests and messages, as a running city and its sites are asked.

    python -m benchmarks.mutated_requests [--attempts 10000] [--seed 0]

Tokens that agencies sign are damaged, signed by a thief, signed by another algorithm, and signed
rightly over wrong claims; requests to all routes of a control room and an application come from
nobody, from an admin, from an agency and as raw bytes; messages between machines are damaged,
mutated, sent by strangers and in wrong envelopes. Each must be refused with a reason, or be one
that is as right as the whole one. None may be taken that nobody allowed, and none may end in an
error without a name, as a 500 is.
"""

import argparse
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # little cities, their servers

import live_server
import live_town

from benchmarks.endings_table import endings_table
from benchmarks.mutated_requests.endings import ENDINGS, REFUSED, WRONG, Kind
from benchmarks.mutated_requests.http_requests import request_kinds
from benchmarks.mutated_requests.messages import message_kinds
from benchmarks.mutated_requests.rooms import rooms
from benchmarks.mutated_requests.tokens import token_kinds
from benchmarks.peak_memory import peak_mb
from benchmarks.record import record

RECORDED = 10_000


def main() -> None:
    """Print a table: kinds by how they ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--attempts", type=int, default=RECORDED)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)  # each refusal is a line of a log
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="deepcity-") as name:
        folder = Path(name)
        os.environ["DEEPCITY_KEYS"] = str(folder / "keys")
        (folder / "town").mkdir()
        town = live_town.build(folder / "town")
        with rooms(town, folder) as opened, live_server.serving(opened.control.app) as address:
            kinds = [
                *token_kinds(),
                *request_kinds(opened, address.removeprefix("http://")),
                *message_kinds(),
            ]
            for kind in kinds:  # what is loaded once is not memory that attempts take
                kind.attempt(draw)
            before_mb, begun = peak_mb(), time.perf_counter()
            counts, wrong = attempts(kinds, arguments.attempts, draw)
            seconds, grown_mb = time.perf_counter() - begun, peak_mb() - before_mb
    text = _text([kind.name for kind in kinds], counts, arguments.attempts, arguments.seed)
    text += (
        f"\n\n{arguments.attempts:,} attempts in {seconds:.0f} s; memory grew by "
        f"{grown_mb:.0f} MB, servers and clients together."
    )
    print(text)
    print("\n".join(wrong))
    if arguments.attempts >= RECORDED:
        record("mutated-requests", text)


def attempts(
    kinds: list[Kind], number: int, draw: random.Random
) -> tuple[Counter[tuple[str, str]], list[str]]:
    """How many of each kind ended how, and all that ended as none may."""
    counts, wrong = Counter[tuple[str, str]](), []
    for one in range(number):
        kind = kinds[one % len(kinds)]
        found = kind.attempt(draw)
        counts[kind.name, found.partition(":")[0]] += 1
        if found.startswith(WRONG):
            wrong.append(f"{one} {kind.name}: {found[:500]}")
    return counts, wrong


def _text(kinds: list[str], counts: Counter[tuple[str, str]], number: int, seed: int) -> str:
    return (
        "## Mutated tokens, requests and messages\n\n"
        f"`python -m benchmarks.mutated_requests`, {number:,} attempts, seed {seed}: as a running "
        f"city and its sites are asked. *{REFUSED}*: with a reason. *another right one*: whoever "
        "sent it may send it, or everybody may. The last two must not be: taken from whom nobody "
        "allowed it, an error without a name (a 500).\n\n" + endings_table(kinds, ENDINGS, counts)
    )


if __name__ == "__main__":
    main()
