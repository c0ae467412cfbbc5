"""From a report to the first sightings of all cities: seconds and bytes, between processes.

    python -m benchmarks.casework [--rows 1000000] [--seeds 0 1 2]

Three cities answer, each by `deepcity case answer` in a process of its own, from a day of stored
tracks of 200 cameras together. A fourth process reports a child: the case is opened, approved by
two, signed, sent over HTTP to all three at once, checked, counted and recorded by each, compared
with every track of the day, and what comes back is joined into a path. Tracks are made up from real
pictures as in `benchmarks.nearest_tracks`, whose archive this needs.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np

from benchmarks.nearest_tracks import CAMERAS, DAY_S, NETWORK, People, day_of, rows_of
from benchmarks.record import record
from deepcity.applications.tasks.matching.match_state import Spot
from deepcity.exchange.exchange import Failure
from deepcity.exchange.message import Message, to_bytes
from deepcity.intercity.casework.case_room import CaseRoom
from deepcity.intercity.casework.opening import Opening
from deepcity.live.casework.http_exchange import HttpExchange
from deepcity.live.casework.other_cities import OtherCity
from deepcity.store.signatures.ed25519 import public_hex
from deepcity.store.signatures.keyring import FOLDER_VARIABLE, Keyring
from deepcity.store.signatures.trust_list import TrustedKey, TrustList, write_trust_list
from deepcity.vision.searching.person_query import PersonQuery
from deepcity.vision.track_store.segment_file import write_segment
from deepcity.vision.track_store.segment_name import SEGMENT_S, SegmentName

CITIES = ("north", "middle", "south")
PURPOSE, SEARCHES = "find a missing child", 20
_FIRST_PORT = 18_440
_CITY = """
policy = "policy.toml"
name = "{name}"
title = {{ en = "{name}", ko = "{name}" }}
[clock]
time_zone = "UTC"
step = "1h"
[[source]]
name = "counts"
format = "csv"
path = "counts.csv"
time = {{ column = "time" }}
[[agency]]
name = "cameras"
title = {{ en = "Cameras", ko = "카메라" }}
domain = "cctv"
places = [{{ id = "a" }}]
[[agency.fields]]
name = "people"
kind = "count"
unit = "people"
source = "counts"
"""
_POLICY = f"""
[[grant]]
name = "sightings"
agency = "cameras"
item = "sightings"
grantee = ["capital"]
domain = "cctv"
service = "missing-child"
purpose = "{PURPOSE}"
until = 2999-12-31
"""


@dataclass
class CountedExchange:
    """The cities, and the bytes that go to them and come back."""

    inner: HttpExchange
    sent: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)

    @property
    def parties(self) -> tuple[str, ...]:
        """As the one inside."""
        return self.inner.parties

    def call(self, party: str, message: Message) -> Message:
        """As the one inside."""
        return self.inner.call(party, message)

    def call_group(self, messages: Mapping[str, Message]) -> Mapping[str, Message | Failure]:
        """As the one inside, counted."""
        replies = self.inner.call_group(messages)
        self.sent.append(sum(len(to_bytes(one)) for one in messages.values()))
        known = [one for one in replies.values() if isinstance(one, Message)]
        self.received.append(sum(len(to_bytes(one)) for one in known))
        return replies


@dataclass(frozen=True)
class Measured:
    """One seed."""

    report_s: float
    search_s: list[float]
    sent: float
    received: float
    found: int


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    asked = parser.parse_args()
    people = People.real()
    found = []
    for seed in asked.seeds:
        with TemporaryDirectory() as folder:
            found.append(measure(Path(folder), asked.rows, people, seed))
        print(found[-1].report_s, statistics.median(found[-1].search_s), flush=True)
    text = _text(asked.rows, found)
    print(text)
    record("casework", text)


def measure(folder: Path, rows: int, people: People, seed: int) -> Measured:
    """A report and some further searches."""
    draw = np.random.default_rng(seed)
    child_2 = draw.integers(len(people.mean_PE), size=2)
    query = PersonQuery(NETWORK, people.tracks(child_2[None], draw).astype(np.float64))
    own, people_keys = Keyring(folder / "capital"), [Keyring(folder / one) for one in ("a", "b")]
    keys = {"capital": own, "capital/a": people_keys[0], "capital/b": people_keys[1]}
    trusted = tuple(TrustedKey(name=name, key=_public(one)) for name, one in keys.items())
    write_trust_list(own.folder, TrustList(trusted=trusted[1:]))
    for number, city in enumerate(CITIES):
        _write_city(folder / city, trusted)
        _fill(folder / city / "tracks", rows // len(CITIES), people, (seed, number), child_2)
    spots = {
        f"{city}/c{number:03}": Spot(37 + at / 10 + number // 20 / 100, 127 + number % 20 / 100)
        for at, city in enumerate(CITIES)
        for number in range(CAMERAS)
    }
    room = CaseRoom(folder / "cases", "capital", spots, own)
    with _answering(folder) as cities:
        exchange = CountedExchange(HttpExchange(cities, {}))
        begun = time.perf_counter()
        now_s = int(time.time())
        opening = Opening(
            service="missing-child",
            purpose=PURPOSE,
            cities=CITIES,
            opened_by="capital/c",
            last_seen=Spot(37.05, 127.05),
            last_seen_s=now_s - 60,
            back_hours=23,
        )
        case = room.open(opening, query).case.id
        for one in people_keys:
            room.approve(case, one)
        room.search(case, exchange, "capital/a")
        report_s = time.perf_counter() - begun
        taken = []
        for _ in range(SEARCHES):
            begun = time.perf_counter()
            decision = room.search(case, exchange, "capital/a")
            taken.append(time.perf_counter() - begun)
        silent = [one.place for one in decision.reasons if one.code == "city-silent"]
        if silent:
            raise RuntimeError(f"no answer of {', '.join(silent)}")
        hits = len(room.view(case, "capital/a")[0].hits)
    return Measured(
        report_s, taken, float(np.median(exchange.sent)), float(np.median(exchange.received)), hits
    )


def _fill(
    folder: Path, rows: int, people: People, seed: tuple[int, int], child_2: np.ndarray
) -> None:
    """A day of tracks until now, the child's among them."""
    draw = np.random.default_rng(seed)
    (folder / NETWORK).mkdir(parents=True)
    begins_s = (int(time.time()) - DAY_S) // SEGMENT_S * SEGMENT_S + SEGMENT_S
    for number, (_, row_NE) in enumerate(day_of(rows, people, draw)):
        start_s = begins_s + number * SEGMENT_S
        if number % 12 == seed[1]:
            row_NE[0] = people.tracks(child_2[None], draw)[0]
        made = rows_of(start_s, row_NE, draw)
        write_segment(folder / NETWORK / str(SegmentName(start_s, 0, 0)), made, NETWORK)


