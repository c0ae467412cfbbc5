"""Released counts as a CSV file with its description (W3C "CSV on the Web", FILE-metadata.json).

Shapes: S shown cells.
"""

import json
from collections.abc import Iterator, Mapping

import numpy as np

from deepcity.city.arrays import Indices, Ints
from deepcity.data.counting.public_areas import PublicAreas
from deepcity.data.counting.time_bins import TimeBins
from deepcity.data.table_files import Categories, Moments, table_bytes, table_of
from deepcity.data.table_formats import TableFormat

START, COUNT = "start", "count"
_AT_ONCE = 200_000  # rows that are written as one table


def csv_of(areas: PublicAreas, bins: TimeBins, cell_S: Indices, count_S: Ints) -> Iterator[bytes]:
    """The file in parts: a row for each shown cell; the bin's start in wall time with offset."""
    for first in range(0, max(1, len(cell_S)), _AT_ONCE):
        area_S, bin_S = np.divmod(cell_S[first : first + _AT_ONCE], bins.count)
        columns: dict[str, object] = {
            name: Categories(area_S.astype(np.int64), [key[place] for key in areas.keys])
            for place, name in enumerate(areas.columns)
        }
        columns[START] = Moments(bins.edge_T1[bin_S], bins.zone)
        columns[COUNT] = count_S[first : first + _AT_ONCE]
        yield table_bytes(table_of(columns), TableFormat.CSV, header=first == 0)  # type: ignore[arg-type]


def metadata(file: str, areas: PublicAreas, notes: Mapping[str, object]) -> bytes:
    """The description of the file: its columns, and under which terms it left."""
    kinds = dict.fromkeys(areas.columns, "string") | {START: "dateTime", COUNT: "integer"}
    found = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": file,
        "tableSchema": {
            "columns": [{"titles": name, "datatype": kind} for name, kind in kinds.items()]
        },
        "notes": [dict(notes)],
    }
    return json.dumps(found, ensure_ascii=False, indent=1).encode() + b"\n"
