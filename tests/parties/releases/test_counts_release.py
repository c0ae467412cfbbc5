"""Counts leave only where granted, paid and recorded; asked twice they are paid twice."""

import json
from threading import Thread

import numpy as np
import pytest
from policy_town import policy_town

from deepcity.city.errors import CheckpointError, GrantError, LedgerError
from deepcity.data.city_file import load_city
from deepcity.maps.city_policy import PolicyFile, policy_origin
from deepcity.parties.releases.counts_release import METADATA, CountsRelease
from deepcity.privacy.accounting.budget import CountsCharge
from deepcity.privacy.counts.terms import CountTerms
from deepcity.store.release_ledger.lines import entry_of, read_lines
from deepcity.store.release_ledger.release import ReleaseForm

GRANT = """
[[grant]]
name = "water-counts"
agency = "water"
item = "counts"
grantee = ["harbour", "town"]
domain = "resources"
service = "safety"
purpose = "where to patrol"
until = 2999-12-31
least_k = 5
epsilon = 2
"""
COUNT = np.array([0, 3, 400, 50])


def releasing(folder, grants=GRANT, **change):
    (folder / "flows.csv").write_text("time,a\n2024-01-01 00:00,1\n")
    city = load_city(policy_town(folder, grants), later=True)
    settings = {
        "policy": PolicyFile(policy_origin(city)),
        "city": "town",
        "agency": "water",
        "site": folder / "site",
        "recipients": ("harbour",),
        "service": "safety",
        "purpose": "where to patrol",
        "terms": CountTerms(1.0, 5, 1, "person"),
    }
    return CountsRelease(**settings | change)


def write(cell_S, count_S):
    yield b"cell,count\n"
    for cell, count in zip(cell_S, count_S, strict=True):
        yield f"{cell},{count}\n".encode()


def left(release, name="counts.csv"):
    out = release.site.parent / name
    release.release(COUNT, out, "counts by district, every 1d", write, b"{}")
    return out


def entries(release):
    path = release.site / "releases.jsonl"
    lines = read_lines(path) if path.exists() else ()
    return [entry_of(one.data).release for one in lines if not one.is_head]


def test_what_left_is_recorded_with_who_why_and_how_much(tmp_path):
    release = releasing(tmp_path, recipients=("harbour", "town"))
    assert release.check() == ("water-counts",)
    out = left(release)
    shown = {line.split(",")[0] for line in out.read_text().splitlines()[1:]}
    assert shown >= {"2", "3"}  # and now and then 1, whose 3 the noise lifts over k
    assert out.with_name(out.name + METADATA).read_bytes() == b"{}"
    found = entries(release)
    assert [one.receiver for one in found] == ["harbour", "town"]
    one = found[0]
    assert (one.form, one.party, one.service) == (ReleaseForm.COUNTS, "town/water", "safety")
    assert (one.policy_grants, one.epsilon) == (("water-counts",), "1.0000")
    assert (one.counts.k, one.counts.unit, one.counts.purpose) == (5, "person", "where to patrol")
    assert one.bytes == len(out.read_bytes())


def test_the_same_counts_again_are_paid_again_until_nothing_is_left(tmp_path):
    release = releasing(tmp_path)
    first, second = left(release), left(release, "again.csv")
    assert release.budget.spent() == 2.0
    assert [one.epsilon for one in entries(release)] == ["1.0000", "2.0000"]
    before = (release.site / "privacy.json").read_bytes()
    for _ in range(2):
        with pytest.raises(GrantError, match="epsilon 3 would be spent, over the 2 of grant"):
            left(release, "third.csv")
    with pytest.raises(GrantError, match="epsilon 3 would be spent"):
        release.check()
    assert (release.site / "privacy.json").read_bytes() == before
    assert len(entries(release)) == 2
    assert sorted(one.name for one in tmp_path.glob("*.csv")) == [
        second.name,
        first.name,
        "flows.csv",
    ]
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"recipients": ("west",)}, "west is no grantee"),
        ({"recipients": ("harbour", "west")}, "west is no grantee"),
        ({"recipients": ()}, "no grant covers it"),
        ({"purpose": "advertising"}, "purpose"),
        ({"service": "other"}, "service"),
        ({"terms": CountTerms(1.0, 4, 1, "person")}, "--k 5 or more"),
        ({"terms": CountTerms(2.5, 5, 1, "person")}, "epsilon 2.5 would be spent"),
        ({"agency": "police"}, "no agency"),
        ({"clock": lambda: 33e9}, "held until"),
    ],
)
def test_what_no_grant_allows_is_neither_paid_nor_written(tmp_path, change, reason):
    release = releasing(tmp_path, **change)
    with pytest.raises(GrantError, match=reason):
        release.check()
    with pytest.raises(GrantError, match=reason):
        left(release)
    assert release.budget.spent() == 0
    assert not entries(release)
    assert not (tmp_path / "counts.csv").exists()


