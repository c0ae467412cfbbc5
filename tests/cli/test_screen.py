"""What long work says where there is no terminal, and the summary at its end."""

import io
import re
import time

import pytest
from little_map import service, three
from rich.console import Console

from deepcity.cli.screen import ProgressWatch
from deepcity.cli.summary import tables
from deepcity.intercity.city_map import load_map
from deepcity.intercity.results import Words
from deepcity.intercity.run import run_map


def said(steps, every, first=1, seconds=0.02):
    """Lines of a task whose steps take this long, told at most so often."""
    out = io.StringIO()
    with ProgressWatch(Console(file=out, width=100), every) as watch:
        watch.begin("water: [alone]", steps)
        for done in range(first, steps + 1):
            time.sleep(seconds)
            watch.advance("water: [alone]", done)
    return out.getvalue().splitlines()


def test_plain_lines_tell_rate_and_time_left_now_and_then():
    start, *between, end = said(10, every=0.05)
    assert start == "water: [alone] ..."
    assert 1 <= len(between) <= 4
    for line in between:
        assert re.fullmatch(r"water: \[alone\]: \d/10, \d+(\.\d+)?/s, \d s left", line)
    assert re.fullmatch(r"water: \[alone\]: 10/10 done in \d+ s", end)


def test_short_work_says_only_its_begin_and_end():
    assert len(said(5, every=10)) == 2


def test_steps_of_an_earlier_run_do_not_count_as_speed():
    _, line, *_ = said(1000, every=0.0, first=998, seconds=0.05)
    rate = float(re.search(r"([\d.]+)/s", line).group(1))
    assert rate <= 20


def test_bars_of_a_terminal_fit_eighty_columns():
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True, color_system=None)
    with ProgressWatch(console) as watch:
        watch.begin("streets: reading records", 12)
        for done in range(1, 13):
            watch.advance("streets: reading records", done)
    shown = [
        line.rstrip() for line in re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", out.getvalue()).split("\n")
    ]
    line = [line for line in shown if "12/12" in line][-1]
    assert len(line.split("\r")[-1]) <= 80
    assert "…" not in line


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("screen")
    path = three(folder).write(service(levels=(6,), rounds=1, settings="pooled = false"))
    return run_map(load_map(path), folder / "run")


@pytest.mark.parametrize("width", [80, 100])
def test_a_party_takes_one_line_and_its_numbers_stay_whole(results, width):
    (only,) = results.services
    long = Words(en="A district with [a] name that no terminal has the width to hold " * 2, ko="가")
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
        assert row.rstrip().endswith(f"{party.gain():+.1%}")
        assert len(row) <= width
