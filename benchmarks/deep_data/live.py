"""The live path: rows a second from encoding to a forecast, and how long one forecast takes.

Beijing's metro (276 stations, 15 minutes) hears the weather office (one cell) and its own exit
gates as an agency (276 cells). Speed does not depend on what was learned, so the networks have
their real sizes and are not trained. The application runs in a process of its own.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np

from deepcity.data.city_file import load_city, load_panel
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.features.agency_columns import ColumnSettings, cell_number, fit_columns
from deepcity.learning.features.inputs import WindowSettings, fit_inputs
from deepcity.learning.networks.encoder import EncoderShape, new_encoder
from deepcity.learning.networks.fused import Cut, new_fused
from deepcity.learning.networks.network import Shape
from deepcity.learning.split.cell_matching import match_cells
from deepcity.learning.split.encoder_package import (
    EncoderFacts,
    EncoderPackage,
    TimeGrid,
    package_encoder,
)
from deepcity.learning.split.fused_package import (
    FusedFacts,
    FusedPackage,
    InputAgency,
    package_fused,
    save_fused,
)
from deepcity.live.access import Access, AgencyEntry, GrantEntry
from deepcity.live.agency import LiveAgency
from deepcity.live.application import LiveApplication
from deepcity.live.arrow import ARROW
from deepcity.live.delivery import Delivery
from deepcity.store.open_store import open_store
from deepcity.store.outbox import Outbox

SERVICE, SALT, LEVEL, DEEP = "ridership", "benchmark", 3, 4
TOKENS = {"surroundings": "surroundings-0123456789", "exits": "exits-0123456789abcdef"}
WINDOW = WindowSettings(history=8, horizon=4, days=14)
DAYS_SENT, ASKED, WARM = 5, 300, 20
_ROOT = Path(__file__).parents[2]
_REAL = _ROOT.parent / "shared" / "data" / "metro_beijing"
_DOMAINS = {"surroundings": "environment", "exits": "transport"}
_SYNTHETIC = """
name = "beijing"
title = { en = "Synthetic", ko = "합성" }
[clock]
time_zone = "Asia/Shanghai"
step = "15min"
[[source]]
name = "boardings"
format = "csv"
path = "boardings.csv"
time = { column = "time" }
[[source]]
name = "exits"
format = "csv"
path = "exits.csv"
time = { column = "time" }
[[source]]
name = "air"
format = "csv"
path = "air.csv"
time = { column = "time" }
[[agency]]
name = "metro"
title = { en = "Metro", ko = "지하철" }
domain = "transport"
fields = [
  { name = "boardings", kind = "count", unit = "passengers", source = "boardings" },
  { name = "exits", kind = "count", unit = "passengers", source = "exits" },
]
places = "all"
[[agency]]
name = "surroundings"
title = { en = "Air", ko = "대기" }
domain = "environment"
fields = [{ name = "aqi", kind = "share", unit = "1", source = "air", column = "aqi" }]
places = [{ id = "beijing", lat = 39.9042, lon = 116.4074 }]
"""


@dataclass(frozen=True)
class _City:
    """What is measured: the packages and the agencies' rows."""

    path: Path
    fused: FusedPackage
    encoders: dict[str, EncoderPackage]
    panels: dict[str, Panel]


