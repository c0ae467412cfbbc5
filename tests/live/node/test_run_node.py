"""A node goes on by itself, whatever happens, and says when it started and stopped."""

import time
from dataclasses import replace

from processes import PATIENCE_S

from deepcity.city.errors import StoreError
from deepcity.live.node import run_node
from deepcity.live.node.run_node import start_node
from deepcity.store.events.event import EventKind, EventQuery


def wait_until(true):
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_no_fault_ends_it_and_each_is_reported_once(open_node, monkeypatch):
    node, reported, calls = open_node(), [], []
    monkeypatch.setattr(run_node, "_RETRY_S", 0.01)
    tick = node.tick

    def faulty():
        calls.append(1)
        if len(calls) in (1, 2):
            raise StoreError("the database is away")
        if len(calls) == 3:
            raise ZeroDivisionError("a fault of ours")
        return tick()

    monkeypatch.setattr(node, "tick", faulty)
    thread, stop = start_node(node, 0.05, reported.append)
    wait_until(lambda: len(calls) > 5)
    stop.set()
    thread.join(PATIENCE_S)
    assert reported == ["the database is away", "a fault of ours"]
    noted = node.events.read(EventQuery((EventKind.NODE,)))
    assert [event.body["what"] for event in noted] == ["started", "stopped"]
    assert noted[0].body["parties"] == ["water a/x", "water a/y"]


def test_records_that_cannot_be_read_are_reported_once_and_when_they_can_again(
    open_node, monkeypatch
):
    node, reported, troubles = open_node(), [], {"x": ""}
    source = node.source

    def troubled(agency, now_s):
        return replace(source(agency, now_s), trouble=troubles.get(agency, ""))

    monkeypatch.setattr(node, "source", troubled)
    thread, stop = start_node(node, 0.01, reported.append)
    node.started.wait(PATIENCE_S)
    troubles["x"] = "row 578 opens a double quote that is never closed"
    wait_until(lambda: reported)
    troubles["x"] = ""
    wait_until(lambda: len(reported) > 1)
    stop.set()
    thread.join(PATIENCE_S)
    assert reported == [
        "x: row 578 opens a double quote that is never closed",
        "x: its records can be read again",
    ]
