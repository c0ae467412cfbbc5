"""A little map: one agency in each of three cities, hourly records made by one law.

One city is a newcomer with few days of records, and grants allow members' episodes for it.
"""

from datetime import datetime, timedelta

import numpy as np

from benchmarks.federation.processes import SITES

CITY = """
name = "{name}"
title = {{ en = "{name}", ko = "{name}" }}
[clock]
time_zone = "UTC"
step = "1h"
[[source]]
name = "records"
format = "csv"
path = "{name}.csv"
layout = "wide"
time = {{ column = "time" }}
[[agency]]
name = "water"
title = {{ en = "Water", ko = "물" }}
domain = "resources"
fields = [{{ name = "flow", kind = "flow", unit = "L/s", source = "records" }}]
places = ["p0"]
"""
MAP = """
name = "little"
title = {{ en = "Little map", ko = "작은 지도" }}
cities = {cities}
seed = 1
[[service]]
name = "water"
application = "water"
parties = ["*/*"]
field = "flow"
levels = [2, 6]
experts = ["network", "typical_day", "yesterday"]
pooled = false
newcomers = ["south/water"]
[service.window]
history = 6
horizon = 6
days = 2
[service.training]
rounds = {rounds}
local_steps = 4
batch_size = 32
refit_steps = 6
[service.span]
validation_days = 5
test_days = 5
scarce = {{ "south/water" = 10 }}
[service.grant]
stem = "common"
"""
DAYS = 36


def little_map(folder, rounds=4):
    """Write the map with its cities and records; returns its file."""
    folder.mkdir(parents=True)
    start = datetime(2021, 2, 1)  # noqa: DTZ001 (the city's own wall time)
    hours = np.arange(DAYS * 24)
    law = 10 + 3 * np.sin(2 * np.pi * hours / 24) + np.cos(2 * np.pi * hours / 168)
    for seed, city in enumerate(SITES):
        values = law + 0.3 * np.random.default_rng(seed).normal(size=len(hours))
        rows = [
            f"{start + timedelta(hours=int(hour)):%Y-%m-%d %H:%M},{value:.4f}"
            for hour, value in zip(hours, values, strict=True)
        ]
        (folder / f"{city}.csv").write_text("\n".join(["time,p0", *rows, ""]), encoding="utf-8")
        (folder / f"{city}.toml").write_text(CITY.format(name=city), encoding="utf-8")
    path = folder / "map.toml"
    cities = str([f"{city}.toml" for city in SITES])
    path.write_text(MAP.format(cities=cities, rounds=rounds), encoding="utf-8")
    return path
