"""A search of a day of stored tracks: seconds, what rounding to whole numbers loses, bytes, memory.

    python -m benchmarks.nearest_tracks [--rows 1000000 10000000] [--seeds 0 1 2]

Tracks are made up from real pictures: a person is the middle of two of Market-1501's 751 people, as
the network 0288 sees them, and a track of a person adds the way in which one real picture of
somebody differs from that somebody's mean. A query is one more picture of such a person. Found are
ten tracks, and compared with the ten that products of the float32 embeddings give.

Needs the pictures' archive, and openvino where `python -m benchmarks.persons` has not run; 3 GB of
disk, 4 GB of memory, and a few minutes.
"""

import argparse
import base64
import os
import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.peak_memory import peak_mb
from benchmarks.persons.given import embeddings
from benchmarks.persons.pictures import crops
from benchmarks.record import record
from deepcity.city.arrays import Doubles, Floats
from deepcity.store.at_rest.storage_key import STORAGE_KEY_VARIABLE
from deepcity.vision.appearance import COLOURS
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.searching.person_query import PersonQuery, SearchSpan
from deepcity.vision.searching.stored_search import StoredSearch
from deepcity.vision.track import Track
from deepcity.vision.track_store.segment_file import write_segment
from deepcity.vision.track_store.segment_name import SEGMENT_S, SegmentName
from deepcity.vision.track_store.track_rows import TrackRows, codes_of
from deepcity.vision.track_store.track_store import TrackStore
from deepcity.vision.track_words import TrackWords

NETWORK, BEST, QUERIES, CAMERAS = "0288", 10, 20, 200
DAY_S = 86_400
BEGINS_S = 1_700_006_400
"""A multiple of ten minutes."""
SEVERAL_SEEDS = 1_000_000
"""Of more tracks than this only the first seed is measured: each takes a minute."""
WHOLE = SearchSpan(BEGINS_S, BEGINS_S + DAY_S)


@dataclass(frozen=True)
class People:
    """Real pictures as means of people and differences from them, (P, E) and (I, E)."""

    mean_PE: Floats
    differs_IE: Floats

    @classmethod
    def real(cls) -> "People":
        """Market-1501's, by the network."""
        shown = crops()
        row_IE = embeddings(NETWORK, shown.file_I)
        people, person_I = np.unique(shown.person_I, return_inverse=True)
        mean_PE = np.stack([row_IE[person_I == one].mean(axis=0) for one in range(len(people))])
        return cls(mean_PE, row_IE - mean_PE[person_I])

    def tracks(self, person_N2: np.ndarray, draw: np.random.Generator) -> Floats:
        """One embedding (N, E) of each person, who is the middle of two."""
        picture_N = draw.integers(len(self.differs_IE), size=len(person_N2))
        row_NE = self.mean_PE[person_N2].mean(axis=1) + self.differs_IE[picture_N]
        return np.asarray(row_NE / np.linalg.norm(row_NE, axis=1, keepdims=True), np.float32)


@dataclass
class Exact:
    """The best tracks of each query by float32 products: times (Q, K), which name a track here."""

    query_QE: Floats
    score_QK: Floats
    time_s_QK: Doubles

    @classmethod
    def none(cls, query_QE: Floats) -> "Exact":
        """Nothing compared yet."""
        empty = np.full((len(query_QE), BEST), -np.inf)
        return cls(query_QE, empty.astype(np.float32), empty)

    def see(self, row_NE: Floats, time_s_N: Doubles) -> None:
        """Compare some more tracks."""
        score_QN = np.hstack([self.score_QK, self.query_QE @ row_NE.T])
        time_s_QN = np.hstack([self.time_s_QK, np.tile(time_s_N, (len(score_QN), 1))])
        best_QK = np.argpartition(-score_QN, BEST, axis=1)[:, :BEST]
        self.score_QK = np.take_along_axis(score_QN, best_QK, axis=1)
        self.time_s_QK = np.take_along_axis(time_s_QN, best_QK, axis=1)