def test_a_grant_of_layers_lets_no_counts_leave(tmp_path):
    release = releasing(
        tmp_path, grants=GRANT.replace('"counts"', '"layers"') + 'lowest = "h1"\nhighest = "h5"\n'
    )
    with pytest.raises(GrantError, match="grants nothing of this kind"):
        left(release)


def test_a_revoked_grant_stops_the_next_release(tmp_path):
    release = releasing(tmp_path)
    left(release)
    (tmp_path / "policy.revoked.toml").write_text('[[revoked]]\ngrant = "water-counts"\nat = 9\n')
    with pytest.raises(GrantError, match="revoked"):
        left(release, "again.csv")


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    release = releasing(tmp_path)
    out = left(release)
    kept = out.read_bytes()
    with pytest.raises(GrantError, match="cost again"):
        left(release)
    assert out.read_bytes() == kept
    assert release.budget.spent() == 1.0


def test_what_stops_in_the_middle_is_paid_and_not_written(tmp_path):
    release = releasing(tmp_path)

    def stopping(*_):
        yield b"cell,"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release.release(COUNT, tmp_path / "counts.csv", "counts", stopping, b"{}")
    assert release.budget.spent() == 1.0
    assert not entries(release)
    assert not list(tmp_path.glob("*counts.csv*"))


def test_what_cannot_be_recorded_does_not_leave(tmp_path):
    release = releasing(tmp_path)
    left(release)
    ledger = release.site / "releases.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"harbour", b"harvest"))
    with pytest.raises(LedgerError, match="edited"):
        left(release, "again.csv")
    assert not (tmp_path / "again.csv").exists()


def test_a_record_of_uses_that_is_gone_or_edited_stops_releases(tmp_path):
    release = releasing(tmp_path)
    left(release)
    record = release.site / "privacy.json"
    record.unlink()
    with pytest.raises(CheckpointError, match="is gone"):
        left(release, "again.csv")
    record.write_text('{"counts": [{"key": "x", "epsilon": -5, "service": "s"}]}')
    with pytest.raises(CheckpointError, match="no record of uses"):
        left(release, "again.csv")
    assert not (tmp_path / "again.csv").exists()


def test_another_unit_is_not_added_to_it(tmp_path):
    left(releasing(tmp_path))
    other = releasing(tmp_path, terms=CountTerms(0.5, 5, 1, "household"))
    with pytest.raises(GrantError, match=r"each person, .* each household .*--site"):
        left(other, "again.csv")
    with pytest.raises(GrantError, match="each household"):
        other.check()


def _charge(release, number):
    charge = CountsCharge(key=f"{number:064x}", service="safety", epsilon=0.01)
    release.budget.charge_counts(charge, lambda _spent: None)


def test_all_who_pay_at_once_pay(tmp_path):
    """Each opens the folder by itself, as processes do."""
    release = releasing(tmp_path)
    workers = [
        Thread(target=lambda first=first: [_charge(release, first * 20 + n) for n in range(20)])
        for first in range(3)
    ]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert len(json.loads((release.site / "privacy.json").read_text())["counts"]) == 60
    assert release.budget.spent() == pytest.approx(0.6)


@pytest.mark.parametrize("gone", [("privacy.json", "noise.key"), ("noise.key",), ()])
def test_an_older_record_of_uses_gives_nothing_back(tmp_path, gone):
    """As an operator would begin anew: the ledger beside it says that more has left."""
    release = releasing(tmp_path)
    left(release)
    older = (release.site / "privacy.json").read_bytes()
    left(release, "again.csv")
    (release.site / "privacy.json").write_bytes(older)
    for name in gone:
        (release.site / name).unlink()
    held = 0 if "privacy.json" in gone else 1
    for attempt in (release.check, lambda: left(release, "third.csv")):
        with pytest.raises(CheckpointError, match=f"{held} releases .* 2: an older record"):
            attempt()
    assert not (tmp_path / "third.csv").exists()


def test_who_pays_and_records_at_once_is_not_taken_for_one_who_cheats(tmp_path):
    grants = GRANT.replace("epsilon = 2", "epsilon = 9")
    terms = CountTerms(1e-6, 5, 1, "person")  # their sums are the same in the ledger
    first = releasing(tmp_path, grants)
    others = [releasing(tmp_path, grants, terms=one) for one in (terms, terms, first.terms)]
    for number, one in enumerate([first, *others]):
        left(one, f"{number}.csv")
    assert len(entries(first)) == 4
    assert first.check()


def test_a_clock_that_is_set_back_revives_no_grant(tmp_path):
    grants = GRANT.replace("2999-12-31", "2025-06-30") + GRANT.replace("water-c", "longer-c")
    june = releasing(tmp_path, grants, clock=lambda: 1_750_000_000)
    assert set(june.check()) == {"water-counts", "longer-counts"}
    now = releasing(tmp_path, grants)
    left(now)
    assert now.check() == june.check() == ("longer-counts",)
