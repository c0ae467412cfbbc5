"""Whatever is done to a ledger's file is found: property-based, and files that are none."""

import json
import os
import tracemalloc

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from release_ledgers import filled, key_of, ledger, release

from deepcity.city.errors import LedgerError
from deepcity.store.release_ledger.heads import TreeHead, signed_head
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.merkle import Frontier, leaf_hash
from deepcity.store.release_ledger.release import Entry
from deepcity.store.release_ledger.verify import KnownHead, check_ledger

quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
BATCHES = (2, 3, 1, 2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A ledger's lines, and its newest head as another city keeps it."""
    found = filled(tmp_path_factory.mktemp("whole"), BATCHES)
    return found.path.read_bytes().splitlines(keepends=True), found.head


def codes(path, head=None, keys=()):
    known = [] if head is None else [KnownHead(head, "another city")]
    return {one.code for one in check_ledger(path, known, keys).findings}


def checked(tmp_path, lines, head=None):
    path = tmp_path / "edited.jsonl"
    path.write_bytes(b"".join(lines))
    return codes(path, head)


def test_a_whole_one_holds(tmp_path, whole):
    lines, head = whole
    assert checked(tmp_path, lines, head) == set()


@quick
@given(st.data())
def test_an_edited_byte_is_found(tmp_path, whole, data):
    lines, head = whole
    number = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[number]) - 1))
    byte = data.draw(st.integers(0, 255))
    edited = bytearray(lines[number])
    assume(edited[place] != byte)
    edited[place] = byte
    assert checked(tmp_path, [*lines[:number], bytes(edited), *lines[number + 1 :]], head)


@quick
@given(st.data())
def test_deleted_repeated_and_moved_lines_are_found(tmp_path, whole, data):
    lines, head = whole
    entries = [at for at, line in enumerate(lines) if line.startswith(b'{"index"')]
    one, two = (data.draw(st.sampled_from(entries)) for _ in range(2))
    what = data.draw(st.sampled_from(["delete", "repeat", "swap", "replace"]))
    edited = [*lines]
    if what == "delete":
        del edited[one]
    elif what == "repeat":
        edited.insert(two, lines[one])
    else:
        assume(one != two)
        edited[one] = lines[two]
        if what == "swap":
            edited[two] = lines[one]
    assert checked(tmp_path, edited) & {"order", "root"}
    assert checked(tmp_path, edited, head) & {"order", "shorter"}


@quick
@given(st.integers(0, sum(BATCHES) + len(BATCHES) - 1))
def test_what_is_cut_off_is_found_by_a_head_that_another_keeps(tmp_path, whole, kept):
    lines, head = whole
    assert "shorter" in checked(tmp_path, lines[:kept], head) or kept == len(lines) - 1
    assert checked(tmp_path, lines[:kept], head)


@quick
@given(st.integers(0, sum(BATCHES) - 1), st.integers(200, 10**6))
def test_a_history_that_its_owner_rewrote_is_found_by_a_head_that_another_keeps(
    tmp_path, whole, edited, size
):
    """The owner signs all heads anew: the file holds by itself."""
    _, head = whole
    folder = tmp_path / f"{edited}-{size}"
    folder.mkdir(exist_ok=True)
    (folder / "releases.jsonl").unlink(missing_ok=True)
    found = ledger(folder)
    for number in range(sum(BATCHES)):
        changes = {"bytes": size} if number == edited else {}
        found.record([release(number, **changes)])
    assert codes(found.path) == set()
    check = check_ledger(found.path, [KnownHead(head, "another city")])
    assert [one.code for one in check.findings] == ["rewritten"]
    (evidence,) = check.evidence
    assert evidence.proves_itself()


def test_the_first_entries_that_do_not_fit_are_named(tmp_path, whole):
    lines, _ = whole
    edited = [line.replace(b'"bytes":103', b'"bytes":9') for line in lines]
    path = tmp_path / "edited.jsonl"
    path.write_bytes(b"".join(edited))
    check = check_ledger(path)
    (finding,) = check.findings
    assert finding.text.startswith("entries 2 to 4 do not fit the head in line 7")
    assert check.uncounted["root"] == 2  # the heads after it


