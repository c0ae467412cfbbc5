"""What a table shows of its times and places, and what is asked because it does not show."""

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st
from typer.testing import CliRunner

from deepcity.cli.data import app
from deepcity.data.check.draft import draft, draft_with_questions
from deepcity.data.check.file_report import check_file
from deepcity.data.draft.places import detect_places
from deepcity.data.draft.times import detect_times

START = datetime(2024, 3, 1)  # noqa: DTZ001
HOURS = [START + timedelta(hours=n) for n in range(15 * 24)]


def asked(draft_):
    return [question.key for question in draft_.questions]


def frame(**columns):
    return pl.DataFrame(columns, strict=False)


@pytest.mark.parametrize(
    ("column", "values", "format_"),
    [
        ("t", [int((t - datetime(1970, 1, 1)).total_seconds()) for t in HOURS], "epoch_s"),  # noqa: DTZ001
        ("when", [int(t.timestamp()) * 1000 for t in HOURS], "epoch_ms"),
        ("date", [45_352 + n / 24 for n in range(360)], "excel_serial"),
        ("일시", [f"{t:%Y%m%d%H}" for t in HOURS], "%Y%m%d%H"),
        ("측정일시", [f"{t.year}년 {t.month}월 {t.day}일 {t.hour}시" for t in HOURS], None),
    ],
)
def test_styles_of_one_column(column, values, format_):
    for typed in (values, [str(value) for value in values]):
        found = detect_times(frame(**{column: typed, "v": range(len(values))}))
        assert found.settings == {"column": column, "format": format_ or "%Y년 %m월 %d일 %H시"}


@pytest.mark.parametrize(
    ("hour", "name", "ending"),
    [
        (lambda t: t.hour, "시간", " %H"),
        (lambda t: f"{t.hour:02d}시", "시", " %H시"),
        (lambda t: f"{t.hour:02d}-{t.hour + 1:02d}시", "시간대", " %H시"),
        (lambda t: f"{t.hour}~{t.hour + 1}", "hour", " %H"),
        (lambda t: f"{t:%H}:00", "hour", " %H:%M"),
        (
            lambda t: f"{'오전' if t.hour < 12 else '오후'} {t.hour % 12 or 12}시",
            "시각",
            " %p %I시",
        ),
    ],
)
def test_a_date_and_an_hour(hour, name, ending):
    table = frame(date=[f"{t:%Y.%m.%d}" for t in HOURS], **{name: [hour(t) for t in HOURS]})
    found = detect_times(table)
    assert found.settings == {"columns": ["date", name], "format": f"%Y.%m.%d{ending}"}
    assert asked(found) == ["clock.time_zone"]


@pytest.mark.parametrize("typed", [True, False])
def test_hours_from_1_to_24_end_then(typed, tmp_path):
    ends = [t + timedelta(hours=1) for t in HOURS]
    days = [(t - timedelta(seconds=1)).date() for t in ends]
    hours = [t.hour or 24 for t in ends]
    table = frame(
        일자=days if typed else [str(day) for day in days], 시간=hours, 인원=range(len(hours))
    )
    found = detect_times(table)
    assert found.settings["stamp"] == "wall_end"
    assert found.settings["step"] == "1h"
    assert asked(found) == ["time.stamp", "clock.time_zone"]
    table.write_parquet(tmp_path / "x.parquet")
    report = check_file(tmp_path / "x.parquet")
    assert report.problems == ()
    assert (report.agencies[0].start, report.agencies[0].steps) == ("2024-03-01 00:00", 360)


def test_hours_of_an_operating_day_are_no_ends():
    rows = [(date(2024, 3, day), hour) for day in range(1, 11) for hour in range(5, 26)]
    table = frame(d=[str(day) for day, _ in rows], h=[f"{hour}:00" for _, hour in rows])
    found = detect_times(table)
    assert found.settings == {"columns": ["d", "h"], "format": "%Y-%m-%d %H:%M"}


def test_hours_that_show_neither_end_are_asked():
    rows = [(date(2024, 3, day), hour) for day in range(1, 11) for hour in range(7, 20)]
    table = frame(d=[str(day) for day, _ in rows], hour=[hour for _, hour in rows])
    assert asked(detect_times(table)) == ["time.stamp", "clock.time_zone"]


def test_day_and_month_either_way_round_are_refused_with_both(tmp_path):
    (tmp_path / "x.csv").write_text(
        "date,a\n" + "".join(f"01/{n:02d}/2024,{n}\n" for n in range(1, 13)), encoding="utf-8"
    )
    raw, problems = draft(tmp_path / "x.csv")
    assert raw is None
    assert "1 February 2024" in problems[0].reason
    assert "'%d/%m/%Y' if" in problems[0].right
    assert "'%m/%d/%Y' if" in problems[0].right


