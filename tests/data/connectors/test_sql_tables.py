"""A city file drafted from a table of a database."""

import sqlite3

import pytest
from typer.testing import CliRunner

from deepcity.cli import app
from deepcity.data.check.draft import draft
from deepcity.data.check.file_report import check_file


@pytest.fixture
def database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    connection = sqlite3.connect("r.db")
    connection.execute('create table "bike counts" ("when" text, site text, n integer)')
    times = [f"2024-01-{d:02d} {h:02d}:00" for d in range(1, 11) for h in range(24)]
    rows = [(time, site, i % 24) for i, time in enumerate(times) for site in "ab"]
    connection.executemany('insert into "bike counts" values (?, ?, ?)', rows[::-1])
    connection.execute("create table other (x integer)")
    connection.commit()
    connection.close()


def test_a_table_is_drafted_and_checked(database):
    raw, problems = draft("sqlite:///r.db#bike counts")
    assert problems == []
    (source,) = raw["source"]
    assert source["query"] == 'SELECT * FROM "bike counts" ORDER BY "when"'
    assert (source["layout"], source["place"]) == ("long", "site")
    report = check_file("sqlite:///r.db#bike counts")
    assert report.problems == ()
    assert (report.agencies[0].steps, report.agencies[0].places) == (240, 2)
    text = (
        CliRunner().invoke(app, ["data", "check", "--draft", "sqlite:///r.db#bike counts"]).stdout
    )
    assert 'url = "sqlite:///r.db"' in text


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///r.db", "no table is named behind a #. Known are bike counts, other"),
        ("sqlite:///r.db#bike_counts", "did you mean 'bike counts'"),
        ("sqlite:///none.db#t", "no such database file"),
        ("postgresql://me:geheim@host/db#t", "export DB_PASSWORD"),
        ("postgresql://me:${ABSENT_PASSWORD}@host/db#t", "ABSENT_PASSWORD is not set"),
        ("oracle://x#t", "not installed"),
        ("nothing://x#t", "not a usable database URL"),
    ],
)
def test_what_cannot_be_drafted_is_told_without_a_password(url, message, database):
    raw, problems = draft(url)
    assert raw is None
    assert message.lower() in str(problems[0]).lower()
    assert "geheim" not in str(problems[0])
