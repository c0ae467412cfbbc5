"""What long work says where there is no terminal, and the summary at its end."""

import io
import re
import time

import pytest
from little_map import flows, service, three
from rich.console import Console

from deepcity.city.localized_text import LocalizedText
from deepcity.city.progress import ProgressTask
from deepcity.cli.progress_bars import ProgressBars
from deepcity.cli.summary import tables
from deepcity.cli.total_progress import TotalProgress
from deepcity.maps.city_map import load_map
from deepcity.runs.run import run_map


def printed_lines(steps, every, first=1, seconds=0.02):
    """Lines of a task whose steps take this long, told at most so often."""
    out = io.StringIO()
    with ProgressBars(Console(file=out, width=100), every) as bars:
        bars.begin("water: [alone]", steps)
        for done in range(first, steps + 1):
            time.sleep(seconds)
            bars.advance("water: [alone]", done)
    return out.getvalue().splitlines()


def test_plain_lines_tell_rate_and_time_left_now_and_then():
    start, *between, end = printed_lines(10, every=0.05)
    assert start == "water: [alone] ..."
    assert 1 <= len(between) <= 4
    for line in between:
        assert re.fullmatch(r"water: \[alone\]: \d/10, \d+(\.\d+)?/s, \d s left", line)
    assert re.fullmatch(r"water: \[alone\]: 10/10 done in \d+ s", end)


def test_short_work_says_only_its_begin_and_end():
    assert len(printed_lines(5, every=10)) == 2


def test_steps_of_an_earlier_run_do_not_count_as_speed():
    _, line, *_ = printed_lines(1000, every=0.0, first=998, seconds=0.05)
    rate = float(re.search(r"([\d.]+)/s", line).group(1))
    assert rate <= 20


def test_bars_of_a_terminal_fit_eighty_columns():
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True, color_system=None)
    with ProgressBars(console) as bars:
        bars.begin("streets: reading records", 12)
        for done in range(1, 13):
            bars.advance("streets: reading records", done)
    shown = [
        line.rstrip() for line in re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", out.getvalue()).split("\n")
    ]
    line = [line for line in shown if "12/12" in line][-1]
    assert len(line.split("\r")[-1]) <= 80
    assert "…" not in line


def planned(steps=(4, 4, 2), costs=(8.0, 8.0, 2.0)):
    """A whole of three methods, the second cost as much as the first, the third little."""
    whole = TotalProgress()
    names = ("water: alone", "water: level_6", "water: automatic")
    whole.plan([ProgressTask(*task) for task in zip(names, steps, costs, strict=True)])
    return whole


def test_the_whole_tells_methods_rate_and_time_left_by_cost():
    whole = planned()
    assert whole.seconds_left(0.0) is None
    whole.begin("water: alone", 10.0)
    for step in range(1, 5):
        whole.advance("water: alone", step)
    assert (whole.methods, len(whole.tasks)) == (1, 3)
    assert whole.share == pytest.approx(8 / 18)
    assert whole.seconds_left(14.0) == pytest.approx(5.0)  # 8 of cost took 4 s; 10 are left
    assert whole.rate(14.0) == pytest.approx(60 * 3 * (8 / 18) / 4)
    whole.skip("water: automatic")
    assert whole.seconds_left(14.0) == pytest.approx(4.0)


def test_methods_of_an_earlier_run_are_done_but_give_no_speed():
    whole = planned()
    whole.begin("water: reading records", 0.0)  # not planned: no method
    whole.begin("water: alone", 1.0)
    whole.begin("water: level_6", 1.0)  # alone was whole already
    assert whole.methods == 1
    assert whole.rate(2.0) is None
    whole.advance("water: level_6", 3)  # two rounds of it were there already
    assert whole.ran == pytest.approx(2.0)
    assert whole.seconds_left(2.0) == pytest.approx((2 + 2) * 1.0 / 2)


def test_a_run_tells_how_much_of_it_is_done(tmp_path):
    path = three(tmp_path).write(service(levels=(6,), rounds=2))
    out = io.StringIO()
    with ProgressBars(Console(file=out, width=200)) as bars:
        run_map(load_map(path), tmp_path / "run", bars)
    shown_lines = [line for line in out.getvalue().splitlines() if "methods" in line]
    assert [re.search(r"(\d)/4 methods", line).group(1) for line in shown_lines] == list("1234")
    assert all(re.search(r"methods, [\d.]+/min, \d+ s left\)$", line) for line in shown_lines)
    assert shown_lines[-1].endswith(" 0 s left)")


def test_a_method_that_cannot_be_run_is_not_counted(tmp_path):
    little = three(tmp_path).party("west/other", flows(days=30, places=1))
    out = io.StringIO()
    with ProgressBars(Console(file=out, width=200)) as bars:
        run_map(load_map(little.write(service(levels=(), rounds=1))), tmp_path / "run", bars)
    assert "3/3 methods" in out.getvalue().splitlines()[-1]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("screen")
    path = three(folder).write(service(levels=(6,), rounds=1, settings="pooled = false"))
    return run_map(load_map(path), folder / "run")


@pytest.mark.parametrize("width", [80, 100])
def test_a_party_takes_one_line_and_its_numbers_stay_whole(results, width):
    (only,) = results.services
    long = LocalizedText(
        en="A district with [a] name that no terminal has the width to hold " * 2, ko="가"
    )
    parties = [party.model_copy(update={"title": long}) for party in only.parties]
    service_ = only.model_copy(update={"parties": parties})
    out = io.StringIO()
    (table,) = tables(results.model_copy(update={"services": [service_]}), width)
    Console(file=out, width=width).print(table)
    title, _, *rows = out.getvalue().splitlines()
    assert title.strip() == f"{only.title.en}: mean absolute error, {only.unit}"
    assert len(rows) == len(parties)
    for row, party in zip(rows, parties, strict=True):
        assert row.startswith("A district with [a] ")
        assert "…" in row
        assert row.rstrip().endswith(f"{-party.gain():+.1%}")
        assert len(row) <= width
