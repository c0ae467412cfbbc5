"""Clothing colours of real people: does another camera say the same, and do others look alike?

    python -m benchmarks.persons.clothing

The 200 people whom nothing is trained on, each by each camera (all its pictures, 64 x 128). Needs
Pillow, and takes half a minute.
"""

from collections import Counter

import numpy as np

from benchmarks.persons.pictures import Crops, crops, pictures
from benchmarks.record import record
from deepcity.vision.appearance import Appearance, appearance

PARTS = ("upper", "lower")


def seen(shown: Crops) -> dict[tuple[int, int], Appearance]:
    """What each of the people wears, by each camera."""
    found = {}
    for person in shown.test_people:
        for camera in np.unique(shown.camera_I[shown.person_I == person]):
            own = np.flatnonzero((shown.person_I == person) & (shown.camera_I == camera))
            crop_I3HW = pictures(tuple(shown.file_I[i] for i in own), 64, 128)
            blue_first = crop_I3HW[:, ::-1].transpose(0, 2, 3, 1)
            found[int(person), int(camera)] = appearance(blue_first)
    return found


def agreement(found: dict[tuple[int, int], Appearance], *, same: bool) -> list[float]:
    """Shares of pairs by two cameras, of the same person or of two, with one colour: upper, lower,
    and both.
    """
    keys = list(found)
    pairs = [
        [getattr(found[a], part).colour == getattr(found[b], part).colour for part in PARTS]
        for at, a in enumerate(keys)
        for b in keys[:at]
        if a[1] != b[1] and (a[0] == b[0]) is same
    ]
    share = np.mean(pairs, axis=0)
    return [*map(float, share), float(np.mean([all(pair) for pair in pairs]))]


def text(found: dict[tuple[int, int], Appearance]) -> str:
    """As Markdown."""
    lines = [
        "## Clothing colours by name",
        "",
        "`python -m benchmarks.persons.clothing`. 200 people of Market-1501's training split, each "
        f"by each of the cameras that saw them ({len(found)} in all): share of pairs of two "
        "cameras in which both name one colour. What the same person and two people share alike "
        "tells nobody apart.",
        "",
        "| pairs | upper | lower | both |",
        "|---|---:|---:|---:|",
    ]
    for title, same in (("the same person", True), ("two people", False)):
        cells = " | ".join(f"{share:.0%}" for share in agreement(found, same=same))
        lines.append(f"| {title} | {cells} |")
    for part in PARTS:
        named = Counter(getattr(one, part).colour for one in found.values())
        shares = ", ".join(f"{name} {n / len(found):.0%}" for name, n in named.most_common(4))
        lines += ["", f"Named most, {part}: {shares}."]
    return "\n".join(lines)


def main() -> None:
    """Measure and record."""
    found = text(seen(crops()))
    print(found)
    record("persons-clothing", found)


if __name__ == "__main__":
    main()