@pytest.mark.parametrize("numbers", [True, False])
def test_columns_of_hours(numbers, tmp_path):
    names = [str(n) if numbers else f"{n:02d}시" for n in range(1, 25)]
    days = [START + timedelta(days=n) for n in range(20)]
    lines = [
        f"{day:%Y-%m-%d},{spot},{kind}," + ",".join(str(n + k) for n in range(24))
        for day in days
        for spot in ("150", "0151")
        for k, kind in enumerate(("승차", "하차"))
    ]
    text = "\n".join([",".join(["날짜", "역번호", "구분", *names]), *lines])
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    found = draft_with_questions(tmp_path / "x.csv")
    assert found.raw is not None
    (source,), (agency,) = found.raw["source"], found.raw["agency"]
    assert source["time"]["hour_columns"] == {"first": names[0], "last": names[-1]}
    assert source["place"] == "역번호"
    assert [field["where"] for field in agency["fields"]] == [
        {"구분": ["승차"]},
        {"구분": ["하차"]},
    ]
    assert ("time.hour_columns" in [one.key for one in found.questions]) == numbers
    report = check_file(tmp_path / "x.csv")
    assert report.problems == ()
    assert (report.agencies[0].places, report.agencies[0].steps) == (2, 480)
    assert [field.high for field in report.agencies[0].fields] == [23, 24]


IDS = {
    "whole": lambda n: 353_324_721 + n,
    "text": lambda n: f"{n:04d}",
    "float": lambda n: float(353_324_721 + n),
    "point zero": lambda n: f"{353_324_721 + n}.0",
    "few": lambda n: n + 1,
    "name": lambda n: f"역 {n}",
}


@tries(deadline=None, max_examples=40)
@given(
    style=st.sampled_from(list(IDS)),
    places=st.integers(2, 9),
    by_time=st.booleans(),
    dice=st.randoms(use_true_random=False),
    first=st.booleans(),
)
def test_a_place_column_is_found_however_its_ids_look(style, places, by_time, dice, first):
    pairs = [(t, n) for t in range(60) for n in range(places)]
    pairs = sorted(pairs, key=lambda pair: pair if by_time else pair[::-1])
    columns = {"p": [IDS[style](n) for _, n in pairs], "n": [dice.randrange(200) for _ in pairs]}
    if not first:
        columns = dict(reversed(columns.items()))
    table = frame(t=[str(HOURS[t]) for t, _ in pairs], **columns)
    numeric = ["n"] if style == "name" else list(columns)
    assert detect_places(table, ["t"], numeric).column == "p"


def test_what_describes_a_place_is_no_field():
    pairs = [(t, n) for t in range(50) for n in range(4)]
    table = frame(
        t=[str(HOURS[t]) for t, _ in pairs],
        name=[f"spot {n}" for _, n in pairs],
        code=[100 + n for _, n in pairs],
        lat=[37.5 + n / 10 for _, n in pairs],
        v=[t % 7 + n for t, n in pairs],
    )
    found = detect_places(table, ["t"], ["code", "lat", "v"])
    assert (found.column, found.about) == ("name", ("code", "lat"))


def test_rows_that_no_column_tells_apart_are_asked():
    table = frame(t=["2024-01-01", "2024-01-01", "2024-01-02"], v=[1, 1, 2])
    found = detect_places(table, ["t"], ["v"])
    assert found.column is None
    assert asked(found) == ["place"]


def test_ids_are_never_a_field_nor_thrown_away(tmp_path):
    rows = [f"{t},{n},{t.hour + n}" for n in (12, 353_324_721, 7) for t in HOURS]
    (tmp_path / "d.csv").write_text("t,p,n\n" + "\n".join(rows) + "\n", encoding="utf-8")
    report = check_file(tmp_path / "d.csv")
    assert report.problems == ()
    assert report.agencies[0].places == 3
    assert [field.name for field in report.agencies[0].fields] == ["n"]


def test_the_questions_stand_at_the_head_of_the_draft(tmp_path):
    rows = [f"{t},{t.hour}" for t in HOURS]
    (tmp_path / "d.csv").write_text("t,n\n" + "\n".join(rows) + "\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["check", "--draft", str(tmp_path / "d.csv")])
    assert "# To decide: clock.time_zone: the times state no zone" in result.stdout


@tries(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.sampled_from(["date", "h", "1", "2", "p", "v", "시간"]), unique=True),
    data=st.data(),
)
def test_no_frame_makes_detection_fail(names, data):
    cells = st.sampled_from(
        ["", None, "1", "24", "2024-01-01", "01/02/2024", "3.5E+08", "x", "9.0"]
    )
    rows = data.draw(st.integers(0, 6))
    columns = {name: data.draw(st.lists(cells, min_size=rows, max_size=rows)) for name in names}
    table = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
    found = detect_times(table)
    if found.settings:
        numeric = [name for name in names if name in ("1", "2", "v")]
        detect_places(table, found.columns, [n for n in numeric if n not in found.columns])
