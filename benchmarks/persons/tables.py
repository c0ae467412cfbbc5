"""The section of benchmarks/RESULTS.md: found again within cities and across them, by row."""

from collections.abc import Sequence

import numpy as np

from benchmarks.persons.case import (
    APART,
    BESIDE,
    CHOSEN,
    COMMON,
    CONCATENATED,
    FEDPAV,
    LEVELS,
    LOCAL,
    ONE,
    OWN_STATISTICS,
    Case,
)
from benchmarks.persons.cities import DIFFERENT, FROZEN, PICTURES, SAME, SMALL
from benchmarks.persons.given import GIVEN
from benchmarks.persons.pictures import CITIES

GIVEN_SET = "given"
SETS = {
    "frozen-same": (SAME, FROZEN),
    "frozen-different": (DIFFERENT, FROZEN),
    "frozen-small": (SMALL, FROZEN),
    "same": (SAME, PICTURES),
    "different": (DIFFERENT, PICTURES),
    "small": (SMALL, PICTURES),
}
"""Set -> which people cities train on, and what goes into the networks; cheapest first."""
_DEEPEST_FIRST = list(reversed(LEVELS))
FIRST_ROWS = (
    APART,
    FEDPAV,
    BESIDE,
    OWN_STATISTICS,
    _DEEPEST_FIRST[0],
    LOCAL,
    COMMON,
    CHOSEN,
    *_DEEPEST_FIRST[1:],
)
"""Rows of which each is one training; in order of what they tell."""
ROWS = (
    APART,
    ONE,
    CONCATENATED,
    *LEVELS,
    FEDPAV,
    OWN_STATISTICS,
    BESIDE,
    CHOSEN,
    LOCAL,
    COMMON,
)
SEEDS = (0, 1, 2)
_COLUMNS = (
    "| within | across | across, aligned | MB sent | CPU s | seeds |\n"
    "|---|---:|---:|---:|---:|---:|---:|\n"
)
_INTRO = (
    "## The same person across cities: embeddings learned apart and together\n\n"
    "`python -m benchmarks.persons`, one thread. Crops of Market-1501's training split (751 "
    "people, "
    "6 cameras of one campus); cameras 1 and 2, 3 and 4, 5 and 6 stand for three cities. 200 "
    "people, "
    "the same for every seed, are searched for and never trained on; of the others a seed draws 40 "
    "for 300 public anchor pictures, 40 for validation by each city's own cameras, 471 to train "
    "on. "
    "A query is the first picture of a person by a camera; within a city the gallery is its other "
    "camera, across it is all pictures of another city. Rank-1 / mean average precision in %, "
    "means "
    "over cities, and over ordered pairs of cities; mean (± standard deviation) over seeds. "
    "Aligned: embeddings turned by the anchors (Procrustes) and centred by city. MB: sent by all "
    "three cities in all rounds, as serialised. CPU seconds: of the training that the row is of.\n"
)


def text(cases: Sequence[Case]) -> str:
    """Heading, what was measured, a table a set, goals, what is missing."""
    parts = [_INTRO, _given(cases)]
    parts += [_table(cases, name) for name in SETS]
    return "\n".join(part for part in [*parts, _goals(cases), _missing(cases)] if part)


def _given(cases: Sequence[Case]) -> str:
    own = [case for case in cases if case.set == GIVEN_SET]
    rows = "".join(_row([case for case in own if case.row == name], name) for name in GIVEN)
    if not rows:
        return ""
    return (
        "### Given networks, as they are\n\n"
        "Intel Open Model Zoo, person-reidentification-retail-*, one network for all cities, "
        "pictures "
        "of 256 x 128. Nothing is trained here. Their makers report figures on Market-1501's test "
        "split, so that they most probably trained on its training split, of which these 200 "
        "people "
        "are: not new to these networks, and so a bound from above rather than a fair rival.\n\n"
        f"| network {_COLUMNS}{rows}"
    )


