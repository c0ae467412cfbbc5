"""Our counts beside those that ST-HSL ships (Datasets/*/trn.pkl, val.pkl, tst.pkl).

    python -m benchmarks.crime --tensors FOLDER

FOLDER holds NYC_crime and CHI_crime as github LZH-YS1998/STHSL has them; a file that is not
there is reported and left out.
"""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.crime.protocol import KINDS, party_name
from deepcity.city.arrays import Doubles
from deepcity.parties.party import Party

FOLDERS = {"new-york": "NYC_crime", "chicago": "CHI_crime"}
PARTS = ("trn", "val", "tst")
FIRST_ROW_LOST = "CHI_crime/tst.pkl"
"""Chicago's records have no header; dataProcessing_CHI.py skips their first row all the same."""


@dataclass(frozen=True)
class Compared:
    """One published tensor: how many of its counts differ from ours, and by how many offences.

    `counts` is None where the file is not there.
    """

    name: str
    counts: int | None
    differ: int = 0
    offences: int = 0
    total: int = 0


class _Arrays(pickle.Unpickler):
    """Reads NumPy arrays and nothing else: a pickle may run any code otherwise."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("numpy") and name in {"_reconstruct", "ndarray", "dtype"}:
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        msg = f"{module}.{name} in a tensor's file: only NumPy arrays are read"
        raise pickle.UnpicklingError(msg)


def compare(folder: Path, parties: Sequence[Party]) -> list[Compared]:
    """Every published tensor beside our counts of the same days."""
    panels = {party.name: party for party in parties}
    return [
        _compared(
            folder / place / f"{part}.pkl", [panels[party_name(city, k)] for k in KINDS[city]]
        )
        for city, place in FOLDERS.items()
        for part in PARTS
    ]


def _compared(path: Path, parties: Sequence[Party]) -> Compared:
    name = f"{path.parent.name}/{path.name}"
    if not path.is_file() or not path.stat().st_size:
        return Compared(name, None)
    with path.open("rb") as file:
        theirs_RCBK: Doubles = _Arrays(file).load()
    split = parties[0].split
    span = dict(zip(PARTS, (split.train, split.validation, split.test), strict=True))[path.stem]
    ours_KBN = np.stack([p.inputs.values_TN[span.start : span.end] for p in parties])
    kinds, days, _ = ours_KBN.shape
    rows, columns = theirs_RCBK.shape[:2]
    ours_RCBK = ours_KBN.reshape(kinds, days, rows, columns).transpose(2, 3, 1, 0)
    apart = np.abs(ours_RCBK - theirs_RCBK)
    return Compared(
        name, apart.size, int((apart > 0).sum()), int(apart.sum()), int(theirs_RCBK.sum())
    )
