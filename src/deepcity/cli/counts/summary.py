"""What is stated of released counts: to the receiver in a file, to the agency on its terminal."""

from pathlib import Path

import typer

from deepcity.city.printable import printable
from deepcity.data.counting.count_table import TableCounts
from deepcity.parties.releases.counts_release import CountsRelease
from deepcity.privacy.counts.release import ReleasedCounts


def noise_facts(release: CountsRelease, every: str) -> dict[str, object]:
    """What a receiver needs to use the counts: none of it depends on the table."""
    terms = release.terms
    return {
        "from": release.party,
        "to": list(release.recipients),
        "service": release.service,
        "purpose": release.purpose,
        "every": every,
        "unit": terms.unit,
        "cells_per_unit": terms.per_unit,
        "epsilon": terms.epsilon,
        "noise": "geometric on both sides (discrete Laplace)",
        "noise_scale": terms.scale,
        "error_95": terms.error(0.95),
        "withheld_under": terms.k,
        "absent": "a cell that is not here had a count under this, with its noise",
    }


def print_release(
    out: Path,
    found: ReleasedCounts,
    counted: TableCounts,
    release: CountsRelease,
    grants: tuple[str, ...],
) -> None:
    """What left, and what it spent."""
    terms, shown = release.terms, len(found.cell_S)
    spent, error = release.budget.spent(), terms.error(0.95)
    lines = [
        f"{out}: {shown:,} of {found.cells:,} cells; the others' counts are under {terms.k} with "
        f"their noise.",
        f"Noise: of 20 counts 19 are within {error} of the true ones. A sum of cells adds theirs.",
        f"Epsilon {terms.epsilon:g} for each {terms.unit}, counted in {terms.per_unit} at most; "
        f"{spent:g} is spent in all of what {', '.join(grants)} allows.",
    ]
    if counted.outside:
        lines.append(
            f"{counted.outside:,} of {counted.rows:,} rows lie in no listed area or day and are "
            "not counted. This figure is for you: it has no noise."
        )
    for line in lines:
        typer.echo(printable(line))
