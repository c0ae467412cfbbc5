"""Who is found in another's place: false first hits by what people wear.

    python -m benchmarks.persons.false_hits

A person is looked for in the pictures of another city, with nobody told what they wear. Is the
first hit a stranger more often for some clothes than for others? The 200 people whom nothing here
is trained on, by given networks (which have probably seen them). Needs Pillow, and openvino where
`python -m benchmarks.persons` has not run; half a minute.
"""

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from benchmarks.persons.cities import given_towns
from benchmarks.persons.clothing import PARTS, seen
from benchmarks.persons.pictures import CITIES, Crops, crops
from benchmarks.record import record
from deepcity.learning.identity.people import People
from deepcity.learning.identity.retrieval import one_query_each

NETWORKS = ("0288", "0277")
LEAST = 30
"""Queries of a group; of fewer nothing is said."""
_DRAWS = 2000


def searched(towns: dict[str, People]) -> Iterator[tuple[int, int, bool, bool]]:
    """Each query: person, camera, whether the first hit is another, and is so by a clear lead."""
    for one, other in permutations(towns, 2):
        own, gallery = towns[one], towns[other]
        query = own.of(one_query_each(own.person_I, own.camera_I))
        score_QG = np.asarray(query.input_I) @ np.asarray(gallery.input_I).T
        for row, person in enumerate(query.person_I):
            same_G = gallery.person_I == person
            if not same_G.any():
                continue
            right, wrong = score_QG[row, same_G].max(), score_QG[row, ~same_G].max()
            yield int(person), int(query.camera_I[row]), wrong > right, wrong > right + 0.05


def groups(shown: Crops, network: str) -> dict[str, dict[str, list[tuple[int, bool, bool]]]]:
    """Garment -> colour -> person and false hits of its queries."""
    clothes = seen(shown)
    found: dict[str, dict[str, list[tuple[int, bool, bool]]]] = {part: {} for part in PARTS}
    for person, camera, false, clear in searched(given_towns(shown, network)):
        for part in PARTS:
            colour = getattr(clothes[person, camera], part).colour
            found[part].setdefault(colour, []).append((person, false, clear))
    return found


def interval(cases: list[tuple[int, bool, bool]]) -> tuple[float, float]:
    """95 % of the share of false first hits, by drawing people anew (Efron 1979)."""
    people = np.array([person for person, _, _ in cases])
    false = np.array([one for _, one, _ in cases], dtype=float)
    names = np.unique(people)
    total = np.array([false[people == name].sum() for name in names])
    count = np.array([(people == name).sum() for name in names])
    draw = np.random.default_rng(0).integers(len(names), size=(_DRAWS, len(names)))
    share = total[draw].sum(axis=1) / count[draw].sum(axis=1)
    low, high = np.quantile(share, [0.025, 0.975])
    return float(low), float(high)


def text(shown: Crops) -> str:
    """As Markdown."""
    lines = [
        "## False first hits, by clothes",
        "",
        "`python -m benchmarks.persons.false_hits`. 200 people of Market-1501's training split, "
        f"looked for in another city's pictures ({', '.join(CITIES)}), by given networks that have "
        "probably seen them: a bound from below. *First*: the best hit is somebody else; 95 % "
        "interval by people. *Clearly*: by more than 0.05 of cosine. Colours are named by the "
        f"project itself; groups of under {LEAST} queries are left out.",
    ]
    for network in NETWORKS:
        lines += [
            "",
            f"### {network}",
            "",
            "| | queries | first | clearly |",
            "|---|---:|---:|---:|",
        ]
        for part, colours in groups(shown, network).items():
            everybody = [one for some in colours.values() for one in some]
            lines.append(_row(f"all, {part}", everybody))
            for colour, cases in sorted(colours.items(), key=lambda one: -len(one[1])):
                if len(cases) >= LEAST:
                    lines.append(_row(f"{part} {colour}", cases))
    return "\n".join(lines)


def _row(title: str, cases: list[tuple[int, bool, bool]]) -> str:
    first = np.mean([one for _, one, _ in cases])
    low, high = interval(cases)
    clear = np.mean([one for _, _, one in cases])
    return f"| {title} | {len(cases)} | {first:.1%} ({low:.1%} to {high:.1%}) | {clear:.1%} |"


def main() -> None:
    """Measure and record."""
    found = text(crops())
    print(found)
    record("persons-false-hits", found)


if __name__ == "__main__":
    main()
