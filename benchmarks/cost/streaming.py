"""Files larger than the memory a process may have, read as every city file is read.

Rows by the minute become panels by the hour. A process of its own loads each file under a
hard limit of the data it may hold (RLIMIT_DATA), smaller than the file; the panel must equal
the one that is worked out without reading.

Shapes: T minutes (or tens of minutes), N places.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import numpy as np
import polars as pl

from benchmarks.cost.setting import MB, ROOT
from deepcity.city.arrays import Doubles, Ints
from deepcity.data.city_file import load_city, load_panel

GIB = 1024**3
LIMIT = 2 * GIB
BEGIN = np.datetime64("2020-01-01T00:00", "m")
CHUNK = 20_000  # steps written at once
TOWN = """
name = "town"
title = {{ en = "Town", ko = "마을" }}
clock = {{ time_zone = "UTC", step = "1h" }}
[[source]]
name = "records"
{source}
[[agency]]
name = "office"
title = {{ en = "Office", ko = "사무소" }}
domain = "resources"
fields = [{{ name = "value", kind = "flow", unit = "L/s", source = "records" }}]
places = [{places}]
"""


@dataclass(frozen=True)
class Big:
    """One sort of file.

    Attributes:
        file: its name.
        source: keys of its source.
        steps, minutes: how many rows a place has, and how far apart.
        places: how many.
        write: puts it on disk.
    """

    file: str
    source: str
    steps: int
    minutes: int
    places: int
    write: Callable[["Big", Path], None]

    def values_TN(self, start: int, end: int) -> Doubles:
        """Numbers of seven digits that can be worked out again."""
        return _value(np.arange(start, end)[:, None], np.arange(self.places))

    def times(self, start: int, end: int) -> pl.Series:
        """Texts as in most files."""
        moments = (BEGIN + np.arange(start, end) * self.minutes).astype("datetime64[us]")
        return pl.Series("time", moments).dt.strftime("%Y-%m-%d %H:%M")

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Some steps at a time."""
        for start in range(0, self.steps, CHUNK):
            yield start, min(start + CHUNK, self.steps)

    def wide(self, start: int, end: int) -> pl.DataFrame:
        """A row a time, a column a place."""
        columns = {f"p{n}": column for n, column in enumerate(self.values_TN(start, end).T)}
        return pl.DataFrame({"time": self.times(start, end), **columns})


def _value(step: Ints, place: Ints) -> Doubles:
    return (step * 7919 + place * 104_729) % 1_000_003 / 1000 + 1000


def _wide(big: Big, path: Path) -> None:
    with path.open("wb") as file:
        for start, end in big.chunks():
            big.wide(start, end).write_csv(file, include_header=start == 0, float_precision=3)


def _long(big: Big, path: Path) -> None:
    with path.open("wb") as file:
        for start, end in big.chunks():
            rows = big.wide(start, end).unpivot(index="time", variable_name="place")
            rows.write_csv(file, include_header=start == 0, float_precision=3)


def _turned(big: Big, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("place," + ",".join(big.times(0, big.steps)) + "\n")
        for n in range(big.places):
            cells = np.char.mod("%.3f", _value(np.arange(big.steps), np.array(n)))
            file.write(f"p{n}," + ",".join(cells.tolist()) + "\n")


def _one_group(big: Big, path: Path) -> None:
    parts = [big.wide(start, end) for start, end in big.chunks()]
    pl.concat(parts).write_parquet(path, row_group_size=big.steps, compression="uncompressed")


CSV = 'format = "csv"\npath = "{file}"\n'
TIME = 'time = {{ column = "time" }}\n'
FILES = {
    "wide CSV, a column a place": Big("wide.csv", CSV + TIME, 1_020_000, 1, 300, _wide),
    "long CSV, a row a place and time": Big(
        "long.csv", CSV + TIME + 'layout = "long"\nplace = "place"', 960_000, 1, 100, _long
    ),
    "CSV to transpose, a column a time": Big(
        "turned.csv",
        CSV + 'transpose = true\ntime = {{ column = "place" }}',
        60_000,
        10,
        5_000,
        _turned,
    ),
    "Parquet, all rows in one group": Big(
        "group.parquet", 'format = "parquet"\npath = "{file}"\n' + TIME, 1_140_000, 1, 300,
        _one_group,
    ),
}  # fmt: skip


def streaming() -> str:
    """A line a sort of file."""
    lines = [
        "## Cost: files larger than memory",
        "Rows by the minute (to transpose: by ten minutes) become panels by the hour, in a process",
        f"that may hold {LIMIT / GIB:.1f} GiB of data in all (RLIMIT_DATA); each panel equals the",
        "one worked out without reading. Peak: memory of its own, libraries included, pages of",
        "files left out (looked at 20 times a second). CPU seconds.",
        "",
        "| file | GiB | values | peak, MB | seconds | panel, MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, big in FILES.items():
        with TemporaryDirectory(prefix="deepcity-bench-") as folder:
            lines.append(_line(name, big, Path(folder)))
            print(lines[-1], flush=True)
    return "\n".join(lines)


def _line(name: str, big: Big, folder: Path) -> str:
    path = folder / big.file
    big.write(big, path)
    size = path.stat().st_size
    assert size > LIMIT, f"{name} holds {size / GIB:.2f} GiB only"
    places = ", ".join(f'{{ id = "p{n}" }}' for n in range(big.places))
    source = big.source.format(file=big.file)
    (folder / "town.toml").write_text(TOWN.format(source=source, places=places), encoding="utf-8")
    code = f"from benchmarks.cost.streaming import load; print(load({name!r}, {str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return f"| {name} | {size / GIB:.1f} | failed: {done.stderr.strip().splitlines()[-1]} |"
    peak, seconds, panel = (float(part) for part in done.stdout.split()[-3:])
    return (
        f"| {name} | {size / GIB:.1f} | {big.steps * big.places:,} | {peak:.0f} | {seconds:.0f} "
        f"| {panel:.0f} |"
    )


def load(name: str, folder: str) -> str:
    """Peak, CPU seconds and the panel's size; run this in a process of its own."""
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    seen = [0.0]
    Thread(target=_watch, args=(seen,), daemon=True).start()
    big, begun = FILES[name], time.process_time()
    panel = load_panel(load_city(Path(folder) / "town.toml"), "office")
    seconds = time.process_time() - begun
    each = 60 // big.minutes
    hours = len(panel.time_T)
    for hour in range(0, hours, max(1, hours // 500)):
        right_N = big.values_TN(hour * each, (hour + 1) * each).mean(axis=0)
        np.testing.assert_allclose(panel.values_TNF[hour, :, 0], right_N, rtol=1e-5)
    assert hours == big.steps // each, f"{hours} hours"
    return f"{max(seen)} {seconds} {panel.values_TNF.nbytes / MB / MB}"


def _watch(seen: list[float]) -> None:
    """Megabytes of its own that this process holds, again and again."""
    while True:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        held = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
        seen[0] = max(seen[0], float(held.split()[1]) / MB)
        time.sleep(0.05)