def test_signatures_and_keys_are_checked(tmp_path, whole):
    lines, head = whole
    other = signed_head(head.head, key_of("somebody"))
    forged = [*lines[:-1], other.to_line() + b"\n"]
    assert checked(tmp_path, forged) == {"key"}
    wrong = head.model_copy(update={"signature": other.signature})
    assert checked(tmp_path, [*lines[:-1], wrong.to_line() + b"\n"]) == {"signature"}
    assert checked(tmp_path, lines, wrong) == {"signature"}
    path = tmp_path / "edited.jsonl"
    path.write_bytes(b"".join(lines))
    assert codes(path, keys=("0" * 64,)) == {"key"}
    renamed = TreeHead(ledger="x", size=8, root=head.head.root, time_s=1)
    signed = signed_head(renamed, key_of("north/water"))
    assert "name" in checked(tmp_path, [*lines, signed.to_line() + b"\n"])


def test_all_problems_at_once_and_not_a_million(tmp_path, whole):
    lines, head = whole
    bad = [b'{"index":1}\n'] * 100
    edited = [lines[1], lines[0], *lines[2:-1], *bad, lines[-1], b'{"torn']
    path = tmp_path / "edited.jsonl"
    path.write_bytes(b"".join(edited))
    check = check_ledger(path, [KnownHead(head, "another city")])
    found = {one.code for one in check.findings}
    assert {"order", "root", "form", "torn", "rewritten"} <= found
    assert len(check.findings) < 60
    assert check.uncounted["form"] == 80


LINES = {
    "duplicate": lambda one: one.replace(b'"bytes":100', b'"bytes":5,"bytes":100'),
    "nan": lambda one: one.replace(b'"bytes":100', b'"bytes":NaN'),
    "float": lambda one: one.replace(b'"bytes":100', b'"bytes":100.0'),
    "exponent": lambda one: one.replace(b'"bytes":100', b'"bytes":1e2'),
    "spaces": lambda one: one.replace(b",", b", "),
    "escaped": lambda one: one.replace(b'"h1"', b'"h\\u0031"'),
    "surrogate": lambda one: one.replace(b'"h1"', b'"h\\ud800"'),
    "order": lambda one: json.dumps(dict(reversed(json.loads(one).items()))).encode() + b"\n",
    "more": lambda one: one.replace(b'"bytes":100', b'"bytes":100,"raw":[1,2]'),
    "nested": lambda _: b"[" * 4000 + b"]" * 4000 + b"\n",
    "digits": lambda one: one.replace(b'"bytes":100', b'"bytes":' + b"9" * 5000),
    "escape": lambda one: one.replace(b'"h1"', b'"h\\u001b[31m"'),
    "bytes": lambda _: b"\xff\xfe\x00\n",
    "empty": lambda _: b"\n",
}


@pytest.mark.parametrize("what", LINES)
def test_a_line_that_is_not_the_one_text_of_an_entry_is_refused_under_any_head(tmp_path, what):
    """Its owner signs it: the form is refused all the same."""
    line = LINES[what](Entry(index=0, release=release(), time_s=1).to_line() + b"\n")
    tree = Frontier()
    tree.append(leaf_hash(line[:-1]))
    head = TreeHead(ledger="north/water", size=1, root=tree.root().hex(), time_s=1)
    signed = signed_head(head, key_of("north/water"))
    assert checked(tmp_path, [line, signed.to_line() + b"\n"]) == {"form"}


def test_a_sparse_file_a_pipe_and_endless_lines_are_refused_in_bounded_memory(tmp_path, whole):
    lines, _ = whole
    sparse = tmp_path / "sparse.jsonl"
    with sparse.open("wb") as file:
        file.writelines(lines)
        file.truncate(100 << 30)
    tracemalloc.start()
    check = check_ledger(sparse)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {one.code for one in check.findings} == {"form"}
    assert check.size == sum(BATCHES)
    assert peak < 8 << 20
    with pytest.raises(LedgerError, match="longer than any"):
        ReleaseLedger(sparse, "north/water", key_of("north/water")).signed()
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    with pytest.raises(LedgerError, match="named pipe"):
        check_ledger(pipe)
    with pytest.raises(LedgerError, match="cannot be read"):
        check_ledger(tmp_path / "nothing.jsonl")


@quick
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_are_refused_without_a_crash(tmp_path, found):
    path = tmp_path / "any.jsonl"
    path.write_bytes(b"\n".join(found))
    check = check_ledger(path)
    assert check.findings or path.stat().st_size == 0