def day_of(rows: int, people: People, draw: np.random.Generator) -> Iterator[tuple[int, Floats]]:
    """Tracks of each ten minutes of a day."""
    segments = DAY_S // SEGMENT_S
    for number in range(segments):
        count = rows * (number + 1) // segments - rows * number // segments
        person_N2 = draw.integers(len(people.mean_PE), size=(count, 2))
        yield BEGINS_S + number * SEGMENT_S, people.tracks(person_N2, draw)


def rows_of(start_s: int, row_NE: Floats, draw: np.random.Generator) -> TrackRows:
    """Tracks with times that name them, at random cameras, in random clothes."""
    count = len(row_NE)
    time_s_N = start_s + SEGMENT_S * np.arange(count) / count
    words = TrackWords(
        draw.normal(1.65, 0.12, count).astype(np.float32),
        draw.integers(len(COLOURS), size=(count, 2), dtype=np.uint8),
        draw.random((count, 2), dtype=np.float32),
    )
    cameras = tuple(f"c{number:03}" for number in range(CAMERAS))
    camera_N = draw.integers(CAMERAS, size=count, dtype=np.uint32)
    return TrackRows(cameras, camera_N, time_s_N, time_s_N, words, *codes_of(row_NE))


def filled(folder: Path, rows: int, people: People, seed: int) -> tuple[TrackStore, Exact]:
    """A store of so many tracks, and what is to be found."""
    draw = np.random.default_rng(seed)
    sought_N2 = draw.integers(len(people.mean_PE), size=(QUERIES, 2))
    exact = Exact.none(people.tracks(sought_N2, draw))
    (folder / NETWORK).mkdir(parents=True)
    for start_s, row_NE in day_of(rows, people, draw):
        made = rows_of(start_s, row_NE, draw)
        exact.see(row_NE, made.last_s_R)
        write_segment(folder / NETWORK / str(SegmentName(start_s, 0, 0)), made, NETWORK)
    width = people.mean_PE.shape[1]
    return TrackStore(folder, NETWORK, width, 30, lambda: WHOLE.until_s), exact


def timed(searches: list[Callable[[], object]]) -> str:
    """Median, and from least to most, of seconds; and the median of the processor's."""
    taken, processor = [], []
    for search in searches:
        begun, used = time.perf_counter(), time.process_time()
        search()
        taken.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
    spread = f"{min(taken):.2f} to {max(taken):.2f}"
    return f"{statistics.median(taken):.2f} ({spread}) | {statistics.median(processor):.2f}"


def losses(search: StoredSearch, exact: Exact) -> tuple[float, float]:
    """The share of the ten exact best that are found, and how much the tenth found is below."""
    shares, losses = [], []
    for row_E, score_K, time_s_K in zip(
        exact.query_QE, exact.score_QK, exact.time_s_QK, strict=True
    ):
        found = search.nearest(PersonQuery(NETWORK, row_E[None].astype(float)), WHOLE, BEST)
        shares.append(len({one.time_s for one in found} & set(time_s_K)) / BEST)
        losses.append(abs(found[-1].score - float(score_K.min())))
    return float(np.mean(shares)), max(losses)


def search_times(search: StoredSearch, exact: Exact) -> dict[str, str]:
    """Of searches of several kinds, every track in memory."""
    pictures = [exact.query_QE[None, one].astype(float) for one in range(QUERIES)]
    five = [exact.query_QE[one : one + 5].astype(float) for one in range(QUERIES - 5)]
    few = frozenset(f"c{number:03}" for number in range(20))
    hour = SearchSpan(WHOLE.until_s - 3600, WHOLE.until_s, few)
    child = {"height_m": (1.2, 1.4), "upper": frozenset({"red", "orange"})}

    def asked(query: PersonQuery, span: SearchSpan) -> Callable[[], object]:
        return lambda: search.nearest(query, span, BEST)

    return {
        "one picture, all": timed([asked(PersonQuery(NETWORK, one), WHOLE) for one in pictures]),
        "five pictures, all": timed([asked(PersonQuery(NETWORK, one), WHOLE) for one in five]),
        "one picture and words, all": timed(
            [asked(PersonQuery(NETWORK, one, **child), WHOLE) for one in pictures]  # type: ignore[arg-type]
        ),
        "words alone, all": timed([asked(PersonQuery(**child), WHOLE)] * 5),  # type: ignore[arg-type]
        "one picture, an hour, 20 cameras": timed(
            [asked(PersonQuery(NETWORK, one), hour) for one in pictures]
        ),
    }


