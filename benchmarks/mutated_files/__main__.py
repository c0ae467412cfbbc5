"""Mutated files of every kind that parties hand each other, read as their receiver reads them.

    python -m benchmarks.mutated_files [--files 10000] [--seed 0]

Sealed files (layer packages, encoders, applications, checkpoints) are damaged, sealed again, signed
by a thief, and signed by their own maker, who may be wrong or hostile; ledgers, heads, proofs,
grants and trust lists are damaged and edited. Each must be refused by a named error, be what it was
(where the mutation undid itself), or be another right file where its maker signed it or nobody
signs such files. Then come three traps: a sparse file of 100 GB, a named pipe, and a header that
lies about its length.
"""

import argparse
import os
import random
import shutil
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # little cities and ledgers

from benchmarks.endings_table import endings_table
from benchmarks.mutated_files.plain import text_kinds
from benchmarks.mutated_files.sealed import BY_MAKER, HOWS, NotFiniteError, sealed_kinds
from benchmarks.peak_memory import peak_mb
from benchmarks.record import record
from deepcity.city.errors import DeepCityError

REFUSED, SAME, OTHER = "refused", "as it was", "another right one"
CHANGED, UNNAMED, NOT_FINITE = "changed", "an unnamed error", "not finite"
ENDINGS = (REFUSED, SAME, OTHER, CHANGED, UNNAMED, NOT_FINITE)
RECORDED = 10_000
_SPARSE = 100 * 10**9
Case = tuple[str, Callable[[Path, random.Random], Path], Callable[[Path], str], str, bool]


def cases(folder: Path) -> list[Case]:
    """Name, what writes a mutated file, what reads it, what the whole one says, may it change."""
    found: list[Case] = []
    for kind in sealed_kinds(folder / "town"):
        whole = kind.use(kind.whole)
        for how in HOWS:
            found.append(
                (
                    f"{kind.kind}, {how}",
                    lambda at, draw, kind=kind, how=how: kind.mutated(how, at, draw),
                    kind.use,
                    whole,
                    how == BY_MAKER,
                )
            )
    for text in text_kinds(folder):
        found.append((text.name, text.mutated, text.use, text.use(text.whole), text.may_change))
    return found


def ending(use: Callable[[Path], str], path: Path, whole: str, *, may_change: bool) -> str:
    """How the reading of a file ends; an unnamed error with its type."""
    try:
        found = use(path)
    except DeepCityError:
        return REFUSED
    except NotFiniteError:
        return NOT_FINITE
    except Exception as error:
        return f"{UNNAMED}: {type(error).__name__}: {str(error)[:100]}"
    if found == whole:
        return SAME
    return OTHER if may_change else CHANGED


def traps(folder: Path, use: Callable[[Path], str]) -> dict[str, str]:
    """How the reading of files ends that would fill memory, or wait without end."""
    found = {}
    sparse, pipe, liar = (folder / f"{name}.layers" for name in ("sparse", "pipe", "liar"))
    with sparse.open("wb") as file:
        file.truncate(_SPARSE)
    os.mkfifo(pipe)
    liar.write_bytes(struct.pack("<Q", 2**60) + b'{"__metadata__":{}}')
    for path in (sparse, pipe, liar):
        found[path.stem] = ending(use, path, "", may_change=False)
        path.unlink()
    return found


def main() -> None:
    """Print a table: kinds by how their files ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=RECORDED)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    draw, counts, wrong = random.Random(arguments.seed), Counter[tuple[str, str]](), []
    with tempfile.TemporaryDirectory(prefix="deepcity-") as name:
        folder = Path(name)
        os.environ["DEEPCITY_KEYS"] = str(folder / "keys-of-the-maker")
        (folder / "town").mkdir()
        known = cases(folder)
        before_mb, begun = peak_mb(), time.perf_counter()
        for number in range(arguments.files):
            kind, write, use, whole, may_change = known[number % len(known)]
            at = folder / "mutated" / str(number)
            at.mkdir(parents=True)
            found = ending(use, write(at, draw), whole, may_change=may_change)
            counts[kind, found.partition(":")[0]] += 1
            if found.startswith((CHANGED, UNNAMED, NOT_FINITE)):
                wrong.append(f"{number} {kind}: {found}")
            shutil.rmtree(at)
        seconds, grown_mb = time.perf_counter() - begun, peak_mb() - before_mb
        caught = traps(folder, known[0][2])
        trap_mb = peak_mb() - before_mb - grown_mb
    text = _text([case[0] for case in known], counts, arguments.files, arguments.seed)
    text += (
        f"\n\n{arguments.files:,} files in {seconds:.0f} s; memory grew by "
        f"{grown_mb:.0f} MB. Traps: "
        + ", ".join(f"{name} {found}" for name, found in caught.items())
        + f"; memory grew by {trap_mb:.0f} MB."
    )
    print(text)
    print("\n".join(wrong))
    if arguments.files >= RECORDED:
        record("mutated-files", text)


def _text(kinds: list[str], counts: Counter[tuple[str, str]], files: int, seed: int) -> str:
    return (
        "## Mutated files\n\n"
        f"`python -m benchmarks.mutated_files`, {files:,} files, seed {seed}: mutated sealed "
        "files, ledgers, heads, proofs, grants and trust lists, read as their receiver reads them. "
        f"*{REFUSED}*: a named error. *{OTHER}*: its maker signed it so, or nobody signs such files"
        f". The last three must not be: {CHANGED} content read as right, {UNNAMED}, forecasts "
        f"that are {NOT_FINITE}.\n\n" + endings_table(kinds, ENDINGS, counts)
    )


if __name__ == "__main__":
    main()
