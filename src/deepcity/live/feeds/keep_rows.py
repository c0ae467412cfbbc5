"""Rows that nobody waits for an answer about: those that are refused are left out, and named."""

import json
from collections.abc import Callable, Mapping, Sequence

from deepcity.city.errors import DataError
from deepcity.live.feeds.row_door import MOST_ROWS, RowDoor


def keep_rows(
    door: RowDoor, rows: Sequence[Mapping[str, str]], refuse: Callable[[str], None]
) -> None:
    """Keep rows; of those that are refused, each by itself is left out.

    Args:
        refuse: called with the problems of each that is left out.

    Raises:
        OSError: if they cannot be stored.
    """
    if not rows:
        return
    if len(rows) > MOST_ROWS:
        for start in range(0, len(rows), MOST_ROWS):
            keep_rows(door, rows[start : start + MOST_ROWS], refuse)
        return
    try:
        door.put(json.dumps([dict(row) for row in rows]).encode(), csv=False)
    except DataError as error:
        if len(rows) == 1:
            door.refused.add(error.problems)
            refuse(" ".join(str(one) for one in error.problems))
            return
        keep_rows(door, rows[: len(rows) // 2], refuse)
        keep_rows(door, rows[len(rows) // 2 :], refuse)
