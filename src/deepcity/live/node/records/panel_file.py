"""A panel in a file, for another process or another start, with a note of what it is of.

An npz file, as numpy writes it: never a pickle, and with a checksum (CRC-32) of each array, by
which a damaged one is noticed. It is written array by array, so no second copy of the values is
held in memory, and takes its name in one step; but one that is encrypted, as the environment
names a storage key, is made in memory first.

Shapes: T steps, N places, F fields.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcity.city.clock import Clock
from deepcity.city.errors import StorageKeyError
from deepcity.city.field import Field, Kind, Sensitivity
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.store.at_rest.encrypted import MAGIC, for_disk, from_disk, is_encrypted
from deepcity.store.at_rest.storage_key import storage_keys
from deepcity.store.atomic import atomic_file
from deepcity.store.blob import BlobError

_VERSION = 1
_READ_ERRORS = (
    *(OSError, ValueError, LookupError, TypeError, EOFError),
    *(zipfile.BadZipFile, zlib.error, RuntimeError, MemoryError),  # of changed bytes
    *(BlobError, StorageKeyError),
)


class PanelFileError(ValueError):
    """A file that holds no panel, or a damaged one."""


def write_panel(path: Path, panel: Panel, note: Mapping[str, Any]) -> None:
    """Write a panel, whole or not at all.

    Args:
        note: JSON values that say what it is of.

    Raises:
        OSError: if it cannot be written; the former file is kept.
    """
    text = json.dumps({"version": _VERSION, "note": dict(note), **_described(panel)})
    arrays: dict[str, NDArray[Any]] = {
        "about": np.frombuffer(text.encode(), np.uint8),
        "time_T": panel.time_T,
        "values_TNF": panel.values_TNF,
    }
    if panel.adjacency_NN is not None:
        arrays["adjacency_NN"] = panel.adjacency_NN
    whole = io.BytesIO() if storage_keys() else None
    with atomic_file(path) as file:
        np.savez(whole or file, **arrays)  # type: ignore[arg-type]  # `allow_pickle`, say its stubs
        if whole is not None:
            file.write(for_disk(whole.getvalue()))


def read_panel(path: Path) -> tuple[Panel, dict[str, Any]]:
    """A panel and its note, as they were written.

    Raises:
        FileNotFoundError: if there is none.
        PanelFileError: if the file is none of these, or damaged.
    """
    try:
        with path.open("rb") as file:
            hidden = is_encrypted(file.read(len(MAGIC)))
            file.seek(0)
            whole = io.BytesIO(from_disk(file.read())) if hidden else file
            with np.load(whole, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
        about = json.loads(arrays["about"].tobytes())
        if about["version"] != _VERSION:
            raise ValueError(f"version {about['version']}, not {_VERSION}")
        return _panel(about, arrays), about["note"]
    except FileNotFoundError:
        raise
    except _READ_ERRORS as error:
        raise PanelFileError(f"{path} cannot be read ({type(error).__name__}: {error})") from error


def _described(panel: Panel) -> dict[str, Any]:
    """All of a panel but its arrays, as JSON values."""
    clock = panel.clock
    return {
        "zone": clock.time_zone,
        "step_s": clock.step_s,
        "holidays": sorted(day.isoformat() for day in clock.holidays),
        "places": [[one.id, one.lat, one.lon, one.capacity] for one in panel.places],
        "fields": [asdict(one) for one in panel.fields],
    }


def _panel(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Panel:
    time_T, values_TNF = arrays["time_T"], arrays["values_TNF"]
    if time_T.dtype != np.int64 or values_TNF.dtype != np.float32:
        raise ValueError(f"times are {time_T.dtype}, values are {values_TNF.dtype}")
    holidays = frozenset(map(date.fromisoformat, about["holidays"]))
    return Panel(
        Clock(about["zone"], timedelta(seconds=about["step_s"]), holidays),
        time_T,
        tuple(Place(*one) for one in about["places"]),
        tuple(
            Field(one["name"], Kind(one["kind"]), one["unit"], Sensitivity(one["sensitivity"]))
            for one in about["fields"]
        ),
        values_TNF,
        arrays.get("adjacency_NN"),
    )
