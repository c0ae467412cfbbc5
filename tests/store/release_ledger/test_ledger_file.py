"""The ledger's file: appended to, gone on with, torn, killed, edited."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from release_ledgers import OWNER, filled, key_of, ledger, release

from deepcity.city.errors import LedgerError
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.verify import check_ledger

WRITER = """
import sys
from pathlib import Path
from release_ledgers import ledger, release
found, number = ledger(Path(sys.argv[1])), 0
while True:
    found.record([release(number), release(number + 1)])
    number += 2
    print(number, flush=True)
"""


def test_entries_stand_under_a_signed_head_and_another_writer_goes_on(tmp_path):
    first = filled(tmp_path)
    second = ledger(tmp_path)
    assert second.signed() == first.head
    second.record([release(6)])
    first.record([release(7)])  # it sees that the file has grown
    check = check_ledger(first.path)
    assert (check.size, check.heads, check.findings) == (8, 5, [])
    assert check.newest.head.ledger == OWNER
    assert check.newest.key == key_of(OWNER).public_key().public_bytes_raw().hex()


def test_nothing_recorded_is_no_file(tmp_path):
    assert ledger(tmp_path).signed() is None
    assert not (tmp_path / "releases.jsonl").exists()


def test_a_torn_end_is_named_then_cut(tmp_path, caplog):
    path, whole = filled(tmp_path).path, None
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for cut in (1, 7, len(lines[-1]) - 1, len(lines[-1]), len(lines[-1]) + 5):
        path.write_bytes(whole[:-cut])
        codes = {one.code for one in check_ledger(path).findings}
        assert codes == ({"unsigned"} if cut == len(lines[-1]) else {"torn"} | codes)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            ledger(tmp_path).record([release(9)])
        assert ("torn after" in caplog.text) == (cut != len(lines[-1]))
        assert check_ledger(path).findings == []


def test_a_writer_that_is_killed_loses_nothing_that_it_confirmed(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    path = os.pathsep.join(sys.path)
    environment = {**os.environ, "PYTHONPATH": path}
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    confirmed = [int(writer.stdout.readline()) for _ in range(5)][-1]
    time.sleep(0.02)
    writer.send_signal(signal.SIGKILL)
    confirmed = max([confirmed, *map(int, writer.stdout.read().split())])
    writer.wait()
    writer.stdout.close()
    found = ledger(tmp_path)
    found.record([release(0)])
    check = check_ledger(found.path)
    assert check.findings == []
    assert check.size >= confirmed + 1


def test_an_edited_ledger_takes_no_more(tmp_path):
    path = filled(tmp_path).path
    path.write_bytes(path.read_bytes().replace(b'"bytes":101', b'"bytes":100'))
    with pytest.raises(LedgerError, match="nothing leaves until it is whole"):
        ledger(tmp_path).record([release(9)])


def test_what_is_no_release_changes_nothing(tmp_path):
    found = filled(tmp_path)
    before = found.path.read_bytes()
    with pytest.raises(ValueError, match="round"):
        found.record([release(6), release(round=-7)])
    assert found.path.read_bytes() == before
    found.record([release(6)])
    assert check_ledger(found.path).findings == []


def test_a_ledger_that_cannot_be_written_names_the_path(tmp_path):
    (tmp_path / "releases.jsonl").mkdir()
    with pytest.raises(LedgerError, match=r"releases\.jsonl"):
        ledger(tmp_path).record([release()])


@pytest.mark.parametrize(("name", "owner"), [("south/water", OWNER), (OWNER, "south/water")])
def test_a_writer_goes_on_with_its_own_ledger_alone(tmp_path, name, owner):
    """Not under another name, nor under another key."""
    path = filled(tmp_path).path
    before = path.read_bytes()
    other = ReleaseLedger(path, name, key_of(owner))
    with pytest.raises(LedgerError, match=r"ledger of|Put the key file back"):
        other.record([release(9)])
    assert path.read_bytes() == before


def test_a_file_that_is_no_ledger_is_not_cut(tmp_path):
    path = tmp_path / "releases.jsonl"
    path.write_bytes(b"\x00\x01 something else")
    with pytest.raises(LedgerError, match="is no line of a ledger"):
        ledger(tmp_path).record([release(0)])
    assert path.read_bytes() == b"\x00\x01 something else"


def test_a_record_that_was_interrupted_spoils_no_later_one(tmp_path, monkeypatch):
    found = filled(tmp_path)

    def interrupted(_data):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(found, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            found.record([release(7)])
    found.record([release(8)])
    check = check_ledger(found.path)
    assert (check.findings, check.size) == ([], 7)


def test_two_writers_of_one_file_take_turns(tmp_path):
    """Each reads what the other has written; nothing is lost or stands twice."""
    one, other = ledger(tmp_path), ledger(tmp_path)
    threads = [
        threading.Thread(target=lambda who=who: [who.record([release(n)]) for n in range(20)])
        for who in (one, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check = check_ledger(one.path)
    assert (check.findings, check.size) == ([], 40)