def _write_city(folder: Path, trusted: tuple[TrustedKey, ...]) -> None:
    folder.mkdir()
    (folder / "city.toml").write_text(_CITY.format(name=folder.name), encoding="utf-8")
    (folder / "policy.toml").write_text(_POLICY, encoding="utf-8")
    write_trust_list(folder / "keys", TrustList(trusted=trusted))


@contextmanager
def _answering(folder: Path) -> Iterator[dict[str, OtherCity]]:
    """Each city answers in a process of its own."""
    with ExitStack() as stack:
        cities = {}
        for number, city in enumerate(CITIES):
            port = _FIRST_PORT + number
            words = ["case", "answer", "city.toml", "--agency", "cameras", "--tracks", "tracks"]
            process = subprocess.Popen(
                [sys.executable, "-m", "deepcity", *words, "--hours", "25", "--port", str(port)],
                cwd=folder / city,
                env={**os.environ, FOLDER_VARIABLE: str(folder / city / "keys")},
                stdout=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            cities[city] = OtherCity(name=city, address=f"http://127.0.0.1:{port}")
        for one in cities.values():
            _wait(f"{one.address}/health")
        yield cities


def _wait(address: str) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            if httpx.get(address, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise TimeoutError(f"{address} does not answer")


def _public(keyring: Keyring) -> str:
    return public_hex(keyring.private_key())


def _text(rows: int, found: list[Measured]) -> str:
    reports = [one.report_s for one in found]
    searches = [taken for one in found for taken in one.search_s]
    sent, received = (
        statistics.median(getattr(one, name) for one in found) for name in ("sent", "received")
    )
    hits = statistics.median(one.found for one in found)
    return (
        "## From a report to the first sightings of all cities\n\n"
        f"`python -m benchmarks.casework`, seeds {', '.join(map(str, range(len(found))))}. Three "
        f"cities in processes of their own, {rows:,} tracks of a day in all, {CAMERAS} cameras a "
        "city, 256 numbers a track, on two cores shared by all; HTTP without TLS on one machine. A "
        "report: the case is opened, approved by two, and all cities have answered. A search: "
        "asked again, which each city checks, counts and records anew.\n\n"
        "| | median (least to most) |\n|---|---:|\n"
        f"| seconds from report to sightings | {_spread(reports)} |\n"
        f"| seconds of a further search | {_spread(searches)} |\n"
        f"| bytes to the three cities, a search | {sent:,.0f} |\n"
        f"| bytes of their answers | {received:,.0f} |\n"
        f"| sightings in these answers | {hits:.0f} |\n"
    )


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
