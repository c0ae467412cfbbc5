"""What a ledger holds in all: the counts of its entries, also while it grows, and bounded."""

import os
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from release_ledgers import ledger, release

from deepcity.city.errors import LedgerError
from deepcity.store.release_ledger import totals
from deepcity.store.release_ledger.release import GrantScope, Leakage
from deepcity.store.release_ledger.totals import LedgerTotals

LAYERS = st.lists(st.sampled_from(["h1", "h2", "head"]), max_size=30)


@given(st.lists(LAYERS, max_size=4))
def test_the_totals_are_those_of_the_entries_however_they_came(tmp_path_factory, batches):
    folder = tmp_path_factory.mktemp("ledger")
    found, expected, sizes = LedgerTotals(folder / "releases.jsonl"), Counter(), Counter()
    ledger(folder).record([])
    for batch in batches:
        releases = [release(number, layer=layer) for number, layer in enumerate(batch)]
        ledger(folder).record(releases)
        for one in releases:
            expected[one.layer] += 1
            sizes[one.layer] += one.bytes
        found.follow()
        assert {one.kind.layer: one.times for one in found.totals} == expected
        assert {one.kind.layer: one.bytes for one in found.totals} == sizes
        assert found.entries == expected.total()
        assert found.share == 1


def test_grants_and_leakage_of_all_are_kept_together(tmp_path):
    stated = Leakage(audit="ab", activations_r2="0.5000")
    ledger(tmp_path).record(
        [
            release(grant=GrantScope(level=4, stem="private"), leakage=stated),
            release(grant=GrantScope(level=1, stem="common"), policy_grants=("a", "b")),
            release(grant=GrantScope(level=1, stem="common"), policy_grants=("b", "c")),
            release(layer="claim", grant=None),
        ]
    )
    found = LedgerTotals(tmp_path / "releases.jsonl")
    found.follow()
    layer, claim = found.totals
    assert (layer.levels, layer.common_stem, layer.leakage) == ((1, 4), True, stated)
    assert layer.grants == ("a", "b", "c")
    assert (claim.levels, claim.common_stem) == (None, False)
    assert layer.first_s == layer.last_s == 1_800_000_000


def test_a_ledger_that_is_replaced_or_edited_is_counted_anew(tmp_path):
    path = tmp_path / "releases.jsonl"
    ledger(tmp_path).record([release(), release()])
    found = LedgerTotals(path)
    found.follow()
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"layer":"h1"', b'"layer":"h2"'))
    os.utime(path, ns=(1, 1))
    found.follow()
    assert [one.kind.layer for one in found.totals] == ["h2"]
    path.unlink()
    ledger(tmp_path).record([release(layer="head")])
    found.follow()
    assert [(one.kind.layer, one.times) for one in found.totals] == [("head", 1)]


def test_a_longer_ledger_in_the_place_of_a_removed_one_is_counted_anew(tmp_path):
    path = tmp_path / "releases.jsonl"
    ledger(tmp_path).record([release(), release()])
    found = LedgerTotals(path)
    found.follow()
    other = tmp_path / "other"
    other.mkdir()
    ledger(other).record([release(layer="head") for _ in range(50)])
    # The inode stays, as it does where a file system gives a removed file's to the next one.
    path.write_bytes((other / "releases.jsonl").read_bytes())
    found.follow()
    assert [(one.kind.layer, one.times) for one in found.totals] == [("head", 50)]


def test_a_torn_end_is_read_once_it_is_whole(tmp_path):
    path = tmp_path / "releases.jsonl"
    ledger(tmp_path).record([release()])
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    found = LedgerTotals(path)
    found.follow()
    assert (found.entries, found.unread) == (0, 0)
    with path.open("ab") as file:
        file.write(whole[100:])
    found.follow()
    assert (found.entries, found.unread) == (1, 0)


def test_reading_stops_at_its_time_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(totals, "_LINES_A_LOOK", 10)
    ledger(tmp_path).record([release() for _ in range(35)])
    found, seen = LedgerTotals(tmp_path / "releases.jsonl"), []
    while found.share < 1:
        found.follow(seconds=0)
        seen.append(found.entries)
    assert seen == [10, 20, 30, 35]
    assert found.totals[0].times == 35


def test_more_kinds_than_can_be_told_apart_are_counted_together(tmp_path, monkeypatch):
    monkeypatch.setattr(totals, "MOST_KINDS", 3)
    ledger(tmp_path).record([release(layer=f"x{number}") for number in range(5)])
    found = LedgerTotals(tmp_path / "releases.jsonl")
    found.follow()
    assert (len(found.totals), found.beyond, found.entries) == (3, 2, 5)


def test_a_line_that_never_ends_is_named_once(tmp_path):
    path = tmp_path / "releases.jsonl"
    ledger(tmp_path).record([release()])
    with path.open("ab") as file:
        file.write(b"x" * 100_000)
    found = LedgerTotals(path)
    for _ in range(2):
        found.follow()
        assert (found.entries, found.unread, found.share) == (1, 1, 1)


def test_a_named_pipe_is_refused(tmp_path):
    path = tmp_path / "releases.jsonl"
    os.mkfifo(path)
    with pytest.raises(LedgerError):
        LedgerTotals(path).follow()