def live() -> str:
    """Rows a second, and latency over HTTP and inside the process."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        real = _REAL.is_dir()
        city = _city(
            _ROOT / "benchmarks" / "cities" / "beijing.toml" if real else _synthetic(folder)
        )
        store = folder / "deep.duckdb"
        with _server(city, folder, store) as (address, started, _):
            sent = {name: _send(city, name, folder, address) for name in sorted(TOKENS)}
            at = int(city.panels["metro"].time_T[-2])
            asked = {
                "HTTP, all places, JSON": _ask(address, at),
                "HTTP, all places, Arrow": _ask(address, at, Accept=ARROW),
                "HTTP, one place, JSON": _ask(address, at, place=city.fused.facts.places[0]),
                "HTTP, decision": _ask(address, at, path="/decision"),
            }
        prepared, inside = _inside(city, store, at)
        asked["in process, all places"] = inside
    places = len(city.fused.facts.places)
    what = "Beijing's metro" if real else "a synthetic metro"
    lines = [
        "## Deep data live: from a row to a forecast",
        f"{what}, {places} places, 15 minutes, {WINDOW.horizon} steps ahead; networks of real",
        f"sizes, not trained; cut level {LEVEL}, {DEEP} numbers a cell; {DAYS_SENT} days of",
        "deep data. The application is a process of its own (DuckDB, uvicorn) on the loopback",
        "address; encoder and client share the other process. One thread each.",
        "",
        "| agency | cells | rows | bytes a row sent | encode and keep, rows/s | "
        "push, check and store, rows/s | in all, rows/s |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(f"| {name} | {line} |" for name, line in sent.items()),
        "",
        f"| one answer ({ASKED} asked, after {WARM}) | p50, ms | p99, ms |",
        "|---|---:|---:|",
        *(f"| {name} | {_quantiles(found)} |" for name, found in asked.items()),
        "",
        f"Own rows prepared anew when some arrive: {prepared:.1f} s for {places} places and",
        f"{len(city.panels['metro'].time_T):,} steps, beside the requests. Server started in",
        f"{started:.0f} s.",
    ]
    return "\n".join(lines)


@dataclass(frozen=True)
class Served:
    """A server with rows and deep data, to be asked by others.

    Attributes:
        process: its number.
        answer_bytes, tag: of the newest forecast.
        send_again: sends the weather's last days once more.
    """

    process: int
    port: int
    places: int
    at: int
    answer_bytes: int
    tag: str
    names: tuple[str, ...]
    send_again: Callable[[], None]

    def path(self, number: int | None) -> str:
        """The newest forecast; or, by a number, of other moments and places, and decisions."""
        if number is None:
            return f"/forecast?at={self.at}"
        at = self.at - 900 * (number % 40)
        if number % 10 == 9:
            return f"/decision?at={at}"
        place = f"&place={self.names[number % len(self.names)]}" if number % 3 else ""
        return f"/forecast?at={at}{place}"


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """A server of its own in a folder, with all rows and days of deep data."""
    city = _city(
        _ROOT / "benchmarks" / "cities" / "beijing.toml" if _REAL.is_dir() else _synthetic(folder)
    )
    at = int(city.panels["metro"].time_T[-2])
    with _server(city, folder, folder / "deep.duckdb") as (address, _, process):
        for name in sorted(TOKENS):
            _send(city, name, folder, address)
        reply = httpx.get(f"{address}/forecast", params={"at": at}, trust_env=False)
        count = iter(range(1_000_000))

        def again() -> None:
            part = folder / f"again-{next(count)}"
            part.mkdir()
            _send(city, "surroundings", part, address)

        places = city.fused.facts.places
        yield Served(
            process, int(address.rpartition(":")[2]), len(places), at, len(reply.content),
            reply.headers["etag"], places, again,
        )  # fmt: skip


def _city(path: Path) -> _City:
    file = load_city(path)
    metro, air = load_panel(file, "metro"), load_panel(file, "surroundings")
    panels = {"surroundings": air, "exits": _fields(metro, 1)}
    train = Span(0, len(metro.time_T) - 6 * metro.clock.steps_per_day)
    step_s = metro.clock.step_s
    encoders = {name: _encoder(name, panel, train) for name, panel in panels.items()}
    inputs = fit_inputs(metro, "boardings", WINDOW, train, metro.adjacency_NN)
    validation_rows = np.arange(train.end, train.end + 60)
    samples = inputs.samples(validation_rows)
    shape = Shape(samples.features_BNF.shape[-1], WINDOW.horizon, inputs.ridge_skip_HS.shape[-1])
    network = new_fused(shape, Cut(LEVEL, dict.fromkeys(panels, DEEP)), 0)
    places = [cell_number(place, SALT) for place in metro.places]
    agencies = tuple(
        InputAgency(name, one.space, DEEP, step_s, one.facts.grid) for name, one in encoders.items()
    )
    span = (int(metro.time_T[0]), int(metro.time_T[train.end - 1]))
    facts = FusedFacts(
        "beijing", "metro", SERVICE, "boardings", "passengers",
        tuple(place.id for place in metro.places), step_s, WINDOW, span, agencies,
        application="ridership",
    )  # fmt: skip
    package = package_fused(
        facts,
        network,
        inputs,
        {name: one.cells for name, one in encoders.items()},
        {name: match_cells(places, one.cells) for name, one in encoders.items()},
        samples,
        {n: one.encode(panels[n], metro.time_T[validation_rows]) for n, one in encoders.items()},
    )
    return _City(path, package, encoders, {**panels, "metro": metro})


def _fields(panel: Panel, index: int) -> Panel:
    chosen = slice(index, index + 1)
    return replace(panel, values_TNF=panel.values_TNF[:, :, chosen], fields=panel.fields[chosen])


def _encoder(name: str, panel: Panel, train: Span) -> EncoderPackage:
    columns = fit_columns(panel, ColumnSettings(history=6), train, SALT)
    step_s = panel.clock.step_s
    grid = TimeGrid(step_s, int(panel.time_T[0]) % step_s)
    fields = tuple((field.name, field.unit) for field in panel.fields)
    facts = EncoderFacts("beijing", _DOMAINS[name], name, SERVICE, SALT, fields, step_s, grid)
    return package_encoder(
        facts, columns, new_encoder(EncoderShape(columns.width, LEVEL, DEEP, 2), 0)
    )


def _access() -> Access:
    grant = GrantEntry(service=SERVICE)
    entries = [AgencyEntry(name=name, token=token, grant=grant) for name, token in TOKENS.items()]
    return Access(agency=tuple(entries))


@contextmanager
def _server(city: _City, folder: Path, store: Path) -> Iterator[tuple[str, float, int]]:
    """`deepcity serve` with its rows taken; address, seconds until it was ready, process."""
    entries = (
        f'[[agency]]\nname = "{name}"\ntoken = "{token}"\n[agency.grant]\nservice = "{SERVICE}"\n'
        for name, token in TOKENS.items()
    )
    (folder / "access.toml").write_text("".join(entries), encoding="utf-8")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [
        sys.executable, "-m", "deepcity", "serve", str(save_fused(folder, city.fused)),
        "--city", str(city.path), "--access", str(folder / "access.toml"),
        "--store", f"duckdb:///{store}", "--port", str(port), "--state", str(folder / "state"),
        "--reload", "3600", "--keep-days", "36500",  # the records are years old
    ]  # fmt: skip
    begun, address = time.perf_counter(), f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
        try:
            while not _ready(address):
                if process.poll() is not None:
                    sys.exit("the server ended before it was ready")
                time.sleep(0.1)
            yield address, time.perf_counter() - begun, process.pid
        finally:
            process.terminate()


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _send(city: _City, name: str, folder: Path, address: str) -> str:
    """Encode days of rows, keep them, deliver them: cells | rows | rates."""
    package, panel = city.encoders[name], city.panels[name]
    since = int(panel.time_T[-1]) - DAYS_SENT * 86_400
    with Outbox(folder / f"{name}.sqlite") as outbox:
        encoding, found = _timed(
            lambda: LiveAgency(package, outbox, since=since).encode_new(panel, int(time.time()))
        )
        waiting = outbox.waiting()
        delivery = Delivery(outbox, address, partial(TOKENS.__getitem__, name))
        sending, delivered = _timed(delivery.deliver)
        delivery.close()
    if sum(one.rows for one in delivered if one.outcome == "sent") != found.rows:
        sys.exit(f"{name}: not all rows were taken: {delivered}")
    rates = (found.rows / encoding, found.rows / sending, found.rows / (encoding + sending))
    cells = [len(package.cells), found.rows, waiting.bytes / waiting.rows, *rates]
    return " | ".join(f"{cell:,.0f}" for cell in cells)


def _ask(
    address: str, at: int, *, place: str | None = None, path: str = "/forecast", **headers: str
) -> list[float]:
    """Seconds of each answer; moments differ from one to the next."""
    seconds = []
    with httpx.Client(base_url=address, trust_env=False, headers=headers) as client:
        for number in range(WARM + ASKED):
            query = {"at": str(at - 900 * (number % 40))} | ({"place": place} if place else {})
            took, reply = _timed(partial(client.get, path, params=query))
            if reply.status_code != 200:
                sys.exit(reply.text)
            seconds.append(took)
    return seconds[WARM:]


def _inside(city: _City, store: Path, at: int) -> tuple[float, list[float]]:
    with open_store(f"duckdb:///{store}", _access().may_read("beijing")) as opened:
        application = LiveApplication(city.fused, opened)
        prepared, _ = _timed(lambda: application.load_rows(city.panels["metro"]))
        seconds = [
            _timed(partial(application.forecast, at - 900 * (number % 40)))[0]
            for number in range(WARM + ASKED)
        ]
    return prepared, seconds[WARM:]


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = call()
    return time.perf_counter() - begun, result


def _quantiles(seconds: list[float]) -> str:
    return " | ".join(f"{1000 * value:.1f}" for value in np.quantile(seconds, [0.5, 0.99]))


def _synthetic(folder: Path) -> Path:
    """Five weeks of 276 stations, a daily law and noise."""
    rng = np.random.default_rng(0)
    steps = np.arange(35 * 96)
    times = (np.datetime64("2024-05-01T00:00") + steps * np.timedelta64(15, "m")).astype(str)
    law = 200 + 150 * np.sin(2 * np.pi * steps / 96)
    names = [f"station-{number + 1}" for number in range(276)]
    for name, columns in {"boardings": names, "exits": names, "air": ["aqi"]}.items():
        values = np.round(rng.poisson(law[:, None], (len(steps), len(columns))))
        rows = [
            ",".join([at, *map(str, row)]) for at, row in zip(times, values.tolist(), strict=True)
        ]
        text = "\n".join([",".join(["time", *columns]), *rows, ""])
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    path = folder / "city.toml"
    path.write_text(_SYNTHETIC, encoding="utf-8")
    return path
