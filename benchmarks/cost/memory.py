"""Peak memory of the demo-sized job."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.cost.setting import MAP, ROOT
from benchmarks.peak_memory import peak_mb
from deepcity.maps.city_map import load_map
from deepcity.runs.run import run_map


def memory() -> str:
    """Peak of a process that runs the demo's map with all data and methods, but few steps."""
    code = "from benchmarks.cost.memory import peak_of_demo; print(peak_of_demo())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    empty, peak = (float(part) for part in done.stdout.split()[-2:])
    return "\n".join(
        [
            "## Cost: peak memory of the demo-sized job",
            "The demo's map with all its parties, rows, methods and levels in one process, one",
            "round of 2 steps each; resident set, seed 0. A longer training was not measured here.",
            "",
            "| after importing | peak | goal |",
            "|---:|---:|---:|",
            f"| {empty:.0f} MB | {peak:.0f} MB | at most 2048 MB |",
        ]
    )


def peak_of_demo() -> str:
    """Megabytes held after importing, and at the peak; run this in a process of its own."""
    torch.set_num_threads(1)
    empty = peak_mb()
    city_map = load_map(MAP)
    services = []
    for service in city_map.services:
        short = service.settings.training.model_copy(
            update={"rounds": 1, "local_steps": 2, "refit_steps": 2}
        )
        settings = service.settings.model_copy(update={"training": short})
        services.append(replace(service, settings=settings))
    with TemporaryDirectory() as folder:
        run_map(replace(city_map, services=tuple(services)), Path(folder))
    return f"{empty} {peak_mb()}"
