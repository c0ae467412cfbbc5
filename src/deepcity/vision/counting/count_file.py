"""Counts as a CSV file that a city file names as a source: a row a time, a column a place.

    [[source]]
    name = "people"
    format = "csv"
    path = "counts.csv"
    layout = "wide"
    time = { column = "time", zone = "UTC" }

Services read it as any other agency's records.
"""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.store.atomic import write_atomic
from deepcity.vision.counting.time_bins import CountTimes

TIME = "time"


def write_counts(path: Path, times: CountTimes, count_by_place: Mapping[str, Doubles]) -> None:
    """Write counts, (C,) by place; what is NaN is left empty. The file is whole or not there.

    Raises:
        ValueError: if a place has another number of times, or is called as the time's column.
    """
    wrong = [name for name, some in count_by_place.items() if some.shape != (times.count,)]
    if wrong or TIME in count_by_place:
        named = ", ".join(wrong) or TIME
        raise ValueError(f"{named}: give {times.count} counts a place, and no place named {TIME!r}")
    stamps = [
        datetime.fromtimestamp(int(start), UTC).strftime("%Y-%m-%d %H:%M:%S")
        for start in times.start_s_C
    ]
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([TIME, *count_by_place])
    for at, stamp in enumerate(stamps):
        counts = [float(some[at]) for some in count_by_place.values()]
        lines.writerow([stamp, *("" if np.isnan(one) else f"{one:.15g}" for one in counts)])
    write_atomic(path, text.getvalue().encode())
