"""A little city with more days of records than its forecasters learned from."""

from little_map import LittleMap, flows, service

HOUR, DAY = 3600, 86_400
BEGIN = 1_612_137_600  # 2021-02-01, the first row
LEARNED_DAYS, DAYS = 36, 39
START = BEGIN + LEARNED_DAYS * DAY


def write(folder, days, change=None):
    """The city with so many days; `change` alters an agency's values."""
    town = LittleMap(folder)
    for seed, name in enumerate(("a/x", "a/y")):
        values = flows(days=DAYS, places=2, seed=seed)[: days * 24]
        town.party(name, values if change is None else change(name, values))
    return town.write(service(levels=(), settings="pooled = false"))
