"""What every store of events must do."""

import multiprocessing
import os
import signal
import threading

import pytest
from duckdb_encryption import encrypt_without_openssl

from deepcity.city.errors import StoreError
from deepcity.store.events.event import EventDraft, EventKind, EventQuery
from deepcity.store.events.event_store import read_pages
from deepcity.store.open_store import open_events


@pytest.fixture
def events(url):
    with open_events(url) as store:
        yield store


def draft(number, kind=EventKind.NOTE, **more):
    return EventDraft(kind, f"note/{number}", 1000 + number, **more)


def test_events_come_back_as_they_were_stored_in_order(events):
    first = draft(1, service="water", party="a/b", who="kim", body={"text": "물", "n": [1.5]})
    stored = events.append([first, draft(2, EventKind.ROWS, data=b"\x00\xff")])
    assert [one.seq for one in stored] == [1, 2]
    assert events.read(EventQuery()) == stored
    assert stored[0].body == {"text": "물", "n": [1.5]}
    assert stored[1].data == b"\x00\xff"
    assert events.last() == 2
    assert events.find("note/2") == stored[1]
    assert events.find("note/3") is None


def test_a_key_is_stored_once_within_a_call_and_between_calls(events):
    assert len(events.append([draft(1), draft(1)])) == 1
    again = events.append([draft(1, who="other"), draft(2)])
    assert [(one.seq, one.key) for one in again] == [(2, "note/2")]
    assert events.find("note/1").who == ""


def test_queries(events):
    drafts = [
        draft(number, EventKind.DECISION if number % 2 else EventKind.FORECAST, party=f"p{number}")
        for number in range(6)
    ]
    events.append(drafts)

    def found(**how):
        return [one.at_s - 1000 for one in events.read(EventQuery(**how))]

    assert found(kinds=(EventKind.DECISION,)) == [1, 3, 5]
    assert found(kinds=(EventKind.DECISION, EventKind.FORECAST)) == [0, 1, 2, 3, 4, 5]
    assert found(kinds=(EventKind.ROWS,)) == []
    assert found(after=4) == [4, 5]
    assert found(since_s=1002, until_s=1004) == [2, 3]
    assert found(party="p3") == [3]
    assert found(newest=True, limit=2) == [5, 4]
    assert found(service="none") == []


def test_without_data_it_is_left_out(events):
    events.append([draft(1, data=b"123")])
    assert events.read(EventQuery(data=False))[0].data == b""
    assert events.read(EventQuery())[0].data == b"123"


def test_a_batch_that_cannot_be_written_leaves_nothing(events):
    with pytest.raises(ValueError, match="JSON"):
        events.append([draft(1), draft(2, body={"value": float("nan")})])
    assert events.read(EventQuery()) == []


def test_threads_append_without_gaps_or_repetition(events):
    def add(worker):
        for number in range(10):
            events.append([draft(100 * worker + number), draft(1)])

    workers = [threading.Thread(target=add, args=(worker,)) for worker in range(1, 5)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    stored = events.read(EventQuery())
    assert [one.seq for one in stored] == list(range(1, 42))
    assert len({one.key for one in stored}) == 41


def _append_until_killed(url, ready):
    encrypt_without_openssl()
    with open_events(url) as store:
        number = 0
        while True:
            store.append([draft(number), draft(number + 100_000)])
            number += 1
            if number == 20:
                ready.set()


def test_a_killed_process_leaves_whole_batches(url):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    writer = context.Process(target=_append_until_killed, args=(url, ready))
    writer.start()
    assert ready.wait(60)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    with open_events(url) as store:
        stored = store.read(EventQuery())
        assert len(stored) >= 40
        assert [one.seq for one in stored] == list(range(1, len(stored) + 1))
        low = {one.at_s for one in stored if one.at_s < 100_000}
        high = {one.at_s - 100_000 for one in stored if one.at_s >= 100_000}
        assert low == high


def test_it_is_opened_again_with_what_it_held(url):
    with open_events(url) as store:
        store.append([draft(1)])
    with open_events(url) as store:
        assert [one.seq for one in store.append([draft(2)])] == [2]


def test_another_url_is_refused():
    with pytest.raises(StoreError, match="duckdb:///"):
        open_events("mysql://secret@host/city")


def test_pages_hold_every_event_once(events):
    events.append([draft(number, party="x" if number % 3 else "y") for number in range(20)])
    query = EventQuery(party="x", after=2)
    for size in (1, 4, 12, 100):
        assert list(read_pages(events, query, size)) == events.read(query)
