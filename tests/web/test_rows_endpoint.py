"""Rows pushed to an agency's own machine: what could not be read is refused, and not kept."""

import socket

import httpx
import pytest
import towns

from deepcity.city.errors import ConfigError, DataError
from deepcity.data.follow.follow_source import SourceFollower
from deepcity.web.rows_endpoint import start_rows_endpoint

pytest_plugins = ["towns"]

WIDE = "time,a,b\n2024-05-01T00:00,1,2\n2024-05-01T01:00,3,4\n"
LONG = towns.SOURCE + '\nlayout = "long"\nplace = "station"'
EVENTS = towns.SOURCE + '\nlayout = "events"\nplace = "station"'
COUNTS = '[{ name = "flow", kind = "count", unit = "1", source = "records" }]'


class Pushed:
    """An agency's endpoint, and its follower."""

    def __init__(self, city_file, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        files = start_rows_endpoint(city_file, "office", folder / "pushed", port)
        self.path = files["records"]
        self.follower = SourceFollower(city_file, "office", folder / "spool", replacements=files)
        self.url = f"http://127.0.0.1:{port}/rows"
        self.client = httpx.Client(
            transport=httpx.HTTPTransport(retries=5), trust_env=False, timeout=30
        )

    def push(self, text):
        """The status, and the first problem."""
        answer = self.client.post(self.url, content=text)
        return answer.status_code, answer.json().get("errors", [{}])[0]


@pytest.fixture
def pushed(town, tmp_path):
    opened = []

    def make(records=WIDE, **settings):
        opened.append(Pushed(town(records, **settings), tmp_path))
        return opened[-1]

    yield make
    for one in opened:
        one.follower.close()
        one.client.close()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('time,a,b\n2024-05-01T00:00,"1,2\n2024-05-01T01:00,3,4\n', "double quote"),
        ("time,a,b\n2024-05-01T00:00,many,2\n", "not a number"),
        ("time,a\n2024-05-01T00:00,1\n", "no such column"),
        ("2024-05-01T00:00,1,2\n2024-05-01T01:00,3,4\n", "missing"),
        ("time,a,b\n", "none"),
    ],
    ids=["quote", "number", "column", "header", "no rows"],
)
def test_what_could_not_be_read_is_refused_and_leaves_no_trace(pushed, body, says):
    one = pushed()
    status, problem = one.push(body)
    assert status == 422
    assert says in problem["reason"]
    assert not one.path.exists()
    assert one.push(WIDE)[0] == 200
    assert one.follower.poll().values_TNF[:, :, 0].tolist() == [[1, 2], [3, 4]]


def test_a_header_is_that_of_the_rows_before_and_their_file_is_named(pushed):
    one = pushed()
    assert one.push(WIDE)[0] == 200
    status, problem = one.push("time,b,a\n2024-05-01T02:00,5,6\n")
    assert status == 422
    assert "pushed/records.csv" in problem["reason"]
    assert "time,a,b" in problem["next"]
    assert one.push("time,a,b\n2024-05-01T02:00,5,6\n")[0] == 200
    assert one.follower.poll().values_TNF[-1, :, 0].tolist() == [5, 6]


def test_what_the_agent_reports_of_pushed_rows_names_their_file(pushed):
    one = pushed()
    one.push(WIDE)
    with one.path.open("a") as file:
        file.write('2024-05-01T02:00,"5,6\n2024-05-01T03:00,7,8\n')
    with pytest.raises(DataError, match=r"pushed/records\.csv"):
        one.follower.poll()


@pytest.mark.parametrize(
    ("settings", "head", "row"),
    [
        ({"source": LONG}, "time,station,flow", "{time},{place},1"),
        ({"source": EVENTS, "fields": COUNTS}, "time,station", "{time},{place}"),
    ],
    ids=["long", "events"],
)
def test_a_single_row_of_a_place_is_enough(pushed, settings, head, row):
    times = "2024-05-01T00:00", "2024-05-01T01:00"
    rows = [row.format(time=time, place=place) for time in times for place in "ab"]
    one = pushed("\n".join([head, *rows, ""]), **settings)
    for each in rows:
        assert one.push(f"{head}\n{each}\n")[0] == 200
    assert one.follower.poll().values_TNF[:, :, 0].tolist() == [[1, 1], [1, 1]]
    status, problem = one.push(f"{head}\n{row.format(time='yesterday', place='a')}\n")
    assert status == 422, problem


def test_rows_of_places_that_no_agency_has_are_refused(pushed):
    one = pushed("time,station,flow\n2024-05-01T00:00,a,1\n2024-05-01T01:00,b,1\n", source=LONG)
    status, problem = one.push("time,station,flow\n2024-05-01T00:00,z,1\n")
    assert (status, problem["reason"]) == (422, "no agency has any of these places")


def test_a_source_that_is_not_followed_line_by_line_takes_no_rows(town, tmp_path):
    source = towns.SOURCE.replace("records.csv", "record?.csv")
    city_file = town(WIDE, source=source)
    with pytest.raises(ConfigError, match="one plain file"):
        start_rows_endpoint(city_file, "office", tmp_path / "pushed", 1)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 400),  # its own name, made to point here
    ],
)
def test_a_page_in_a_browser_of_the_machine_cannot_send_rows(pushed, headers, status):
    """A form or a script can post text to any address, and needs no answer to have done it."""
    one = pushed()
    sent = {"Content-Type": "text/plain", **headers}
    assert one.client.post(one.url, content=WIDE, headers=sent).status_code == status
    assert not one.path.exists()
    assert one.push(WIDE)[0] == 200
