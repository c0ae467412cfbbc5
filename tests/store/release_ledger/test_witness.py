"""Witnesses co-sign what continues, and refuse what was rewritten; proofs hold by themselves."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from release_ledgers import OWNER, filled, key_of, ledger, release, witness

from deepcity.city.errors import LedgerError
from deepcity.store.release_ledger import proof
from deepcity.store.release_ledger.heads import HeadSheet, Rewritten, TreeHead, signed_head
from deepcity.store.release_ledger.proof import ReleaseProof, head_sheet, prove_release
from deepcity.store.release_ledger.sheets import parse_sheet, read_sheet, write_sheet
from deepcity.store.release_ledger.witness import RewrittenHistoryError

quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def rewritten(folder, size, by=OWNER):
    """A ledger of another history under the same name."""
    folder.mkdir()
    found = ledger(folder, by)
    found.record([release(number, bytes=7) for number in range(size)])
    return found


def test_a_history_that_continues_is_co_signed(tmp_path):
    found, by = filled(tmp_path), witness(tmp_path)
    assert by.cosign(head_sheet(found.path)).is_genuine()
    assert by.cosign(head_sheet(found.path)).is_genuine()  # the same again
    found.record([release(6)])
    with pytest.raises(LedgerError, match="without a proof that it continues the one of 6"):
        by.cosign(head_sheet(found.path))
    signed = by.cosign(head_sheet(found.path, [6]))
    assert signed.is_genuine()
    assert by.known()[OWNER].head.size == 7


def test_who_co_signs_many_ledgers_at_once_remembers_all_of_them(tmp_path):
    """A head that was forgotten could be replaced by another history."""
    names = [f"city-{number}/water" for number in range(24)]
    sheets = []
    for name in names:
        own = ledger(tmp_path / name.replace("/", "."), name)
        own.record([release(1, party=name)])
        sheets.append(head_sheet(own.path))
    with ThreadPoolExecutor(8) as many:
        assert all(many.map(lambda sheet: witness(tmp_path).cosign(sheet).is_genuine(), sheets))
    assert sorted(witness(tmp_path).known()) == sorted(names)


def test_proofs_for_many_older_heads_read_the_ledger_once(tmp_path, monkeypatch):
    found, read = filled(tmp_path, (1,) * 9), []
    whole = proof.read_lines
    monkeypatch.setattr(proof, "read_lines", lambda path: read.append(path) or whole(path))
    sheet = head_sheet(found.path, range(1, 10), found.head)
    assert (len(read), [one.size for one in sheet.consistency]) == (1, [*range(1, 10)])
    assert sheet == HeadSheet(
        head=found.head,
        consistency=tuple(
            one for n in range(1, 10) for one in head_sheet(found.path, [n]).consistency
        ),
    )


def test_two_heads_of_one_size_are_evidence_of_a_rewritten_history(tmp_path):
    by = witness(tmp_path)
    by.cosign(head_sheet(filled(tmp_path).path))
    other = rewritten(tmp_path / "other", 6)
    with pytest.raises(RewrittenHistoryError, match="Its history was rewritten") as caught:
        by.cosign(head_sheet(other.path, [6]))
    assert caught.value.evidence.proves_itself()
    assert by.known()[OWNER].head.size == 6  # it keeps the first


@pytest.mark.parametrize(("size", "words"), [(3, "was co-signed before"), (9, "do not begin with")])
def test_what_an_honest_owner_could_be_framed_with_is_refused_without_evidence(
    tmp_path, size, words
):
    """An old head sent again, or a proof that another has spoilt."""
    by = witness(tmp_path)
    by.cosign(head_sheet(filled(tmp_path).path))
    other = rewritten(tmp_path / "other", size)
    with pytest.raises(LedgerError, match=words) as caught:
        by.cosign(head_sheet(other.path, [6]))
    assert not isinstance(caught.value, RewrittenHistoryError)
    assert by.known()[OWNER].head.size == 6


def test_another_key_and_a_wrong_signature_are_refused(tmp_path):
    found, by = filled(tmp_path), witness(tmp_path)
    sheet = head_sheet(found.path)
    wrong = sheet.head.model_copy(update={"signature": "0" * 128})
    with pytest.raises(LedgerError, match="its signature is wrong"):
        by.cosign(HeadSheet(head=wrong))
    by.cosign(sheet)
    other = signed_head(sheet.head.head, key_of("somebody"))
    with pytest.raises(LedgerError, match="is known as its owner's"):
        by.cosign(HeadSheet(head=other))
    stranger = witness(tmp_path, "east/water")
    stranger.keys = {OWNER: "1" * 64}
    with pytest.raises(LedgerError, match="1111111111111111 is known"):
        stranger.cosign(sheet)


def test_a_sheet_names_each_wrong_signature(tmp_path):
    sheet = head_sheet(filled(tmp_path).path)
    good = witness(tmp_path).cosign(sheet)
    assert sheet.with_cosignature(good).faults() == []
    forged = good.model_copy(update={"by": "east/water"})
    assert "co-signature of east/water" in sheet.with_cosignature(forged).faults()[0]
    own = witness(tmp_path, "west/water")
    own.key = key_of(OWNER)
    text = sheet.with_cosignature(own.cosign(sheet)).faults()
    assert text == ["west/water co-signs with the key of north/water itself"]
    other = TreeHead(**{**sheet.head.head.model_dump(), "size": 5})
    moved = HeadSheet(head=signed_head(other, key_of(OWNER)), cosignatures=(good,))
    assert "is of another head" in moved.faults()[0]


@quick
@given(st.integers(0, 5), st.integers(0, 5))
def test_a_proof_of_one_entry_fails_for_every_other(tmp_path, index, other):
    path = tmp_path / "releases.jsonl"
    if not path.exists():
        filled(tmp_path)
    found, second = prove_release(path, index), prove_release(path, other)
    assert found.faults() == []
    assert bool(found.model_copy(update={"entry": second.entry}).faults()) == (index != other)
    swapped = found.model_copy(update={"path": second.path}).faults()
    assert bool(swapped) == (found.path != second.path)


@quick
@given(st.data())
def test_an_edited_proof_is_refused_or_names_a_fault(tmp_path, data):
    path = tmp_path / "releases.jsonl"
    if not path.exists():
        filled(tmp_path)
    whole = prove_release(path, 3).to_line()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255))
    edited = whole[:place] + bytes([byte]) + whole[place + 1 :]
    try:
        found = parse_sheet(edited, ReleaseProof, "it")
    except LedgerError:
        return
    assert bool(found.faults()) == (edited != whole)


def test_a_proof_carries_the_co_signatures_of_a_head_that_is_large_enough(tmp_path):
    found = filled(tmp_path)
    sheet = head_sheet(found.path)
    sheet = sheet.with_cosignature(witness(tmp_path).cosign(sheet))
    found.record([release(6)])
    assert [one.by for one in prove_release(found.path, 5, sheet).cosignatures] == ["south/water"]
    assert prove_release(found.path, 6, sheet).cosignatures == ()
    with pytest.raises(LedgerError, match="entries 0 to 6"):
        prove_release(found.path, 7)


def test_sheets_go_round_and_hold_nothing_else(tmp_path):
    sheet, path = head_sheet(filled(tmp_path).path), tmp_path / "head.json"
    write_sheet(path, sheet)
    assert read_sheet(path, HeadSheet) == sheet
    for kind in (Rewritten, ReleaseProof):
        with pytest.raises(LedgerError, match=f"is no {kind.__name__}"):
            read_sheet(path, kind)
    path.write_bytes(sheet.to_line().replace(b'"kind"', b'"kind":"x","kind"'))
    with pytest.raises(LedgerError, match="a key twice"):
        read_sheet(path, HeadSheet)
    path.write_bytes(b"[" * 100_000)
    with pytest.raises(LedgerError, match="is no HeadSheet"):
        read_sheet(path, HeadSheet)
    with path.open("wb") as file:
        file.truncate(100 << 30)
    with pytest.raises(LedgerError, match="has over"):
        read_sheet(path, HeadSheet)
