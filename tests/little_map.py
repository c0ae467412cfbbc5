"""A whole little map in a folder: cities, records and a service, in seconds on one core."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

MAP = """
name = "little"
title = {{ en = "Little map", ko = "작은 지도" }}
cities = {cities}
seed = 1
{services}"""

SERVICE = """
[[service]]
name = "{name}"
application = "water"
parties = ["*/*"]
field = "flow"
levels = {levels}
{settings}
[service.window]
history = 6
horizon = {horizon}
days = 2
[service.training]
rounds = {rounds}
local_steps = {local_steps}
batch_size = 32
refit_steps = {refit_steps}
{training}
[service.span]
validation_days = 5
test_days = 5
{span}
[service.grant]
{grant}
{more}"""

CITY = """
name = "{name}"
title = {{ en = "{name}", ko = "{name}" }}
[clock]
time_zone = "UTC"
step = "1h"
"""

AGENCY = """
[[source]]
name = "{name}-records"
format = "csv"
path = "{city}-{name}.csv"
layout = "wide"
time = {{ column = "time" }}
[[agency]]
name = "{name}"
title = {{ en = "{name}", ko = "{name}" }}
domain = "resources"
fields = [{{ name = "flow", kind = "flow", unit = "L/s", source = "{name}-records" }}]
places = {places}
"""


EXPERTS = 'experts = ["network", "typical_day", "yesterday"]'  # quick; more where a test says so


def service(
    name="water",
    *,
    levels=(2, 6),
    horizon=6,
    rounds=3,
    local_steps=4,
    refit_steps=6,
    settings="",
    training="",
    span="",
    grant="",
    more="",
):
    """One service's text; `settings` .. `more` are added where they belong."""
    if not re.search(r"^experts *=", settings, re.MULTILINE):
        settings = f"{EXPERTS}\n{settings}"
    return SERVICE.format(
        name=name,
        levels=list(levels),
        horizon=horizon,
        rounds=rounds,
        local_steps=local_steps,
        refit_steps=refit_steps,
        settings=settings,
        training=training,
        span=span,
        grant=grant,
        more=more,
    )


def flows(days=36, places=2, *, seed=0, noise=0.3):
    """(T, N) hourly flows: one law for all parties of a map, noise of their own."""
    rng = np.random.default_rng(seed)
    hours = np.arange(days * 24)
    law = 10 + 3 * np.sin(2 * np.pi * hours / 24) + np.cos(2 * np.pi * hours / 168)
    return law[:, None] * (1 + np.arange(places)) + noise * rng.normal(size=(len(hours), places))


@dataclass
class LittleMap:
    """Writes city files, records and a map; `path` is the map file."""

    folder: Path
    parties: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.folder / "map.toml"

    def party(self, name: str, values_TN: np.ndarray) -> "LittleMap":
        """Add "city/agency" with its hourly records; NaN is an empty cell."""
        self.parties[name] = values_TN
        return self

    def write(self, *services: str) -> Path:
        """Write all files; without a service, the usual one."""
        cities = sorted({name.partition("/")[0] for name in self.parties})
        for city in cities:
            own = {n.partition("/")[2]: v for n, v in self.parties.items() if n.startswith(city)}
            write_city(self.folder, city, own)
        names = str([f"{city}.toml" for city in cities])
        text = MAP.format(cities=names, services="".join(services or (service(),)))
        self.path.write_text(text, encoding="utf-8")
        return self.path


def write_city(folder: Path, city: str, agencies: Mapping[str, np.ndarray]) -> None:
    """A city file and one CSV an agency."""
    text = CITY.format(name=city)
    for name, values_TN in agencies.items():
        places = [f"p{index}" for index in range(values_TN.shape[1])]
        text += AGENCY.format(city=city, name=name, places=places)
        (folder / f"{city}-{name}.csv").write_text(_csv(places, values_TN), encoding="utf-8")
    (folder / f"{city}.toml").write_text(text, encoding="utf-8")


def _csv(places: list[str], values_TN: np.ndarray) -> str:
    start = datetime(2021, 2, 1)  # noqa: DTZ001 - the city's own wall time
    lines = [",".join(["time", *places])]
    for step, row in enumerate(values_TN):
        cells = ["" if np.isnan(value) else f"{value:.4f}" for value in row]
        lines.append(",".join([f"{start + timedelta(hours=step):%Y-%m-%d %H:%M}", *cells]))
    return "\n".join(lines) + "\n"


def quarters(path: Path, city: str) -> None:
    """The city's records as quarters of an hour, and its clock with them."""
    file = path.parent / f"{city}.toml"
    file.write_text(file.read_text().replace('step = "1h"', 'step = "15min"'))
    for records in path.parent.glob(f"{city}-*.csv"):
        head, *rows = records.read_text().splitlines()
        finer = [
            row.replace(":00,", f":{minute},", 1)
            for row in rows
            for minute in ("00", "15", "30", "45")
        ]
        records.write_text("\n".join([head, *finer]) + "\n")


def three(folder: Path) -> LittleMap:
    """Three parties of two cities under one law."""
    little = LittleMap(folder)
    for seed, name in enumerate(("east/north", "east/south", "west/office")):
        little.party(name, flows(seed=seed, places=1 + seed % 2))
    return little


def without_seconds(result: object) -> object:
    """results.json as data, but for the fields that say how long it took."""
    if isinstance(result, dict):
        return {key: without_seconds(value) for key, value in result.items() if key != "seconds"}
    return [without_seconds(value) for value in result] if isinstance(result, list) else result
