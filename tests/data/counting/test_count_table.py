"""Tables are counted in public cells alone, in bounded memory, with every problem at once."""

from datetime import date, datetime, timedelta
from functools import partial

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city.errors import DataError
from deepcity.data.counting.count_table import count_table
from deepcity.data.counting.public_areas import PublicAreas, read_areas
from deepcity.data.counting.time_bins import TimeBins
from deepcity.data.counting.unit_table import TableColumns
from deepcity.data.findings import IssueLog
from deepcity.privacy.counts.bounded import bounded_counts

AREAS = PublicAreas(("district",), (("north",), ("south",), ("성수동",)))
BINS = TimeBins.over(date(2025, 1, 1), date(2025, 1, 2), timedelta(hours=12), "Asia/Seoul")
HEADER = "when,district,person\n"
_rows = st.lists(
    st.tuples(
        st.integers(-10, 60),
        st.sampled_from(["north", "south", "성수동", "elsewhere"]),
        st.sampled_from(["ann", "bo", "cy", "dee"]),
    ),
    min_size=1,
    max_size=30,
)


def counted(path, unit=None, most=1, **more):
    columns = TableColumns(("district",), ("when",), unit, more.pop("time_format", None))
    bound = partial(bounded_counts, most=most, secret=3)
    return count_table(path, columns, AREAS, BINS, bound=bound, seeds=(1, 2), **more)


def written(path, rows):
    lines = [
        f"{datetime(2025, 1, 1) + timedelta(hours=hour):%Y-%m-%d %H:%M},{area},{who}\n"  # noqa: DTZ001
        for hour, area, who in rows
    ]
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return path


def cells_of(rows):
    names = [key[0] for key in AREAS.keys]
    return [
        (who, names.index(area) * 4 + hour // 12)
        for hour, area, who in rows
        if area in names and 0 <= hour < 48
    ]


@settings(max_examples=40, deadline=None)
@given(_rows)
def test_counts_are_those_of_a_plain_loop(tmp_path_factory, rows):
    path = written(tmp_path_factory.mktemp("t") / "rows.csv", rows)
    cells, fmt = cells_of(rows), "%Y-%m-%d %H:%M"
    by_row = counted(path, time_format=fmt)
    expected = np.bincount([cell for _, cell in cells], minlength=12)
    assert by_row.count_K.tolist() == expected.tolist()
    assert (by_row.rows, by_row.outside) == (len(rows), len(rows) - len(cells))
    persons = counted(path, "person", 12, time_format=fmt).count_K
    assert persons.tolist() == np.bincount([c for _, c in set(cells)], minlength=12).tolist()
    once = counted(path, "person", 1, time_format=fmt).count_K
    assert once.sum() == len({who for who, _ in cells})


@settings(max_examples=20, deadline=None)
@given(_rows, st.integers(1, 3))
def test_one_person_more_changes_no_cell_that_is_there_and_few_counts(tmp_path_factory, rows, most):
    folder, fmt = tmp_path_factory.mktemp("t"), "%Y-%m-%d %H:%M"
    rows = [*rows, (5, "north", "eve"), (20, "south", "eve")]
    whole = counted(written(folder / "a.csv", rows), "person", most, time_format=fmt).count_K
    less = [one for one in rows if one[2] != "eve"]
    without = counted(written(folder / "b.csv", less), "person", most, time_format=fmt).count_K
    assert len(whole) == len(without) == 12
    assert 1 <= np.abs(whole - without).sum() <= most


def test_on_disk_the_counts_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("deepcity.data.connectors.BATCH_ROWS", 50)
    rng = np.random.default_rng(0)
    rows = [
        (int(rng.integers(48)), "north" if one % 2 else "south", f"p{rng.integers(300)}")
        for one in range(2000)
    ]
    path = written(tmp_path / "rows.csv", rows)
    memory = counted(path, "person", 2)
    disk = counted(path, "person", 2, most_in_memory=100)
    assert disk.count_K.tolist() == memory.count_K.tolist()
    assert memory.count_K.sum() > 300


def test_parquet_with_typed_columns_is_counted_too(tmp_path):
    when = [datetime(2025, 1, 1, 3), datetime(2025, 1, 1, 4), datetime(2025, 1, 2, 23)]  # noqa: DTZ001
    frame = pl.DataFrame(
        {"when": when, "district": ["north", " north ", "south"], "person": [1, 1, 2]}
    )
    frame.write_parquet(tmp_path / "rows.parquet")
    found = counted(tmp_path / "rows.parquet", "person").count_K
    assert found.tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_every_problem_of_the_table_is_listed(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(
        HEADER + "2025-01-01 10:00,north,ann\nsometime,north,\n2025-01-01 11:00,south,bo\n"
    )
    with pytest.raises(DataError) as error:
        counted(path, "person", time_format="%Y-%m-%d %H:%M")
    text = str(error.value)
    assert "2 problems" in text
    assert "person" in text
    assert "row 3" in text
    assert "not a time" in text


def test_columns_and_files_that_are_not_there_are_named(tmp_path):
    path = written(tmp_path / "rows.csv", [(1, "north", "ann")])
    with pytest.raises(DataError, match=r"no such column\. Did you mean 'person'"):
        counted(path, "persn")
    with pytest.raises(DataError, match="no such file"):
        counted(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("district\n", "no area"),
        ("quarter\nnorth\n", "no such column"),
        ("district,x\nnorth,1\n,2\n", "have a blank"),
        ("district,x\n" + "".join(f"a{one},1\n" for one in range(9)), "over 5"),
    ],
)
def test_a_list_of_areas_that_is_none_is_refused(tmp_path, text, reason):
    path = tmp_path / "areas.csv"
    path.write_text(text, encoding="utf-8")
    issues = IssueLog("areas.csv")
    read_areas(path, ["district"], 5, issues)
    assert [reason in str(one) for one in issues.problems] == [True]


def test_areas_of_two_columns_in_the_order_of_the_list(tmp_path):
    path = tmp_path / "areas.csv"
    path.write_text("kind,district\ntheft,b\ntheft,a\ntheft, b\n", encoding="utf-8")
    issues = IssueLog("areas.csv")
    found = read_areas(path, ["district", "kind"], 5, issues)
    assert not issues.problems
    assert found.keys == (("b", "theft"), ("a", "theft"))
