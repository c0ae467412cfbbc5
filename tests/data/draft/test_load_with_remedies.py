"""Drafts take the remedies that their records' problems offer, each for its own source only."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from deepcity.city.errors import DataError
from deepcity.data.draft.answers import Answers, OpenQuestionsError
from deepcity.data.draft.city import start_city

ROME = Answers(time_zone="Europe/Rome", kind={"people": "count"}, unit={"people": "people"})


def night(folder, hours_, name="people"):
    """Three days of hours around the night in which clocks were put back."""
    rows = [f"2023-10-28 {h:02d}:00" for h in range(1, 24)]
    rows += [f"2023-10-29 {h:02d}:00" for h in (0, *hours_, *range(4, 24))]
    rows += [f"2023-10-30 {h:02d}:00" for h in range(24)]
    lines = [f"{time},{n % 7 + 10}" for n, time in enumerate(rows)]
    (folder / f"{name}.csv").write_text(f"time,{name}\n" + "\n".join(lines) + "\n")
    return folder / f"{name}.csv", len(rows)


def started(folder, *paths, answers=ROME):
    return start_city([str(path) for path in paths], answers, folder)


@pytest.mark.parametrize(
    ("hours_", "time"),
    [
        ((1, 2, 2, 3), {"ambiguous": "infer"}),
        ((1, 2, 3), {"ambiguous": "earlier"}),
        ((1, 2, 3, 3), {"stamp": "wall_end", "step": "1h", "ambiguous": "infer"}),
    ],
)
def test_the_hour_that_stands_twice_tells_what_times_mark(hours_, time, tmp_path):
    path, rows = night(tmp_path, hours_)
    start = started(tmp_path, path)
    (source,) = start.raw["source"]
    settings = {key: one for key, one in source["time"].items() if key not in ("column", "format")}
    assert settings == time
    (panel,) = start.panels.values()
    assert np.isfinite(panel.values_TNF).sum() == rows


def test_years_with_one_row_of_the_hour_leave_the_stamp_to_those_with_two(tmp_path):
    path, rows = night(tmp_path, (1, 2, 3, 3))
    begin = datetime(2022, 10, 29)  # noqa: DTZ001 - a wall clock
    before = [f"{begin + timedelta(hours=n):%Y-%m-%d %H:%M}" for n in range(364 * 24 + 1)]
    head, *later = path.read_text(encoding="utf-8").splitlines()
    earlier = [f"{time},{n % 7 + 10}" for n, time in enumerate(before)]
    path.write_text("\n".join([head, *earlier, *later]) + "\n", encoding="utf-8")
    start = started(tmp_path, path)
    (source,) = start.raw["source"]
    assert source["time"]["stamp"] == "wall_end"
    (panel,) = start.panels.values()
    known = int(np.isfinite(panel.values_TNF).sum())
    assert rows + len(before) - 5 <= known < rows + len(before), "the hours of one row are left out"


def test_what_was_decided_before_the_stamp_is_not_stated_any_more(tmp_path):
    path, _ = night(tmp_path, (1, 2, 3, 3))
    stated = started(tmp_path, path).assumed
    assert any("(stamp = wall_end)" in one for one in stated)
    assert not any("(ambiguous = earlier)" in one for one in stated)


def twice(folder, name, second):
    """Two days of hours, one of them in two rows."""
    rows = [f"2024-05-{d:02d} {h:02d}:00,{h + 10}" for d in (1, 2) for h in range(24)]
    rows.insert(6, f"2024-05-01 05:00,{second}")
    (folder / f"{name}.csv").write_text(f"time,{name}\n" + "\n".join(rows) + "\n")
    return folder / f"{name}.csv"


def test_equal_rows_count_once(tmp_path):
    start = started(tmp_path, twice(tmp_path, "people", 15))
    assert start.raw["source"][0]["time"]["duplicates"] == "first"


def test_equal_rows_of_one_file_decide_nothing_on_rows_of_another_that_differ(tmp_path):
    same, other = twice(tmp_path, "people", 15), twice(tmp_path, "cars", 99)
    with pytest.raises((OpenQuestionsError, DataError), match=r"cars\.csv|05:00"):
        started(tmp_path, same, other)


def test_a_text_with_a_comma_is_asked_for_as_it_stands(tmp_path):
    rows = [f"2024-05-{d:02d} {h:02d}:00;{h + 10}" for d in (1, 2) for h in range(24)]
    rows[7] = "2024-05-01 07:00;closed, no one"
    (tmp_path / "people.csv").write_text("time;people\n" + "\n".join(rows) + "\n")
    with pytest.raises(OpenQuestionsError) as found:
        started(tmp_path, tmp_path / "people.csv")
    (ask,) = found.value.asks
    assert (ask.key, ask.assumed) == ("missing", "closed, no one")
    start = started(tmp_path, tmp_path / "people.csv", answers=ROME.also(ask, ask.assumed))
    assert np.isnan(next(iter(start.panels.values())).values_TNF).sum() == 1
