"""Damaged files of every format: each is checked in a process apart, whose memory is measured.

    python -m benchmarks.damaged_files [--files 300] [--seed 0]

A file is damaged by flipped bits, by cutting it, or by garbage in its middle. Every check must
end with a report (a named problem, or none, where the damage left a file that can be read), never
in a traceback, in a killed process, or with over a gigabyte of memory.
"""

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import polars as pl

MOST_KB = 1_000_000
PATIENCE_S = 600
HOURS = 24 * 28
_AT_ONCE = 20  # files a process checks, one after another: most of a check is its start
_CHECK = """
import contextlib, io, json, pathlib, sys, traceback
from deepcity.cli import app

def peak_kb():
    return int(pathlib.Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])

for path in sys.argv[1:]:
    pathlib.Path('/proc/self/clear_refs').write_text('5')  # the peak begins anew
    out, wrong = io.StringIO(), ''
    try:
        with contextlib.redirect_stdout(out):
            app(['data', 'check', '--json', path], standalone_mode=False)
    except BaseException as error:
        if not isinstance(error, SystemExit) and type(error).__name__ != 'Exit':
            wrong = traceback.format_exc()[-600:]
    reply = {'wrong': wrong, 'peak_kb': peak_kb(), 'report': out.getvalue()}
    print(json.dumps(reply), flush=True)
"""
NAMED, FINE, TRACEBACK, MEMORY = "named error", "read fine", "traceback", "over 1 GB"


def frame() -> pl.DataFrame:
    """Four weeks of hours at three places."""
    times = [f"2024-01-{i // 24 + 1:02d} {i % 24:02d}:00" for i in range(HOURS)]
    places = {
        name: [(i * k) % 97 + i % 24 for i in range(HOURS)]
        for k, name in ((7, "a"), (13, "b"), (17, "c"))
    }
    return pl.DataFrame({"time": times, **places})


def city(source: str) -> str:
    """A city file for records of this source."""
    return f"""name = "town"
title = {{ en = "Town", ko = "마을" }}
[clock]
time_zone = "UTC"
step = "1h"
[[source]]
name = "records"
{source}
time = {{ column = "time" }}
[[agency]]
name = "office"
title = {{ en = "Office", ko = "사무소" }}
domain = "transport"
fields = [{{ name = "n", kind = "count", unit = "bikes", source = "records" }}]
places = ["a", "b", "c"]
"""


def _csv() -> bytes:
    return frame().write_csv().encode()


def _parquet() -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    frame().write_parquet(buffer)
    return buffer.getvalue()


def _workbook() -> bytes:
    from io import BytesIO

    import openpyxl

    workbook, buffer = openpyxl.Workbook(), BytesIO()
    workbook.active.append(frame().columns)
    for row in frame().rows():
        workbook.active.append(row)
    workbook.save(buffer)
    return buffer.getvalue()


WHOLE: dict[str, Callable[[], bytes]] = {
    "csv": _csv,
    "csv.gz": lambda: gzip.compress(_csv(), mtime=0),
    "xlsx": _workbook,
    "parquet": _parquet,
    "json": lambda: json.dumps({"data": frame().to_dicts()}).encode(),
    "toml": lambda: city('format = "csv"\npath = "whole.csv"').encode(),
}
_FORMATS = {"csv.gz": "csv", "xlsx": "excel"}


def damaged(whole: bytes, draw: random.Random) -> tuple[str, bytes]:
    """A file with one damage: what it is, and the content."""
    how, content = draw.choice(("bits", "cut", "garbage", "swap")), bytearray(whole)
    if how == "bits":
        for _ in range(draw.choice((1, 1, 3, 20))):
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    elif how == "cut":
        del content[draw.randrange(len(content)) :]
    elif how == "garbage":
        at, length = draw.randrange(len(content)), draw.choice((1, 50, 2000))
        content[at : at + draw.choice((0, length))] = draw.randbytes(length)
    else:  # a block of the file stands where another should
        size = min(512, len(content) // 4)
        one, other = (draw.randrange(len(content) - size) for _ in range(2))
        content[one : one + size] = whole[other : other + size]
    return how, bytes(content)


def check(paths: Sequence[Path]) -> list[tuple[str, int, str]]:
    """How the check of each file ends, its peak of memory in kB, and what is wrong with that.

    A process that dies takes no other file with it: the files behind it go into another.
    """
    found: list[tuple[str, int, str]] = []
    while len(found) < len(paths):
        done = subprocess.run(
            [sys.executable, "-c", _CHECK, *map(str, paths[len(found) :][:_AT_ONCE])],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S * _AT_ONCE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        found += [_ending(json.loads(line)) for line in done.stdout.splitlines()]
        if done.returncode:
            found.append((TRACEBACK, 0, f"exit {done.returncode}: {done.stderr[-400:]}"))
    return found


def _ending(reply: dict[str, Any]) -> tuple[str, int, str]:
    if reply["wrong"]:
        return TRACEBACK, reply["peak_kb"], reply["wrong"]
    if reply["peak_kb"] > MOST_KB:
        return MEMORY, reply["peak_kb"], f"{reply['peak_kb']:,} kB"
    (report,) = json.loads(reply["report"])
    return (NAMED if report["problems"] else FINE), reply["peak_kb"], ""


def run(
    files: int, seed: int, formats: Sequence[str] = tuple(WHOLE)
) -> tuple[Counter[tuple[str, str]], int, list[str]]:
    """(Format, ending) -> how many files; the highest peak in kB; each traceback or excess."""
    draw, whole = random.Random(seed), {form: WHOLE[form]() for form in formats}
    with tempfile.TemporaryDirectory(prefix="deepcity-") as name:
        made = [
            _made(Path(name) / str(number), form, whole[form], draw)
            for number, form in zip(range(files), cycle(formats), strict=False)
        ]
        endings = check([path for path, _, _ in made])
    found = Counter((form, end) for (_, form, _), (end, _, _) in zip(made, endings, strict=True))
    wrong = [
        f"{path.parent.name} {form} {how} {path.name}: {text}"
        for (path, form, how), (_, _, text) in zip(made, endings, strict=True)
        if text
    ]
    return found, max(peak_kb for _, peak_kb, _ in endings), wrong


def _made(folder: Path, form: str, whole: bytes, draw: random.Random) -> tuple[Path, str, str]:
    """A damaged file in a folder of its own: what to check, its format, its damage."""
    folder.mkdir()
    how, content = damaged(whole, draw)
    (folder / "whole.csv").write_bytes(_csv())
    (folder / f"r.{form}").write_bytes(content)
    if form == "toml" or draw.random() < 0.3:  # records without a city file are drafted
        return folder / f"r.{form}", form, how
    line = f'format = "{_FORMATS.get(form, form)}"\npath = "r.{form}"'
    (folder / "town.toml").write_text(city(line), encoding="utf-8")
    return folder / "town.toml", form, how


def main() -> None:
    """Print a table: formats by how their files ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    found, highest, wrong = run(arguments.files, arguments.seed)
    endings = (NAMED, FINE, TRACEBACK, MEMORY)
    print(f"{'format':<8}" + "".join(f"{ending:>13}" for ending in endings))
    for form in [*WHOLE, "all"]:
        counts = [
            sum(n for (one, end), n in found.items() if form in (one, "all") and end == ending)
            for ending in endings
        ]
        print(f"{form:<8}" + "".join(f"{count:>13}" for count in counts))
    print(f"highest peak of memory: {highest / 1000:,.0f} MB")
    print("\n".join(wrong))


if __name__ == "__main__":
    main()
