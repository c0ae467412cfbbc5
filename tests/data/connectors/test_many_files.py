"""A source of several files: one table, whose rows keep their file's name."""

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError, DataError
from deepcity.data.city_file import load_panel, load_with_findings
from deepcity.data.connectors import read_batches, read_columns, read_table
from deepcity.data.connectors.csv import CsvSettings
from deepcity.data.connectors.many_files import expand

pytest_plugins = ["towns"]

TIME = 'time = { column = "time" }'
COUNT = '[{ name = "n", kind = "count", unit = "bikes", source = "records" }]'


def month(folder, number, columns=("a", "b"), days=3, name=None):
    times = [f"2024-{number:02d}-{d + 1:02d} {h:02d}:00" for d in range(days) for h in range(24)]
    cells = {c: [str(100 * number + i + ord(c)) for i in range(len(times))] for c in columns}
    folder.mkdir(exist_ok=True)
    frame = pl.DataFrame({"time": times, **cells})
    frame.write_csv(folder / (name or f"2024{number:02d}.csv"))
    return frame


def source(path='"m/*.csv"', more=""):
    return f'format = "csv"\npath = {path}\n{TIME}\n{more}'


def test_files_of_a_pattern_are_one_table_whatever_the_order_of_their_columns(town, tmp_path):
    month(tmp_path / "m", 1)
    month(tmp_path / "m", 2, ("b", "a"))
    panel = load_panel(town(source=source(), places='"all"'), "office")
    assert [place.id for place in panel.places] == ["a", "b"]
    assert np.nansum(panel.mask_TNF) == 2 * 2 * 72
    assert panel.values_TNF[-1, :, 0].tolist() == [200 + 71 + 97, 200 + 71 + 98]


def test_a_list_of_files_in_any_order_warns_of_nothing(town, tmp_path):
    month(tmp_path / "m", 1)
    month(tmp_path / "m", 2)
    city = town(source=source('["m/202402.csv", "m/202401.csv"]'))
    loaded = load_with_findings(city, "office")
    assert "unsorted" not in {one.what for one in loaded.findings}
    plain = load_panel(town(source=source()), "office")
    np.testing.assert_array_equal(loaded.panel.values_TNF, plain.values_TNF)


def test_a_column_under_two_names_is_told_with_its_file_and_renamed(town, tmp_path):
    month(tmp_path / "m", 1)
    month(tmp_path / "m", 2, ("a", "c"))
    with pytest.raises(DataError) as caught:
        load_panel(town(source=source()), "office")
    (problem,) = caught.value.problems
    assert "no such column in 202402.csv" in problem.reason
    assert 'rename = { "c" = "b" }' in problem.right
    panel = load_panel(town(source=source(more='rename = { "c" = "b" }')), "office")
    assert panel.mask_TNF.sum() == 2 * 2 * 72


def test_a_column_that_a_file_lacks_may_be_blank_there(town, tmp_path):
    month(tmp_path / "m", 1, ("a",))
    month(tmp_path / "m", 2)
    panel = load_panel(town(source=source(more="fill_columns = true")), "office")
    assert panel.mask_TNF[:, :, 0].sum(axis=0).tolist() == [144, 72]


def test_rows_are_named_with_their_file(town, tmp_path):
    month(tmp_path / "m", 1)
    frame = month(tmp_path / "m", 2)
    broken = frame.with_columns(
        a=pl.when(pl.int_range(pl.len()) == 4).then(pl.lit("x")).otherwise("a")
    )
    broken.write_csv(tmp_path / "m" / "202402.csv")
    with pytest.raises(DataError, match=r"not a number \(row 6 of 202402.csv\)"):
        load_panel(town(source=source()), "office")


def test_rows_of_two_files_for_one_time_follow_duplicates(town, tmp_path):
    month(tmp_path / "m", 1)
    month(tmp_path / "m", 1, name="again.csv").with_columns(a=pl.lit("7")).head(2).write_csv(
        tmp_path / "m" / "again.csv"
    )
    with pytest.raises(DataError, match=r"rows 2, 3 of 202401.csv, rows 2, 3 of again.csv"):
        load_panel(town(source=source()), "office")
    last = source().replace('"time" }', '"time", duplicates = "last" }')
    assert load_panel(town(source=last), "office").values_TNF[0, 0, 0] == 7


def test_names_of_files_hold_columns(town, tmp_path):
    for place in ("north", "south"):
        month(tmp_path / "m", 1, ("n",), name=f"{place}_2024.csv")
    more = 'layout = "long"\nplace = "place"\npath_pattern = "{place}_{year}.csv"'
    city = town(source=source(more=more), places='"all"', fields=COUNT)
    assert [place.id for place in city.city.agencies[0].places] == ["north", "south"]
    wrong = more.replace("{year}", "{year}-{month}")
    with pytest.raises(ConfigError, match=r"the file north_2024\.csv does not fit it"):
        town(source=source(more=wrong), places='"all"', fields=COUNT)


@pytest.mark.parametrize(
    ("path", "more", "message"),
    [
        ('"x/*.csv"', "", "no file fits this pattern"),
        ('"m/*.csv"', 'rename = { "z" = "a" }', "no file has this column"),
        ('"m/*.csv"', 'rename = { "a" = "b" }', "two columns have this name in 202401.csv"),
        ("[]", "", "Name a file"),
        ('["m/202401.csv", "none.csv"]', "", "no such file"),
    ],
)
def test_what_cannot_be_put_together_is_refused(path, more, message, town, tmp_path):
    month(tmp_path / "m", 1)
    month(tmp_path / "m", 2)
    with pytest.raises((ConfigError, DataError), match=message):
        load_panel(town(source=source(path, more), places='"all"'), "office")


def test_a_file_whose_name_looks_like_a_pattern(tmp_path):
    (tmp_path / "a[1].csv").write_text("time,a\n")
    assert expand("a[1].csv", tmp_path) == ["a[1].csv"]
    assert expand(str(tmp_path / "*.csv"), tmp_path) == [str(tmp_path / "a[1].csv")]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.integers(0, 40), min_size=1, max_size=5), footer=st.integers(0, 50))
def test_files_are_their_rows_one_after_another_without_footers(rows, footer, tmp_path):
    for old in tmp_path.glob("*.csv"):
        old.unlink()
    expected = []
    for number, count in enumerate(rows):
        values = [f"{number}-{i}" for i in range(count)]
        (tmp_path / f"{number}.csv").write_text("\n".join(["x,y", *(f"{v},1" for v in values)]))
        expected += values[: max(0, count - footer)]
    found = CsvSettings(name="n", path=("*.csv",), skip_footer=footer)
    assert read_table(found, tmp_path).frame["x"].to_list() == expected
    batches = list(read_batches(found, tmp_path, ["y", "x"]))
    assert [x for batch in batches for x in batch.frame["x"].to_list()] == expected
    assert read_columns(found, tmp_path) == ["x", "y"]
