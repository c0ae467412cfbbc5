"""See the package."""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.cameras import __doc__ as about
from benchmarks.cameras.parts import PARTS, Run, measure, warm
from benchmarks.cameras.street import FRAMES, RATE, Walkers, walkers, write_street
from benchmarks.persons.given import MODELS
from benchmarks.persons.pictures import ARCHIVE, crops
from benchmarks.record import record
from deepcity.vision.detection import PersonDetector
from deepcity.vision.embedding import PersonEmbedder
from deepcity.vision.models.catalogue import DETECTOR, EMBEDDER, camera_network, camera_networks
from deepcity.vision.models.model_folder import located
from deepcity.vision.models.runtime import RunningNetwork

PEOPLE, SEEDS, BUSY = (0, 4, 8, 16), (0, 1, 2), 8
_ABOUT = (
    f"Video of 1920 x 1080 (MPEG-4), {FRAMES} frames at {RATE:g} a second: real crops of people "
    f"(Market-1501) walk over a plain street. {DETECTOR} and {EMBEDDER} by OpenVINO on one thread; "
    "three seeds (other people), one where another network is named (by its last four digits). "
    "Frames a second of one processor core (CPU seconds, so that other work does not count): "
    "median, least and greatest; two cores carry two cameras. Shares of the time: medians. "
    "*Tracks*: found, of the people there were; there are more, most often by a second "
    "box beside a person. *Found again*: people whose "
    "picture by another camera is nearest to their own track, among those of one video."
)
Cell = tuple[str, list[Run]]


def main() -> None:
    """Measure, print, record."""
    if not (ARCHIVE.exists() and MODELS.exists()):
        sys.exit(f"{about.splitlines()[4]} They are not there.")
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        streets = {(k, seed): _street(Path(folder), k, seed) for k in PEOPLE for seed in SEEDS}
        cells = [(f"{k}", _runs(streets, k)) for k in PEOPLE]
        others = sorted(n for n, one in camera_networks().items() if one.task != "detection")
        for name in (one for one in others if one != EMBEDDER):
            cells.append((f"{BUSY}, {name[-4:]}", _runs(streets, BUSY, name, SEEDS[:1])))
    text = _text(cells, time.perf_counter() - begun)
    print(text)
    record("cameras", text)


def _street(folder: Path, count: int, seed: int) -> tuple[Path, Walkers]:
    people, path = walkers(crops(), count, seed), folder / f"{count}-{seed}.mp4"
    write_street(path, people)
    return path, people


def _runs(
    streets: dict[tuple[int, int], tuple[Path, Walkers]],
    count: int,
    name: str = EMBEDDER,
    seeds: tuple[int, ...] = SEEDS,
) -> list[Run]:
    """One run a seed."""
    find, tell = (
        RunningNetwork(located(camera_network(one), MODELS), batches=one == name)
        for one in (DETECTOR, name)
    )
    detector, embedder = PersonDetector(find), PersonEmbedder(tell)
    warm(detector, embedder)
    found = [measure(*streets[count, seed], detector, embedder) for seed in seeds]
    print(count, name, [f"{one.per_s:.1f}/s" for one in found], flush=True)
    return found


def _text(cells: list[Cell], took_s: float) -> str:
    head = ["people in view", "frames a core second", *(f"{one}, %" for one in PARTS)]
    head += ["tracks", "people found again"]
    return "\n".join(
        [
            "## Cameras: from video to tracks, by part",
            "",
            f"`python -m benchmarks.cameras`, {took_s:.0f} s in all. {_ABOUT}",
            "",
            f"| {' | '.join(head)} |",
            "|:---|" + "---:|" * (len(head) - 1),
            *(_line(name, runs) for name, runs in cells),
        ]
    )


def _line(name: str, runs: list[Run]) -> str:
    rates = [one.per_s for one in runs]
    speed = f"{median(rates):.1f}"
    speed += f" ({min(rates):.1f} to {max(rates):.1f})" if len(rates) > 1 else ""
    shares = [median(100 * one.seconds[at] / sum(one.seconds) for one in runs) for at in range(4)]
    people = len(runs) * int(name.partition(",")[0])
    counts = [f"{sum(one.tracks for one in runs)} of {people}"]
    counts += [f"{sum(one.found_again for one in runs)} of {people}"]
    return f"| {' | '.join([name, speed, *(f'{one:.0f}' for one in shares), *counts])} |"


if __name__ == "__main__":
    main()
