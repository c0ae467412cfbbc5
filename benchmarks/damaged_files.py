"""Damaged files of every format: each is checked in a process of its own, with bounded memory.

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
from pathlib import Path

import polars as pl

MOST_KB = 1_000_000
PATIENCE_S = 600
HOURS = 24 * 28
_CHECK = (
    "import os, sys; from deepcity.cli import app\n"
    "from pathlib import Path\n"
    "code = 0\n"
    "try: app(sys.argv[1:], standalone_mode=False)\n"
    "except SystemExit as end: code = end.code or 0\n"
    "peak = Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]\n"
    "print('PEAK', peak, file=sys.stderr)\n"
)
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


def check(path: Path) -> tuple[str, int, str]:
    """How the check of a file ends, its peak of memory in kB, and what it printed last."""
    done = subprocess.run(
        [sys.executable, "-c", _CHECK, "data", "check", "--json", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    peak_kb = int(done.stderr.rpartition("PEAK ")[2].split()[0]) if "PEAK " in done.stderr else 0
    if done.returncode or not peak_kb or "panicked" in done.stderr:
        return TRACEBACK, peak_kb, f"exit {done.returncode}: {done.stderr[-400:]}"
    if peak_kb > MOST_KB:
        return MEMORY, peak_kb, f"{peak_kb:,} kB"
    (report,) = json.loads(done.stdout)
    if report["problems"]:
        return NAMED, peak_kb, str(report["problems"][0]["reason"])
    return FINE, peak_kb, ""


def run(
    files: int, seed: int, formats: Sequence[str] = tuple(WHOLE)
) -> tuple[Counter[tuple[str, str]], int, list[str]]:
    """(Format, ending) -> how many files; the highest peak in kB; each traceback or excess."""
    found: Counter[tuple[str, str]] = Counter()
    draw, highest, wrong = random.Random(seed), 0, list[str]()
    whole = {form: WHOLE[form]() for form in formats}
    with tempfile.TemporaryDirectory(prefix="deepcity-") as name:
        folder = Path(name)
        (folder / "whole.csv").write_bytes(_csv())
        for number in range(files):
            form = formats[number % len(formats)]
            how, content = damaged(whole[form], draw)
            records = folder / f"r.{form}"
            records.write_bytes(content)
            path = records
            if form != "toml" and draw.random() < 0.7:  # else the records are drafted
                path = folder / "town.toml"
                line = f'format = "{_FORMATS.get(form, form)}"\npath = "r.{form}"'
                path.write_text(city(line), encoding="utf-8")
            ending, peak_kb, text = check(path)
            found[form, ending] += 1
            highest = max(highest, peak_kb)
            if ending in {TRACEBACK, MEMORY}:
                wrong.append(f"{number} {form} {how} {path.name}: {text}")
                if os.environ.get("KEEP_DAMAGED"):
                    (Path(os.environ["KEEP_DAMAGED"]) / f"{number}.{form}").write_bytes(content)
    return found, highest, wrong


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