def _table(cases: Sequence[Case], name: str) -> str:
    own = [case for case in cases if case.set == name]
    if not own:
        return ""
    people, kind = SETS[name]
    if kind == PICTURES:
        what = "Networks of 0.46 M parameters from 32 x 64 pictures, 24 rounds"
    else:
        what = (
            f"Vectors by the given network {kind}, which stays as it is (and has probably seen "
            f"these "
            "people), as input of a stem, h1..h5 and a head, 12 rounds"
        )
    rows = "".join(_row([case for case in own if case.row == row], row) for row in ROWS)
    small = _small(own) if people == SMALL else ""
    return (
        f"### {_title(people)}, {kind}\n\n{what}.{_whom(people)}\n\n| row {_COLUMNS}{rows}{small}"
    )


def _title(people: str) -> str:
    return people[0].upper() + people[1:]


def _whom(people: str) -> str:
    return {
        SAME: " Each city trains on all 471 people, as its own cameras see them.",
        DIFFERENT: " Each city trains on a third of the people; no person is in two cities' sets.",
        SMALL: " The first city trains on 15 % of the people, the others on all.",
    }[people]


def _small(own: Sequence[Case]) -> str:
    """Within the small city alone."""
    found = []
    for row in ROWS:
        values = [case.within[CITIES[0]] for case in own if case.row == row]
        if values:
            found.append(f"{row} {_pairs(values)}")
    return f"\nWithin the small city: {'; '.join(found)}.\n"


def _row(own: Sequence[Case], name: str) -> str:
    if not own:
        return ""
    within = [tuple(np.mean(list(case.within.values()), axis=0)) for case in own]
    turned = [case.aligned for case in own if case.aligned is not None]
    sent = np.mean([case.sent for case in own]) / 1e6
    cells = [
        name,
        _pairs(within),
        _pairs([case.across for case in own]),
        _pairs(turned),
        f"{sent:.1f}",
        f"{np.mean([case.seconds for case in own]):.0f}",
        str(len(own)),
    ]
    return f"| {' | '.join(cells)} |\n"


def _pairs(values: Sequence[Sequence[float]]) -> str:
    if not values:
        return "–"
    mean, spread = np.mean(values, axis=0), np.std(values, axis=0, ddof=1 if len(values) > 1 else 0)
    if len(values) == 1:
        return f"{mean[0]:.1f} / {mean[1]:.1f}"
    return f"{mean[0]:.1f} ± {spread[0]:.1f} / {mean[1]:.1f} ± {spread[1]:.1f}"


def _goals(cases: Sequence[Case]) -> str:
    """How far the best joined row of pictures is from what was hoped for."""
    lines = []
    for name, rank1, precision in (("same", 60, 50), ("different", 48, 40)):
        joined = [case for case in cases if case.set == name and case.row in _JOINED]
        if joined:
            best = max(joined, key=lambda case: max(case.across[0], (case.aligned or (0,))[0]))
            reached = max(best.across, best.aligned or best.across)
            lines.append(
                f"{SETS[name][0]}, across: at least {rank1} / {precision}; the best joined case "
                f"({best.row}, seed {best.seed}) reached {reached[0]:.1f} / {reached[1]:.1f}"
            )
    if not lines:
        return "Goals (networks from pictures): none can be judged, no joined case was measured.\n"
    return f"Goals (networks from pictures): {'; '.join(lines)}.\n"


_JOINED = (*LEVELS, FEDPAV, OWN_STATISTICS, BESIDE, CHOSEN)


def _missing(cases: Sequence[Case]) -> str:
    done = {(case.set, case.row, case.seed) for case in cases}
    lines = []
    for name, (people, kind) in SETS.items():
        lacking = [row for row in ROWS for seed in SEEDS if (name, row, seed) not in done]
        if lacking:
            lines.append(f"- {people}, {kind}: {_lacking(lacking)}\n")
    return f"Not measured yet:\n\n{''.join(lines)}" if lines else ""


def _lacking(rows: Sequence[str]) -> str:
    """How many cases are not there, and the rows without any seed."""
    whole = len(ROWS) * len(SEEDS)
    never = [row for row in ROWS if rows.count(row) == len(SEEDS)]
    if len(never) == len(ROWS):
        return f"all {whole} cases"
    also = f"; no seed of: {', '.join(never)}" if never else ""
    return f"{len(rows)} of {whole} cases{also}"
