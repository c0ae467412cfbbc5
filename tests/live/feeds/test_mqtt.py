"""Rows that a broker publishes: a real broker, as a process of its own."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_server import free_port, wait_for
from processes import ENV

from deepcity.data.connectors.mqtt import MqttSettings
from deepcity.data.errors import ReadError
from deepcity.data.feeds.mqtt_message import row_of
from deepcity.live.feeds.feeds import open_feeds

pytest_plugins = ["towns"]

NUMBERS = {"topic_place": 2, "values": {"flow": "."}}
PARTS = {"place_path": "id", "time_path": "at", "values": {"flow": "data.0.q"}}


def source(**more):
    settings = {"name": "records", "host": "broker", "topics": ["meters/+/flow"], **more}
    return MqttSettings.model_validate({"format": "mqtt", **settings})


@pytest.mark.parametrize(
    ("more", "topic", "payload", "row"),
    [
        (NUMBERS, "meters/a/flow", b" 1.50 ", ("2024-05-01T00:00:00+00:00", "a", "1.50")),
        (PARTS, "x", b'{"id": 7, "at": 1714521600, "data": [{"q": 2}]}',
         ("2024-05-01T00:00:00+00:00", "7", "2")),
        (PARTS, "x", b'{"id": "a", "at": 1714521600999, "data": [{"q": null}]}',
         ("2024-05-01T00:00:00+00:00", "a", "")),
        (PARTS, "x", b'{"id": "a", "at": "2024-05-01T09:00", "data": [{"q": "2.5"}]}',
         ("2024-05-01T00:00:00+00:00", "a", "2.5")),
    ],
)  # fmt: skip
def test_a_message_is_a_row(more, topic, payload, row):
    found = row_of(source(**more), topic, payload, 1714521600.7, "Asia/Seoul")
    assert tuple(found[name] for name in ("time", "place", "flow")) == row


@pytest.mark.parametrize(
    ("more", "topic", "payload", "key"),
    [
        (NUMBERS, "meters", b"1", "topic_place"),
        (NUMBERS, "meters/a/flow", b"nan", "values.flow"),
        (NUMBERS, "meters/a/flow", b"\xff", "values"),
        (NUMBERS, "meters/a/flow", b"1" * 70_000, "topics"),
        (PARTS, "x", b"{", "values"),
        (PARTS, "x", b"[" * 60_000, "values"),
        (PARTS, "x", b'{"id": "a", "at": "never", "data": [{"q": 1}]}', "time_path"),
        (PARTS, "x", b'{"id": "a", "at": 1e300, "data": [{"q": 1}]}', "time_path"),
        (PARTS, "x", b'{"id": {}, "at": 1714521600, "data": [{"q": 1}]}', "place_path"),
        (PARTS, "x", b'{"id": "a", "at": 1714521600, "data": []}', "values.flow"),
    ],
)
def test_what_is_no_row_names_the_setting(more, topic, payload, key):
    with pytest.raises(ReadError) as caught:
        row_of(source(**more), topic, payload, 0.0, "UTC")
    assert caught.value.key == key


@settings(max_examples=25)
@given(st.binary(max_size=80) | st.recursive(
    st.none() | st.floats() | st.text(max_size=5),
    lambda inner: st.dictionaries(st.sampled_from(["id", "at", "data", "0", "q"]), inner)
    | st.lists(inner, max_size=2),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_message_is_a_row_or_is_refused(payload):
    for more in (NUMBERS, PARTS):
        try:
            found = row_of(source(**more), "meters/a/flow", payload, 0.0, "UTC")
        except ReadError:
            continue
        assert set(found) == {"time", "place", "flow"}


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"values": {"flow": "."}}, "topic_place"),
        ({**PARTS, "values": {"flow": "."}}, "values"),
        ({**NUMBERS, "time_path": "at"}, "time_path"),
        ({**NUMBERS, "ca": "ca.pem"}, "tls"),
        ({**NUMBERS, "tls": True, "key": "k.pem"}, "certificate"),
        ({**NUMBERS, "password_variable": "my secret!"}, "password_variable"),
        ({**NUMBERS, "layout": "wide", "place": None}, "layout"),
        ({**NUMBERS, "time": {"column": "t", "duplicates": "error"}}, "duplicates"),
    ],
)
def test_settings_that_do_not_fit_are_refused(more, key):
    with pytest.raises(ValueError, match="wrong") as caught:
        source(**more)
    assert any(one.get("ctx", {}).get("key") == key for one in caught.value.errors())


BROKER = """
import asyncio, logging, sys, warnings
warnings.simplefilter("ignore")
from amqtt.broker import Broker

async def main():
    broker = Broker({
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    })
    await broker.start()
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def broker(port):
    """A broker that answers."""
    process = subprocess.Popen(
        [sys.executable, "-c", BROKER, str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=ENV,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def end(process):
    process.kill()
    process.stdout.close()
    process.wait()


def publish(port, *messages):
    from paho.mqtt.publish import multiple

    found = [
        {"topic": f"meters/{place}/flow", "payload": payload, "qos": 1}
        for place, payload in messages
    ]
    multiple(found, "127.0.0.1", port)


def kept(feeds):
    """(place, flow) of each row kept."""
    lines = feeds.doors["records"].spool.path.read_text().splitlines()[1:]
    return [tuple(line.split(",")[1:]) for line in lines]


@pytest.mark.skipif(
    find_spec("paho") is None or find_spec("amqtt") is None,
    reason="no client or no broker: pip install paho-mqtt amqtt",
)
def test_messages_of_a_real_broker_are_rows_and_one_that_goes_away_is_waited_for(town):
    port = free_port()
    text = f'format = "mqtt"\nhost = "127.0.0.1"\nport = {port}\ntopics = ["meters/+/flow"]\n'
    city_file = town(source=text + 'topic_place = 2\nvalues = { flow = "." }')
    feeds = open_feeds(city_file)
    assert f"127.0.0.1:{port}" in feeds.trouble("office")  # no broker yet
    process = broker(port)
    try:
        wait_for(lambda: not feeds.trouble("office"), 60)
        publish(port, ("a", "1.5"), ("b", "2"), ("b", "many"), ("z", "3"))
        wait_for(lambda: len(kept(feeds)) == 2 and "no rows: 1" in feeds.trouble("office"), 60)
        assert kept(feeds) == [("a", "1.5"), ("b", "2")]
        end(process)
        wait_for(lambda: "is away since" in feeds.trouble("office"), 60)
        process = broker(port)
        wait_for(lambda: not re.search("away|yet", feeds.trouble("office")), 60)
        publish(port, ("a", "4"))
        wait_for(lambda: kept(feeds)[-1] == ("a", "4"), 60)
    finally:
        feeds.close()
        end(process)


def test_a_password_that_is_not_in_the_environment_is_a_fault_that_names_it(town, monkeypatch):
    monkeypatch.delenv("MQTT_PASSWORD", raising=False)
    text = 'format = "mqtt"\nhost = "127.0.0.1"\ntopics = ["a"]\nuser = "city"\n'
    feeds = open_feeds(town(source=text + 'topic_place = 1\nvalues = { flow = "." }'))
    assert "export MQTT_PASSWORD=" in feeds.trouble("office")
    feeds.close()
