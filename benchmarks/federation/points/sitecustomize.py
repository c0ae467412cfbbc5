"""Holds a federation's process at one point of a run until the fault there is made.

Python runs this file when it starts, where its folder is on PYTHONPATH; nothing in the package
knows of it. `benchmarks.federation.fault_points` writes the points, and waits for them.
"""

import importlib.abc
import importlib.machinery
import json
import os
import sys
import time
from pathlib import Path

FOLDER, SITE, VERSION = "FAULT_POINTS", "FAULT_SITE", "FAULT_VERSION"
PATIENCE_S = 60.0
CALLS = {
    "deepcity.exchange.party": ("LearningParty", "_train", "asked", "trained"),
    "deepcity.exchange.coordinator": ("Coordinator", "_keep", "fused", "kept"),
    "deepcity.runs.choosing_site": ("ChoosingSite", "_choose", "choosing", "chosen"),
    "deepcity.runs.site": ("Site", "_write", "writing", "written"),
}
"""Module: class, method, and the points before and after it."""


def hold(point, training, number):
    """Stay here once, if this is a point of the plan, until its fault is made."""
    folder = Path(os.environ[FOLDER])
    for index, wanted in enumerate(json.loads((folder / "plan.json").read_text())):
        here = (point, os.environ.get(SITE, ""), number) == (
            wanted["point"],
            wanted["site"],
            wanted["round"],
        )
        if not here or not training.startswith(wanted["training"]):
            continue
        try:
            (folder / f"{index}.reached").touch(exist_ok=False)
        except FileExistsError:
            continue
        until = time.monotonic() + PATIENCE_S
        while not (folder / f"{index}.made").exists() and time.monotonic() < until:
            time.sleep(0.01)


def _named(name, owner, arguments):
    """Training and round of a call."""
    if name == "_train":
        return owner.training, int(arguments[0].numbers["round"])
    if name == "_keep":
        return arguments[0], arguments[2].progress.round - 1
    return "", 0


def _wrap(module):
    kind, name, before, after = CALLS[module.__name__]
    inner = getattr(getattr(module, kind), name)

    def held(self, *arguments):
        training, number = _named(name, self, arguments)
        hold(before, training, number)
        answer = inner(self, *arguments)
        hold(after, training, number)
        return answer

    setattr(getattr(module, kind), name, held)


class _Loader(importlib.abc.Loader):
    def __init__(self, inner):
        self._inner = inner

    def create_module(self, spec):
        return self._inner.create_module(spec)

    def exec_module(self, module):
        self._inner.exec_module(module)
        if module.__name__ in CALLS:
            _wrap(module)
        else:
            module.__version__ = os.environ.get(VERSION) or module.__version__


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if fullname not in CALLS and fullname != "deepcity":
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None:
            spec.loader = _Loader(spec.loader)
        return spec


if FOLDER in os.environ:
    sys.meta_path.insert(0, _Finder())
