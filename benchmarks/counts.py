"""How far released counts are off, and what is withheld, by epsilon and k: offences of New York.

    python -m benchmarks.counts

191,580 offences of 2014 and 2015 (../shared/data/crime) by precinct and day, and by precinct and
week, each offence being a unit, as the file names no persons. OpenDP draws noise by the system's
randomness, so there are no seeds: three draws each.
"""

import tempfile
import time
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.record import record
from deepcity.data.counting.count_table import count_table
from deepcity.data.counting.public_areas import read_areas
from deepcity.data.counting.time_bins import TimeBins
from deepcity.data.counting.unit_table import TableColumns
from deepcity.data.findings import IssueLog
from deepcity.privacy.counts.bounded import bounded_counts
from deepcity.privacy.counts.release import release
from deepcity.privacy.counts.terms import CountTerms

TABLE = Path(__file__).parents[2] / "shared" / "data" / "crime" / "new_york.csv.gz"
ZONE, FIRST, LAST = "America/New_York", date(2014, 1, 1), date(2015, 12, 29)
EVERY = {"day": timedelta(1), "week": timedelta(7)}
EPSILONS, LEAST, DRAWS = (0.5, 1.0, 2.0, 4.0), (5, 10, 20), 3


def main():
    """Count, release, measure, record."""
    begun = time.perf_counter()
    parts = [_table(name, _counts(every)) for name, every in EVERY.items()]
    head = (
        "## Counts with noise: error, and what is withheld\n\n"
        f"`python -m benchmarks.counts`, {time.perf_counter() - begun:.0f} s in all.\n\n"
        "Offences of New York 2014-15 (191,580 rows, 77 precincts), each row a unit counted once; "
        f"least and greatest of {DRAWS} draws of the noise where they differ. Error: mean distance "
        "of a shown count from the true one. Withheld: share of all cells that are not shown, and "
        "of all offences, those that lie in them. Under k: share of the shown cells whose true "
        "count is under k; missing: share of the cells of k or more that are not shown. Epsilon "
        '"none" withholds by true counts: no error, and no guarantee.\n'
    )
    text = head + "\n" + "\n\n".join(parts)
    print(text)
    record("counts", text)


def _counts(every):
    """True counts of every precinct and bin, (K,)."""
    with tempfile.TemporaryDirectory() as folder:
        areas = Path(folder) / "precincts.csv"
        names = pl.read_csv(TABLE, infer_schema=False)["Precinct"].unique().sort()
        pl.DataFrame({"Precinct": names}).write_csv(areas)  # what the police publishes as a map
        issues = IssueLog(areas.name)
        listed = read_areas(areas, ["Precinct"], 1000, issues)
    assert not issues.problems
    columns = TableColumns(("Precinct",), ("Occurrence Date",), None, "%m/%d/%Y %I:%M:%S %p")
    bins = TimeBins.over(FIRST, LAST, every, ZONE)
    bound = partial(bounded_counts, most=1, secret=1)
    return count_table(TABLE, columns, listed, bins, bound=bound, seeds=(1, 2)).count_K


def _table(name, count_K):
    lines = [
        f"By precinct and {name}: {len(count_K):,} cells, {count_K.mean():.2f} offences each.",
        "",
        "| epsilon | k | error | withheld, cells % | offences % | under k, % | missing, % |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for k in LEAST:
        lines.append(_line("none", k, [_measured(count_K, np.flatnonzero(count_K >= k), k)]))
    for epsilon in EPSILONS:
        for k in LEAST:
            found = [release(count_K, CountTerms(epsilon, k)) for _ in range(DRAWS)]
            drawn = [_measured(count_K, one.cell_S, k, one.count_S) for one in found]
            lines.append(_line(f"{epsilon:g}", k, drawn))
    return "\n".join(lines)


def _measured(count_K, cell_S, k, count_S=None):
    """Error, and shares in percent; None where there are no cells to take a share of."""
    shown = count_K[cell_S]
    large = count_K >= k
    error = 0.0 if count_S is None else np.abs(count_S - shown).mean() if len(shown) else None
    return (
        error,
        100 * (1 - len(shown) / len(count_K)),
        100 * (1 - shown.sum() / count_K.sum()),
        100 * (shown < k).mean() if len(shown) else None,
        100 * (1 - (shown >= k).sum() / large.sum()) if large.any() else None,
    )


def _line(epsilon, k, drawn):
    cells = [
        _span([one for one in values if one is not None]) for values in zip(*drawn, strict=True)
    ]
    return f"| {epsilon} | {k} | " + " | ".join(cells) + " |"


def _span(values):
    """Least and greatest, once where they look the same."""
    if not values:
        return "-"
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


if __name__ == "__main__":
    main()
