"""What is wrong with rows as they are read or come is an event, and on the page."""

import time
from contextlib import contextmanager

import httpx
import pytest
import towns
from live_server import serving

from deepcity.city.errors import DataError
from deepcity.city.problem import Cause, Problem
from deepcity.data.city_file import check_city
from deepcity.live.feeds.feeds import open_feeds
from deepcity.live.feeds.refused_rows import MOST_KINDS, RefusedRows
from deepcity.live.node.checking.reading import MOST_NOTES, ReadingNotes
from deepcity.live.node.clock import LiveClock
from deepcity.live.node.node import Node
from deepcity.live.node.open_node import sources_of
from deepcity.store.events.event import EventKind, EventQuery
from deepcity.store.open_store import open_events
from deepcity.web.control.app import create_control_room

HOUR = 3600
ROWS = "/api/sources/office/records/rows"
CSV = {"Content-Type": "text/csv"}
FILE = 'format = "csv"\npath = "rows.csv"\nlayout = "long"\nplace = "station"'
FILE += '\ntime = { column = "time" }'
PUSH = 'format = "push"\nplace = "station"'


class Clock(LiveClock):
    """The machine's time, and more."""

    ahead_s = 0

    def now(self):
        return super().now() + self.ahead_s


@contextmanager
def opened(folder, source):
    """A node without forecasters over one source: (node, feeds)."""
    path = folder / "town.toml"
    path.write_text(towns.toml(source=source), encoding="utf-8")
    city_file, problems = check_city(path, later=True)
    assert not problems
    feeds = open_feeds(city_file)
    sources = sources_of((), city_file, folder / "spool", replay=False, coming=feeds.trouble)
    with open_events(f"duckdb:///{folder / 'city.duckdb'}") as events:
        node = Node(city_file, sources, (), events, Clock(), refused=feeds.refused)
        node.resume()
        node.tick()
        yield node, feeds
        feeds.close()
        node.close()


def hour(back):
    return time.strftime("%Y-%m-%dT%H:00:00+00:00", time.gmtime(time.time() - back * HOUR))


def lines(*flows, back=9):
    rows = [f"{hour(back - n)},{place},{one}\n" for n, one in enumerate(flows) for place in "ab"]
    return "time,station,flow\n" + "".join(rows)


def checks(node):
    return node.events.read(EventQuery((EventKind.CHECK,)))


def noted(node):
    found = node.check("office")
    return {} if found is None else {one["code"]: one for one in found.body["reading"]}


