"""What a node kept of a town whose agencies send deep data, beside what it should have kept."""

from collections import Counter

import numpy as np
from live_server import SERVICE
from live_town import DAY, HOUR, NOW, START, Town

from deepcity.data.city_file import empty_panel, load_panel
from deepcity.live.node.records.agency_records import folded
from deepcity.live.wire import cell_names
from deepcity.store.events.event import Event, EventKind, EventQuery
from deepcity.store.open_store import open_events, open_store

PARTY = "town/metro"
Counted = tuple[str, int, int]
"""What, how many there should be, how many there are."""


def count_all(url: str, town: Town, services: tuple[str, ...]) -> list[Counted]:
    """Events, forecasts and decisions of these services, rows and deep data, each counted."""
    with open_events(url) as events:
        every = events.read(EventQuery())
    keys = {one.key for one in every}
    found = [("events, each key once", len(keys), len(every))]
    for service in services:
        found += _forecasts(every, service)
    found += _rows(every, town)
    for agency in town.encoders:
        found += _deep_data(url, every, town, agency)
    return found


def _forecasts(every: list[Event], service: str) -> list[Counted]:
    """Each hour forecast, each from the same rows and deep data once, and decided on once."""
    of_service = [one for one in every if (one.service, one.party) == (service, PARTY)]
    made = [one for one in of_service if one.kind is EventKind.FORECAST]
    origins = {int(one.body["origin_s"]) for one in made}
    wanted = set(range(NOW, max(origins) + 1, HOUR))
    inputs = Counter(_inputs(one) for one in made)
    decided = {int(one.body["origin_s"]) for one in of_service if one.kind is EventKind.DECISION}
    return [
        (f"hours forecast, {service}", len(wanted), len(wanted & origins)),
        (f"forecasts from the same inputs twice, {service}", 0, sum(inputs.values()) - len(inputs)),
        (f"hours decided on, {service}", len(wanted), len(wanted & decided)),
    ]


def _inputs(forecast: Event) -> tuple[object, ...]:
    """What a forecast was made from."""
    body = forecast.body
    deep = [
        (one["agency"], one["status"], one["newest_s"], one["cells"])
        for one in body.get("agencies", ())
    ]
    return (body["origin_s"], body["newest_s"], *deep)


def _rows(every: list[Event], town: Town) -> list[Counted]:
    """The metro's own rows, from events alone."""
    rows = [one for one in every if one.kind is EventKind.ROWS and one.party == "metro"]
    steps = (max(int(one.body["until_s"]) for one in rows) - START) // HOUR
    kept = folded(rows, empty_panel(town.city, "metro")).values_TNF
    whole = load_panel(town.city, "metro").values_TNF[: len(kept)]
    same = int(np.isclose(kept, whole, equal_nan=True).sum())
    return [
        ("rows, hours", steps, sum(int(one.body["steps"]) for one in rows)),
        ("values as recorded", whole.size, same),
    ]


def _deep_data(url: str, every: list[Event], town: Town, agency: str) -> list[Counted]:
    """An agency's, from a day before the replay's start to the newest that was used."""
    package = town.encoders[agency]
    with open_store(url, lambda *_: True) as store:
        kept = store.read(package.space, None, 0, 2 * NOW, reader=SERVICE)
    times = np.arange(NOW - DAY, int(kept.time_R.max()) + 1, HOUR)
    cells = cell_names(package.cells)
    made = package.encode(town.panel(agency, int(times[-1])), times)
    wanted = {
        (int(at), str(cell)): made.vectors_BCD[row, column]
        for row, at in enumerate(times)
        for column, cell in enumerate(cells)
        if made.known_BC[row, column]
    }
    found = list(zip(kept.time_R.tolist(), kept.cell_R.tolist(), strict=True))
    same = sum(
        key in wanted and np.allclose(vector, wanted[key], atol=1e-4)
        for key, vector in zip(found, kept.vectors_RW, strict=True)
    )
    used = {
        int(one.body["origin_s"])
        for one in every
        if one.kind is EventKind.FORECAST
        for state in one.body.get("agencies", ())
        if (state["agency"], state["status"]) == (agency, "fresh")
    }
    return [
        (f"deep data of {agency}, hours and cells", len(wanted), len(found)),
        (f"deep data of {agency}, each once", len(found), len(set(found))),
        (f"deep data of {agency} as encoded from all rows", len(wanted), same),
        (f"hours forecast with {agency}", len(used), len(used)),
    ]
