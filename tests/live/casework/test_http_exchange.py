"""Cases over real HTTP: cities answer behind their own doors, and some fail."""

import socket
import threading
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from live_server import free_port, serving
from searching_cities import NOW, approved, entries, make_world, seen

from deepcity.city.errors import ConfigError, ExchangeError
from deepcity.exchange.message import Message
from deepcity.live.casework.http_exchange import BLOB, PATH, HttpExchange, http_exchange
from deepcity.live.casework.other_cities import OtherCity, read_other_cities
from deepcity.web.casework.owner_app import MOST_BODY, create_owner_app


@pytest.fixture
def world(tmp_path):
    found = make_world(tmp_path)
    found.cities["incheon"].tracks += [seen("9", NOW - 2400, 0.05)]
    found.cities["seoul"].tracks += [seen("0", NOW - 1500, 0.1)]
    found.cities["suwon"].tracks += [seen("5", NOW - 1500, 2.0)]
    return found


@contextmanager
def doors(world, *names):
    """These cities answer over HTTP; the searching one in this process."""
    with ExitStack() as stack:
        cities = {
            name: OtherCity(
                name=name,
                address=stack.enter_context(
                    serving(create_owner_app(world.cities[name].owner(), name))
                ),
            )
            for name in names
        }
        yield HttpExchange(cities, {"incheon": world.cities["incheon"].owner()}, timeout_s=5)


def test_a_search_over_http_is_that_in_one_process(world):
    room = world.room()
    first, second = approved(world), approved(world)
    with doors(world, "seoul", "suwon") as exchange:
        far = room.search(first, exchange, "incheon/lee")
        near = room.search(second, world.exchange(), "incheon/lee")
        assert far == near
        assert [one.place for one in far.actions if one.code == "look"] == ["incheon/9", "seoul/0"]
        assert room.close(first, exchange, "incheon/kim") == ()
    for city in world.cities.values():
        assert [one for one in entries(city.folder) if one.deletion]


def test_a_refusal_over_http_keeps_its_reason(world):
    (world.cities["seoul"].folder / "policy.toml").write_text("", encoding="utf-8")
    room, case = world.room(), approved(world)
    with doors(world, "seoul", "suwon") as exchange:
        decision = room.search(case, exchange, "incheon/lee")
        assert [one.place for one in decision.reasons if one.code == "city-silent"] == ["seoul"]
        with pytest.raises(ExchangeError, match=r"seoul refused \(HTTP 403\): .*no agency|grant"):
            exchange.call("seoul", _search_message(world, case))


def _search_message(world, case):
    from deepcity.intercity.casework.case import CaseVerb

    room = world.room()
    signed, kept = room.file(case).signed(), room.file(case).private()
    return room._message(signed, "seoul", CaseVerb.SEARCH, 99, bytes.fromhex(kept.query))


def test_what_is_no_message_is_refused_and_the_door_stays_open(world):
    with doors(world, "seoul") as exchange:
        url = f"{exchange.cities['seoul'].address}{PATH}"
        for body, status in (
            (b"", 422),
            (b"\x80\x04pickle", 422),
            (b"x" * (MOST_BODY + 1), 413),
        ):
            answer = httpx.post(url, content=body, headers={"Content-Type": BLOB})
            assert answer.status_code == status
            assert set(answer.json()["errors"][0]) == {"value", "reason", "next"}
        with pytest.raises(ExchangeError, match="must be up to"):
            exchange.call("seoul", Message("case_search"))
        assert httpx.get(f"{exchange.cities['seoul'].address}/health").json() == {"city": "seoul"}


@contextmanager
def answering(data, *, pause=None):
    """A server that answers every request with these bytes, or never."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()
        server.settimeout(0.1)  # to see that it is over

        def run():
            while not stop.is_set():
                try:
                    client, _ = server.accept()
                except TimeoutError:
                    continue
                with client:
                    client.recv(100_000)
                    for part in data:
                        try:
                            client.sendall(part)
                        except OSError:
                            break
                        stop.wait(pause or 0)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            stop.set()
            thread.join(5)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"
ANSWERS = {
    "huge": ([HEAD, b"x" * 200_000], None, "over 100,000 bytes"),
    "a byte a moment": ([HEAD, *[b"x"] * 40], 0.1, "no whole answer|timed out"),
    "redirect": ([b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n"], None, "302"),
    "garbage": ([b"hello\r\n\r\n"], None, "cannot be reached"),
    "nothing": ([], None, "cannot be reached"),
    "no message": ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"], None, "not a message"),
}


@pytest.mark.parametrize(("data", "pause", "words"), ANSWERS.values(), ids=ANSWERS)
def test_a_city_that_answers_with_anything_costs_no_other_answer(world, data, pause, words):
    with answering(data, pause=pause) as address, doors(world, "seoul") as exchange:
        cities = {**exchange.cities, "suwon": OtherCity(name="suwon", address=address)}
        some = HttpExchange(cities, exchange.own, timeout_s=1)
        decision = world.room().search(approved(world), some, "incheon/lee")
        assert [one.place for one in decision.reasons if one.code == "city-silent"] == ["suwon"]
        with pytest.raises(ExchangeError, match=words):
            some.call("suwon", Message("case_search"))


def test_a_city_that_is_not_there_or_not_known_is_named(world):
    gone = OtherCity(name="suwon", address=f"http://127.0.0.1:{free_port()}")
    exchange = HttpExchange({"suwon": gone}, {})
    with pytest.raises(ExchangeError, match="suwon cannot be reached"):
        exchange.call("suwon", Message("case_search"))
    with pytest.raises(ExchangeError, match="no party 'busan'"):
        exchange.call("busan", Message("case_search"))


FILE = """
passers_by_h = 60
[[city]]
name = "seoul"
address = "https://cases.seoul.example:8443"
certificate = "seoul.pem"
cameras = [{ id = "gate-1", lat = 37.5, lon = 127.0 }]
[[city]]
name = "incheon"
cameras = [{ id = "gate-1", lat = 37.4, lon = 126.7 }]
"""


def test_a_file_of_cities(tmp_path):
    (tmp_path / "others.toml").write_text(FILE, encoding="utf-8")
    found = read_other_cities(tmp_path / "others.toml")
    assert set(found.spots) == {"seoul/gate-1", "incheon/gate-1"}
    assert found.city[0].certificate == tmp_path / "seoul.pem"
    assert http_exchange(found).parties == ("seoul",)


WRONG = {
    "twice": (FILE + '[[city]]\nname = "seoul"\n', "seoul is there twice"),
    "camera twice": (FILE.replace("[{", '[{ id = "gate-1", lat = 1, lon = 1 }, {', 1), "twice"),
    "address": (FILE.replace("https://", "ftp://"), "address"),
    "latitude": (FILE.replace("37.5", "97.5"), "lat"),
    "NaN": (FILE.replace("127.0", "nan"), "lon"),
    "unknown key": (FILE.replace("certificate", "cert"), "unknown key"),
    "no city": ("passers_by_h = 5\n", "city"),
    "no TOML": ("[[city", "not TOML"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_of_cities_is_refused_with_the_reason(tmp_path, text, words):
    (tmp_path / "others.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        read_other_cities(tmp_path / "others.toml")