def test_bad_cells_of_a_followed_file_are_an_event_and_on_the_page(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text(lines(1, 2, 3))
    with opened(tmp_path, FILE) as (node, _):
        assert checks(node) == []
        file.write_text(lines(1, 2, 3, "n/k", "broken"))
        node.tick()
        (bad,) = node.check("office").body["reading"]
        assert bad["code"] == "reading_not_a_number"
        assert bad["numbers"] == {"count": 4.0}
        names = {name: bad["names"][name] for name in ("file", "column", "rows", "value")}
        assert names == {
            "file": "rows.csv", "column": "flow", "rows": ["8", "9", "10", "11"], "value": "n/k",
        }  # fmt: skip
        assert node.check("office").body["doubts"] == []
        node.tick()
        assert len(checks(node)) == 1  # the same is not kept again
        with serving(create_control_room(node, [], tmp_path / "state")) as address:
            (row,) = httpx.get(f"{address}/api/sources").json()
            text = row["doubts"][-1]
            assert text["en"] == (
                "rows.csv, flow: cells that are not numbers. Rows 8, 9, 10, 11; the first: “n/k”."
            )
            assert text["ko"] == ("rows.csv, flow: 숫자가 아닌 칸. 8, 9, 10, 11행; 첫 값 “n/k”.")
            assert row["check"]["state"] == "never"
            assert row["check"]["reading"][0]["code"] == "reading_not_a_number"
            file.write_text(lines(1, 2, 3, 4, 5))
            node.clock.ahead_s = 60
            node.tick()
            assert node.check("office").body["reading"] == []
            assert httpx.get(f"{address}/api/sources").json()[0]["doubts"] == []


def test_a_stray_quote_has_its_line(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text(lines(1, 2, 3))
    with opened(tmp_path, FILE) as (node, _):
        with file.open("a") as more:
            more.write(f'{hour(6)},a,"5\n{hour(6)},b,5\n')
        node.tick()
        stray = noted(node)["reading_stray_quote"]
        assert stray["names"]["rows"] == ["8"]
        assert stray["names"]["file"] == "rows.csv"


def test_a_restart_keeps_what_is_wrong_once(tmp_path):
    (tmp_path / "rows.csv").write_text(lines(1, 2))
    with opened(tmp_path, FILE) as (node, _):
        (tmp_path / "rows.csv").write_text(lines(1, 2, "x"))
        node.tick()
        assert len(checks(node)) == 1
    with opened(tmp_path, FILE) as (node, _):
        node.tick()
        assert len(checks(node)) == 1
        assert "reading_not_a_number" in noted(node)


def test_warnings_of_reading_are_told_too(tmp_path):
    (tmp_path / "rows.csv").write_text(lines(1, "inf", 3, "inf"))
    with opened(tmp_path, FILE) as (node, _):
        found = noted(node)["records_infinite"]
        assert found["numbers"]["count"] == 4
        assert found["names"]["field"] == "flow"


def test_rows_that_were_refused_are_counted(tmp_path):
    with opened(tmp_path, PUSH) as (node, feeds):
        app = create_control_room(node, [], tmp_path / "state", None, feeds)
        with serving(app) as address:
            for _ in range(2):
                body = lines("oops", "oops")
                found = httpx.post(address + ROWS, content=body, headers=CSV)
                assert found.status_code == 422
            node.tick()
            bad = noted(node)["reading_not_a_number"]
            assert (bad["numbers"]["batches"], bad["numbers"]["count"]) == (2, 8)
            assert (bad["names"]["file"], bad["names"]["value"]) == ("records", "oops")
            text = httpx.get(f"{address}/api/sources").json()[0]["doubts"][-1]
            assert "records, flow: cells that are not numbers." in text["en"]
            assert "refused as they came, 2 batches or messages from" in text["en"]
            assert "들어올 때 묶음이나 메시지 2개를 거절함" in text["ko"]
            count = len(checks(node))
            httpx.post(address + ROWS, content=lines("oops"), headers=CSV)
            node.clock.ahead_s = 120
            node.tick()
            assert len(checks(node)) == count  # three are less than twice two
            httpx.post(address + ROWS, content=lines("oops"), headers=CSV)
            node.tick()
            assert noted(node)["reading_not_a_number"]["numbers"]["batches"] == 4


def test_what_was_refused_is_bounded_and_forgotten_after_a_day():
    now = [1e6]
    refused = RefusedRows(lambda: now[0])
    cause = Cause("not-a-number", 2, (3,))
    refused.add(
        [Problem("rows", f"c{n}", "x", "no", "send numbers", cause=cause) for n in range(50)]
    )
    assert len(refused.recent()) == MOST_KINDS
    assert sum(one.cells for one in refused.recent()) == 100
    assert refused.recent()[-1].batches == 1
    now[0] += 86_401
    assert refused.recent() == ()


@pytest.mark.parametrize("count", [MOST_NOTES, 500])
def test_notes_of_an_agency_are_bounded(count):
    notes, cause = ReadingNotes(), Cause("not-a-number", 1, (1,))
    problems = [Problem("a.csv", f"c{n}", "x" * 999, "no", "", cause=cause) for n in range(count)]
    notes.failed("x", DataError(problems))
    found = notes.of("x")
    assert len(found) == MOST_NOTES
    if count > MOST_NOTES:
        assert found[-1].code == "reading_more"
        assert found[-1].numbers["count"] == count - MOST_NOTES + 1
    assert all(len(str(one.names.get("value", ""))) <= 200 for one in found)
