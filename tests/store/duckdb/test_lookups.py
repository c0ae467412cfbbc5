"""Rows are found again, however many cells and times are looked up at once."""

import pytest

from deepcity.store.deep_data.upsert import Appended
from deepcity.store.duckdb import duckdb_tables

DAY = 86_400
NOW = 400 * DAY


@pytest.fixture
def url(tmp_path):
    return f"duckdb:///{tmp_path / 'data.duckdb'}"


def diagonal(cells):
    """A cell a day, so that most pairs of a cell and a day are not asked for."""
    return [(place * DAY, f"c{place:02d}", (place, -place)) for place in range(cells)]


@pytest.mark.parametrize("looked_up", [1, 7, 40, 262_144])
def test_rows_sent_again_are_found_in_lookups_of_any_size(
    store, space, batch, monkeypatch, looked_up
):
    monkeypatch.setattr(duckdb_tables, "LOOKED_UP", looked_up)
    store.register(space, 2)
    grid = [(day * DAY, f"c{cell:02d}", (day, -cell)) for day in range(20) for cell in range(20)]
    asked = [row for row in grid if row[1] == f"c{row[0] // DAY:02d}"]
    others = [row for row in grid if row not in asked]
    store.append(batch(space, others), now=NOW)
    assert store.append(batch(space, asked), now=NOW) == Appended(new=20)
    assert store.append(batch(space, asked), now=NOW) == Appended(repeated=20)
    assert store.append(batch(space, diagonal(20)), now=NOW, revision=1) == Appended(revised=20)
    assert store.append(batch(space, asked), now=NOW) == Appended(outdated=20)
    assert len(store.read(space, None, 0, NOW, reader="me")) == 400


def test_newest_rows_are_found_hours_weeks_and_months_back(store, space, batch):
    store.register(space, 2)
    at = 300 * DAY
    ages = {"hour": 3_600, "day": DAY, "day+": DAY + 1, "month": 30 * DAY, "months": 200 * DAY}
    rows = [(at - age, cell, (place, 0)) for place, (cell, age) in enumerate(ages.items())]
    older = [(at - 250 * DAY, cell, (9, 9)) for cell in ages]
    store.append(batch(space, [*rows, *older, (at + 1, "hour", (8, 8))]), now=NOW)
    found = store.latest(space, None, at, reader="me")
    times = dict(zip(found.cell_R.tolist(), found.time_R.tolist(), strict=True))
    assert times == {cell: at - age for cell, age in ages.items()}
    numbers = dict(zip(found.cell_R.tolist(), found.vectors_RW[:, 0].tolist(), strict=True))
    assert numbers == {cell: float(place) for place, cell in enumerate(ages)}
    assert len(store.latest(space, ["no such"], at, reader="me")) == 0
