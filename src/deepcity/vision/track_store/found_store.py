"""The store of tracks that lies in a folder, by what is there."""

import time
from collections.abc import Callable
from pathlib import Path

from deepcity.city.errors import StoreError
from deepcity.vision.track_store.segment_file import segment_width
from deepcity.vision.track_store.segment_folder import SegmentFolder
from deepcity.vision.track_store.track_store import TrackStore


def found_store(
    folder: Path,
    hours: int,
    network: str | None = None,
    clock: Callable[[], float] = time.time,
) -> TrackStore:
    """The tracks by one network in a folder that cameras write to.

    Args:
        network: by which embeddings were made; None: the only one there is.

    Raises:
        StoreError: if there are no tracks, or of several networks and none is named.
        StorageKeyError: if no key of the environment opens them.
        ValueError: if the hours are not 1 to 168.
    """
    there = sorted(path.name for path in folder.glob("*") if any(path.glob("*.tracks")))
    if network is None and len(there) == 1:
        network = there[0]
    if network not in there:
        raise StoreError(
            f"{folder} has tracks by {', '.join(there) or 'no network'}"
            + (f", none by {network}" if network else "")
            + "; "
            + (
                f"name one of these: --network {there[0]}"
                if there
                else f"let a camera write there first: deepcity cameras watch --store {folder}"
            )
        )
    own = SegmentFolder(folder / network)
    for name in reversed(own.names()):
        try:
            return TrackStore(folder, network, segment_width(own.path_of(name)), hours, clock)
        except FileNotFoundError:  # over meanwhile
            continue
    raise StoreError(f"all tracks in {folder / network} are over; let a camera write there first")