def added(store: TrackStore, people: People) -> str:
    """Seconds of adding 500 tracks, thirty times."""
    draw = np.random.default_rng(0)
    row_NE = people.tracks(draw.integers(len(people.mean_PE), size=(500, 2)), draw)
    time_s_T = np.array([WHOLE.until_s - 9.0, WHOLE.until_s - 1])
    tracks = [
        DescribedTrack(Track("c000", number, time_s_T, np.ones((2, 4)), row_E.astype(float)))
        for number, row_E in enumerate(row_NE)
    ]
    return timed([lambda: store.append(tracks)] * 30)


def measured(rows: int, seeds: list[int], people: People) -> list[str]:
    """Rows of the table for so many tracks."""
    lines, shares, below = [], [], []
    for seed in seeds:
        with TemporaryDirectory() as name:
            store, exact = filled(Path(name), rows, people, seed)
            search = StoredSearch(store)
            first = timed([search.refresh])
            share, loss = losses(search, exact)
            shares.append(share)
            below.append(loss)
            if seed != seeds[0]:
                continue
            disk_bytes = sum(path.stat().st_size for path in Path(name).rglob("*.tracks"))
            lines += [
                f"| {kind}, s | {taken} |" for kind, taken in search_times(search, exact).items()
            ]
            lines += [
                f"| reading all from disk for the first time, s | {first} |",
                f"| on disk, MB | {disk_bytes / 1e6:,.0f} | |",
                f"| tracks in memory, MB | {search.held_bytes / 1e6:,.0f} | |",
                f"| most that the process held, MB | {peak_mb():,.0f} | |",
                f"| adding 500 tracks to them, s | {added(store, people)} |",
            ]
    recall = f"{np.mean(shares):.3f} ({min(shares):.3f} to {max(shares):.3f})"
    lines += [
        f"| of the ten exact best found, seeds {', '.join(map(str, seeds))} | {recall} | |",
        f"| the tenth's cosine differs at most by | {max(below):.4f} | |",
    ]
    return lines


def encrypted_first(rows: int, people: People) -> str:
    """Seconds of reading an encrypted store for the first time."""
    os.environ["BENCHMARK_KEY"] = base64.b64encode(secrets.token_bytes(32)).decode()
    os.environ[STORAGE_KEY_VARIABLE] = "env:BENCHMARK_KEY"
    try:
        with TemporaryDirectory() as name:
            store, _ = filled(Path(name), rows, people, 0)
            return timed([StoredSearch(store).refresh])
    finally:
        del os.environ[STORAGE_KEY_VARIABLE], os.environ["BENCHMARK_KEY"]


def main() -> None:
    """Measure and record."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    words.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    asked = words.parse_args()
    people, few = People.real(), min(asked.rows)
    text = [
        "## A search of a day of stored tracks",
        "",
        "`python -m benchmarks.nearest_tracks`, one thread, on a machine shared with other work; "
        f"256 numbers a track, 200 cameras. Seconds are the median of {QUERIES} searches (least to "
        "most), beside the median of the processor's. Tracks are made up from real pictures: "
        "middles of two of 751 people, and the differences among pictures of one. Every stored "
        "track is compared; what can be missed is by rounding to whole numbers.",
    ]
    for rows in asked.rows:
        text += ["", f"### {rows:,} tracks", "", "| | | CPU |", "|---|---:|---:|"]
        seeds = asked.seeds if rows <= SEVERAL_SEEDS else asked.seeds[:1]
        text += measured(rows, seeds, people)
        print("\n".join(text), flush=True)
    first = encrypted_first(few, people)
    text += ["", f"### {few:,} tracks, encrypted", "", "| | | CPU |", "|---|---:|---:|"]
    text += [f"| reading all from disk for the first time, s | {first} |"]
    record("nearest-tracks", "\n".join(text))


if __name__ == "__main__":
    main()
