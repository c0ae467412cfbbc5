"""A city of two services that plan, grown past what its forecasters learned from.

Car parks answer drivers' requests, cells are patrolled.
"""

import live_city
import numpy as np
from little_map import LittleMap, flows, service

import deepcity

PARK, CELLS = ("parking", "a/x"), ("patrols", "a/y")
LAT, LON = 51.0, 13.0
_PLACE = '{{ id = "p{n}", lat = {lat}, lon = {lon}, capacity = 50 }}'


def trained(folder):
    """The folder, with a run in `run` that learned from the first of its days."""
    deepcity.Federation(_write(folder, live_city.LEARNED_DAYS), folder / "run").fit()
    _write(folder, live_city.DAYS)
    return folder


def _write(folder, days):
    town = LittleMap(folder)
    for number, name in enumerate(("a/x", "a/y")):
        town.party(name, np.round(flows(days=live_city.DAYS, seed=number))[: days * 24])
    both = ((PARK, "parking-guidance"), (CELLS, "crime-prevention"))
    texts = [
        service(name, levels=(), rounds=1, settings="pooled = false")
        .replace('"water"', f'"{application}"')
        .replace('"*/*"', f'"{party}"')
        for (name, party), application in both
    ]
    path = town.write(*texts)
    places = ", ".join(_PLACE.format(n=n, lat=LAT, lon=LON + n / 100) for n in range(2))
    city = folder / "a.toml"
    text = city.read_text().replace("['p0', 'p1']", f"[{places}]").replace('"resources"', '"life"')
    park, cells = 'kind = "level", unit = "spaces"', 'kind = "count", unit = "offences"'
    for what in (park, cells):
        text = text.replace('kind = "flow", unit = "L/s"', what, 1)
    city.write_text(text)
    return path
