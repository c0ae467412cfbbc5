"""The page of `deepcity data check --html`: whole, self-contained, and what is odd comes first."""

import re
from dataclasses import replace

import numpy as np
import pytest
from page_outline import outline
from typer.testing import CliRunner

from deepcity.cli.data import app
from deepcity.data.check.file_report import FileReport, check_file
from deepcity.web.report.records import render_records, write_records

HEAD = """
name = "town"
title = { en = "Town", ko = "마을" }
[clock]
time_zone = "Europe/Rome"
step = "1h"
[[source]]
name = "records"
format = "csv"
path = "records.csv"
time = { column = "time" }
[[agency]]
name = "office"
title = { en = "Office", ko = "사무소" }
domain = "resources"
fields = [{ name = "load", kind = "load", unit = "MW", source = "records" }]
places = "all"
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """Twenty places for a month; the last is in kW from the 15th day on, one is never measured."""
    folder = tmp_path_factory.mktemp("town")
    dice = np.random.default_rng(0)
    hours = np.arange(30 * 24)
    values = 20 + 5 * np.sin(hours / 24 * 2 * np.pi)[:, None] + dice.normal(size=(len(hours), 20))
    values[15 * 24 :, -1] *= 1000
    start = np.datetime64("2024-01-08T00:00")
    lines = [",".join(["time", *(f"p<{n}>" for n in range(20)), "silent"])]
    for hour in hours:
        cells = ",".join(f"{value:.3f}" for value in values[hour])
        lines.append(f"{str(start + np.timedelta64(int(hour), 'h')).replace('T', ' ')},{cells},")
    (folder / "records.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "town.toml").write_text(HEAD, encoding="utf-8")
    return folder / "town.toml"


def test_the_page_is_whole_and_asks_for_nothing(city):
    page = render_records([check_file(city, with_plots=True)])
    read = outline(page)
    assert all(address.startswith(("#", "data:")) for address in read.addresses)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
    assert "p&lt;19&gt;" in page
    assert "p<1" not in page
    bare = re.sub(r"<script>.*?</script>|<style>.*?</style>", "", page, flags=re.S)
    assert not re.search(r"\b(nan|inf|None|Undefined)\b", bare)


def test_what_is_odd_is_reported_on_top_and_drawn_first(city):
    report = check_file(city, with_plots=True)
    reported = [f for f in report.agencies[0].findings if f.what == "unit-change"]
    assert [f.shows[1] for f in reported] == [("p<19>",)]
    drawn = {plot.place: plot for plot in report.plots}
    assert drawn["p<19>"].warnings == (reported[0].text,)
    assert "silent" in drawn
    assert 4 <= len(drawn) <= 8  # of 21 places: the named ones and a sample
    page = render_records([report])
    assert page.index("unit-change") < page.index("<table")
    assert page.count("flagged") > 1
    assert "No value was measured." in page
    assert "측정된 값이 없습니다." in page


def test_a_plot_keeps_the_extremes_of_each_stretch(city):
    plot = next(p for p in check_file(city, with_plots=True).plots if p.place == "p<19>")
    assert len(plot.times) == len(plot.low) == len(plot.mean) == len(plot.high) == 360
    assert all(a <= b <= c for a, b, c in zip(plot.low, plot.mean, plot.high, strict=True))
    assert max(plot.high) > 1000 * min(plot.low)


def test_without_being_asked_nothing_is_drawn(city):
    assert check_file(city).plots == ()


def test_the_command_writes_the_page_and_a_refused_path_is_reported(city, tmp_path):
    out = tmp_path / "deep" / "out.html"
    result = CliRunner().invoke(app, ["check", str(city), "--html", str(out)])
    assert result.exit_code == 0, result.output
    assert "unit-change" in out.read_text(encoding="utf-8")
    (tmp_path / "file").write_text("x")
    refused = CliRunner().invoke(app, ["check", str(city), "--html", str(tmp_path / "file/o.html")])
    assert refused.exit_code == 2


def test_problems_and_hostile_names_are_escaped(tmp_path):
    bad = '"><script>alert(1)</script>'
    report = check_file(tmp_path / "none.toml")
    evil = replace(report, file=bad, problems=(replace(report.problems[0], value=bad),))
    page = render_records([evil, FileReport("empty.toml", False, (), ())])
    outline(page)
    assert page.count("<script>") == 1
    write_records([evil], tmp_path / "x.html")
    assert (tmp_path / "x.html").stat().st_mode & 0o044
