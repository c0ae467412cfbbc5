"""From a CP949 CSV of 20 places and a year of hours to a forecast, in three commands."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

PLACES, DAYS, LIMIT_S = 20, 365, 180


def write_records(path: Path) -> None:
    """Counts as a Korean city hall exports them."""
    dice = np.random.default_rng(0)
    hours = np.arange(DAYS * 24)
    day = 1 - np.cos(2 * np.pi * (hours % 24 - 3) / 24)
    week = np.where(hours // 24 % 7 < 5, 1.0, 0.6)
    size = dice.lognormal(5, 1, PLACES)
    mean = day[:, None] * week[:, None] * size + 3
    noise = dice.lognormal(0, 0.15, mean.shape)
    counts = dice.poisson(mean * noise)
    begin = datetime(2023, 1, 1)  # noqa: DTZ001 - a wall clock
    head = ",".join(["일시", *(f"지점 {n + 1}" for n in range(PLACES)), "합계"])
    lines = [head]
    for hour, row in zip(hours, counts, strict=True):
        at = begin + timedelta(hours=int(hour))
        cells = [*row, row.sum()]
        texts = [f'"{cell:,}"' if cell > 999 else str(cell) for cell in cells]
        lines.append(",".join([f"{at.year}년 {at.month}월 {at.day}일 {at.hour}시", *texts]))
    path.write_text("\n".join(lines) + "\n", encoding="cp949")


def speed() -> str:
    """Run the three commands; Markdown with the seconds of each."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="front-door-") as folder:
        write_records(Path(folder) / "유동인구.csv")
        for words in (
            ["init", "유동인구.csv", "--yes", "--time-zone", "Asia/Seoul", "--name", "town"],
            ["run", "town.map.toml", "--threads", "2"],
            ["forecast", "runs/town", "--out", "tomorrow.csv"],
        ):
            rows.append((words, *_timed(words, folder)))
        lines = (Path(folder) / "tomorrow.csv").read_text(encoding="utf-8").count("\n") - 1
    wall, cpu = (sum(row[at] for row in rows) for at in (1, 2))
    text = [
        "## From records to a forecast in three commands",
        "",
        f"`python -m benchmarks.front_door speed`: a CP949 CSV of {PLACES} places and {DAYS} days "
        f"of hours, made by the script; {lines} rows of forecast. Limit: {LIMIT_S} s on two idle "
        "cores; beside other work the CPU seconds tell.",
        "",
        "| command | seconds | CPU seconds |",
        "| --- | --- | --- |",
        *(
            f"| `deepcity {' '.join(words)}` | {wall:.0f} | {cpu:.0f} |"
            for words, wall, cpu in rows
        ),
        f"| all | {wall:.0f} | {cpu:.0f} |",
    ]
    print("\n".join(text))
    return "\n".join(text)


def _timed(words: list[str], folder: str) -> tuple[float, float]:
    before, began = _cpu(), time.monotonic()
    command = [sys.executable, "-m", "deepcity", *words]
    path = os.environ.get("PYTHONPATH", "")
    src = os.pathsep.join(str(Path(one).absolute()) for one in path.split(os.pathsep) if one)
    subprocess.run(command, cwd=folder, check=True, env=os.environ | {"PYTHONPATH": src})
    return time.monotonic() - began, _cpu() - before


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
