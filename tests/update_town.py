"""A little town whose records go on after its map was run, for tests of refining."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
from little_map import LittleMap, flows, service

from deepcity.maps.city_map import load_map
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.runs.update.request import UpdateRequest
from deepcity.runs.update.run import refine_map
from deepcity.store.run_folder import site_folder

RUN_DAYS = 36  # 26 to learn from, 5 aside, 5 to test; each learned from once it is old enough
LIGHT = {"levels": (), "rounds": 3, "local_steps": 10, "refit_steps": 6}
SETTINGS = "pooled = false"


def turning(days: int, turn: int, seed: int) -> np.ndarray:
    """Flows whose answer to the last deviation turns round on a day."""
    rng = np.random.default_rng(seed)
    swing = np.zeros(days * 24)
    for step in range(1, len(swing)):
        swing[step] = (0.9 if step < turn * 24 else -0.9) * swing[step - 1] + rng.normal()
    return flows(days, 1, seed=seed) + swing[:, None]


def town(folder: Path, days: int = RUN_DAYS, **changed: np.ndarray) -> LittleMap:
    """Three parties: one steady, one whose law turns round as its test days begin, and one
    whose law does so too, but is gone again when the newest week comes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    back = np.concatenate([turning(90, 31, seed=2)[: 39 * 24], flows(51, 1, seed=8)])
    whole = {
        "east/calm": flows(90, 2, seed=1),
        "east/back": back,
        "west/turned": turning(90, 31, seed=3),
    }
    little = LittleMap(folder)
    for name, values in whole.items():
        little.party(name, changed.get(name.replace("/", "_"), values)[: days * 24])
    return little


def write(folder: Path, days: int = RUN_DAYS, **changed: np.ndarray) -> Path:
    """The town's files with so many days on record; the map file."""
    return town(folder, days, **changed).write(service(settings=SETTINGS, **LIGHT))


def copied(run_town: Path, folder: Path) -> Path:
    """A copy of a town and its run, to be changed."""
    shutil.copytree(run_town, folder, dirs_exist_ok=True)
    return folder


def own_prints(run: Path) -> dict[str, tuple[str, int]]:
    """`prints` of what every site of a run forecasts with."""
    return {
        name: found
        for site in (run / "sites").iterdir()
        for name, found in prints(site / "own").items()
    }


def prints(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file of a folder: its hash, and when it was written."""
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.iterdir())
    }


def refine(folder, **asked):
    """Refine the town in a folder; party -> what was found, and the problems."""
    found, trouble = refine_map(
        load_map(folder / "map.toml"), folder / "run", asked=UpdateRequest(**asked)
    )
    return {party.party: party for party in found.parties}, trouble


def package(folder, party):
    return BundleStore.of(site_folder(folder / "run", party)).load("water", party)
