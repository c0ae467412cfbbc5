"""A queue that loses nothing and doubles nothing, whoever is killed."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from deepcity.city.errors import OutboxFullError, StoreError
from deepcity.store.outbox import Draft, Outbox

WRITER = """
import sys
from pathlib import Path
from deepcity.store.outbox import Draft, Outbox

outbox = Outbox(Path(sys.argv[1]))
number = (outbox.cursor("sent") or 0) + 1
while True:
    outbox.put([Draft("space", 1, str(number).encode())], {"sent": number})
    print(number, flush=True)
    number += 1
"""


@pytest.fixture
def outbox(tmp_path):
    with Outbox(tmp_path / "state" / "outbox.sqlite") as outbox:
        yield outbox


def bodies(outbox):
    found = []
    while (parcel := outbox.first()) is not None:
        found.append(parcel.body)
        outbox.confirm(parcel.number)
    return found


def test_parcels_go_in_order_and_stay_until_confirmed(outbox):
    for number in range(3):
        outbox.put([Draft("space", 5, b"%d" % number)], {"sent": number})
    assert outbox.first() == outbox.first()
    assert (outbox.waiting().parcels, outbox.waiting().rows) == (3, 15)
    assert bodies(outbox) == [b"0", b"1", b"2"]
    assert outbox.cursor("sent") == 2
    assert outbox.cursor("other") is None
    assert outbox.waiting().oldest is None


def test_confirming_twice_touches_nobody_else(outbox):
    outbox.put([Draft("space", 1, b"a")], {})
    first = outbox.first()
    outbox.confirm(first.number)
    outbox.put([Draft("space", 1, b"b")], {})
    outbox.confirm(first.number)
    assert bodies(outbox) == [b"b"]


def test_a_full_outbox_says_so_and_changes_nothing(tmp_path):
    with Outbox(tmp_path / "outbox", max_bytes=10) as outbox:
        outbox.put([Draft("space", 1, b"12345678")], {"sent": 1})
        with pytest.raises(OutboxFullError, match=r"8 bytes wait, 10 may.*nothing was lost"):
            outbox.put([Draft("space", 1, b"123")], {"sent": 2})
        assert outbox.cursor("sent") == 1
        outbox.refuse(outbox.first().number, "another version")
        with pytest.raises(OutboxFullError):  # what was refused still takes room
            outbox.put([Draft("space", 1, b"123")], {"sent": 2})


def test_what_was_refused_is_kept_with_its_reason_and_can_be_sent_again(outbox):
    for body in (b"a", b"b"):
        outbox.put([Draft("space", 1, body)], {})
    outbox.refuse(outbox.first().number, "another version")
    assert outbox.waiting().refused == 1
    assert outbox.waiting().reason == "another version"
    assert outbox.retry_refused() == 1
    assert bodies(outbox) == [b"a", b"b"]  # in its old place


def test_a_writer_that_is_killed_again_and_again_loses_and_doubles_nothing(tmp_path):
    path, confirmed = tmp_path / "outbox", 0
    for _ in range(3):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            for _ in range(20):
                confirmed = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
    with Outbox(path) as outbox:
        sent = outbox.cursor("sent")
        found = [int(body) for body in bodies(outbox)]
    assert sent >= confirmed >= 60
    assert found == list(range(1, sent + 1))


def test_a_parcel_that_cannot_be_kept_leaves_its_mark_where_it_was(tmp_path):
    path = tmp_path / "outbox"
    with Outbox(path) as outbox:
        outbox.put([Draft("space", 1, b"a")], {"sent": 1})
    with closing(sqlite3.connect(path)) as file:
        file.execute(
            "create trigger no before insert on marks begin select raise(abort, 'no'); end"
        )
    with Outbox(path) as outbox:
        with pytest.raises(StoreError, match="no"):
            outbox.put([Draft("space", 1, b"b")], {"sent": 2})
        assert outbox.cursor("sent") == 1
        assert bodies(outbox) == [b"a"]


def test_a_file_that_is_no_outbox(tmp_path):
    (tmp_path / "outbox").write_bytes(b"a letter, and not a database\n" * 100)
    with pytest.raises(StoreError, match="move that file away"):
        Outbox(tmp_path / "outbox")


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(StoreError, match="Name another folder"):
        Outbox(tmp_path / "state" / "outbox")


def test_parcels_marks_and_notes_are_kept_together_or_not_at_all(tmp_path):
    with Outbox(tmp_path / "outbox", max_bytes=10) as outbox:
        drafts = [Draft("space", 1, b"1234"), Draft("space", 2, b"5678", revision=7)]
        outbox.put(drafts, {"sent": 1}, {"said": {1: b"a", 2: b"b"}, "seen": {1: b"c"}})
        with pytest.raises(OutboxFullError):
            outbox.put([Draft("space", 1, b"123")], {"sent": 2}, {"said": {2: b"x", 3: b"y"}})
        assert outbox.cursor("sent") == 1
        assert outbox.notes("said", 0) == {1: b"a", 2: b"b"}
        outbox.put([], {"sent": 3}, {"said": {2: b"z"}})  # without a parcel there is room
        assert outbox.notes("said", 2) == {2: b"z"}
        outbox.forget("said", 2)
        assert outbox.notes("said", 0) == {2: b"z"}
        assert outbox.notes("seen", 0) == {1: b"c"}
        found = [outbox.first()]
        outbox.confirm(found[0].number)
        outbox.refuse(outbox.first().number, "no")
        outbox.retry_refused()
        assert [(p.rows, p.revision) for p in (*found, outbox.first())] == [(1, 0), (2, 7)]


def test_a_second_process_is_asked_to_take_another_folder(tmp_path, monkeypatch):
    """Else it would send the first one's parcels to its own application."""
    monkeypatch.setattr("deepcity.store.outbox._LOCK_WAIT_S", 0.1)
    path = tmp_path / "outbox.sqlite"
    with Outbox(path) as first:
        first.put([Draft("space", 1, b"mine")], {})
        with pytest.raises(StoreError, match=r"outbox\.sqlite: .*locked.*another --state folder"):
            Outbox(path)
        assert bodies(first) == [b"mine"]
    with Outbox(path) as second:
        assert bodies(second) == []


def test_with_a_storage_key_parcels_and_notes_are_unreadable_on_disk(encrypting, tmp_path):
    """Those from before the key are still read."""
    secret, path = b"kim-4711" * 9, tmp_path / "out.sqlite"
    with Outbox(path) as box:
        box.put([Draft("a", 1, secret)], {"a": 1}, {"n": {5: secret}})
        assert box.first().body == secret
        assert box.notes("n", 0) == {5: secret}
        assert not any(secret[:8] in one.read_bytes() for one in tmp_path.iterdir())
    encrypting("other")
    with Outbox(path) as box, pytest.raises(StoreError, match="is encrypted with the key"):
        box.first()
