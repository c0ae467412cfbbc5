"""Identities in kits, and rounds that were opened: what must outlive a worker."""

import json
import os
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import CheckpointError, SecureSumError
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.flare.identities import (
    IDENTITIES,
    IDENTITY,
    party_identities,
    publish_identities,
    read_identity,
)
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.secure.opened_rounds import OpenedRounds
from deepcity.exchange.secure.summing_party import SUM_KEYS, SummingParty, packed


def kits_of(folder, *sites):
    for site in sites:
        (folder / site / "local").mkdir(parents=True, exist_ok=True)
    return {site: folder / site for site in sites}


def test_every_kit_knows_every_key_and_holds_its_own_alone(tmp_path):
    kits = kits_of(tmp_path, "north", "south")
    publish_identities(tmp_path, kits)
    for kit in kits.values():
        path = kit / "local" / IDENTITY
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        found = party_identities(kit, ["north/water", "south/water:flow", "west/water"])
        assert set(found) == {"north/water", "south/water:flow"}
        assert found["north/water"] == read_identity(kits["north"]).public_key().public_bytes_raw()
    private = [path.read_bytes() for path in tmp_path.rglob(IDENTITY)]
    assert len({*private}) == 2


def test_an_identity_is_whole_and_private_at_every_moment(tmp_path, monkeypatch):
    kit, seen = kits_of(tmp_path, "north")["north"], []

    def killed(_handle):
        seen.extend((kit / "local").iterdir())
        modes = {stat.S_IMODE(path.stat().st_mode) for path in seen}
        assert modes == {0o600}
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            publish_identities(tmp_path, {"north": kit})
    assert seen
    publish_identities(tmp_path, {"north": kit})
    assert read_identity(kit)


def test_a_later_site_keeps_what_others_know_also_of_kits_that_are_elsewhere(tmp_path):
    kits = kits_of(tmp_path, "north", "south")
    publish_identities(tmp_path, kits)
    before = json.loads((tmp_path / IDENTITIES).read_text())
    kits["north"].rename(tmp_path / "away")
    publish_identities(tmp_path, {**kits, **kits_of(tmp_path, "west")})
    now = json.loads((kits["south"] / "local" / IDENTITIES).read_text())
    assert set(now) == {"north", "south", "west"}
    assert {site: now[site] for site in before} == before


def test_nobody_trusts_a_revoked_site(tmp_path):
    kits = kits_of(tmp_path, "north", "south")
    publish_identities(tmp_path, kits)
    publish_identities(tmp_path, kits, ["north"])
    assert set(party_identities(kits["south"], ["north/water", "south/water"])) == {"south/water"}


@pytest.mark.parametrize("text", ["{", "[]", '{"north": 1}', '{"north": "00"}', '{"north": "zz"}'])
def test_damaged_identities_are_named(tmp_path, text):
    kits = kits_of(tmp_path, "north")
    (kits["north"] / "local" / IDENTITIES).write_text(text)
    with pytest.raises(CheckpointError, match=r"identities\.json cannot be read"):
        party_identities(kits["north"], ["north/water"])


def test_keys_that_are_none(tmp_path):
    path = kits_of(tmp_path, "north")["north"] / "local" / IDENTITY
    with pytest.raises(CheckpointError, match="has no identity"):
        read_identity(tmp_path / "north")
    path.write_bytes(b"no key")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_identity(tmp_path / "north")
    other = generate_private_key(SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(CheckpointError, match="no Ed25519 key"):
        read_identity(tmp_path / "north")


@given(st.lists(st.tuples(st.sampled_from(["a.alone", "b.level_6"]), st.integers(0, 99))))
def test_a_round_that_was_opened_stays_opened(tmp_path_factory, rounds):
    path = tmp_path_factory.mktemp("opened") / "sums.json"
    for training, number in rounds:
        OpenedRounds(path, training).note(number)
    for training in ("a.alone", "b.level_6"):
        newest = max((number for name, number in rounds if name == training), default=-1)
        assert OpenedRounds(path, training).newest() == newest


def test_a_worker_that_starts_anew_opens_no_round_again(tmp_path):
    kits = kits_of(tmp_path, "north")
    publish_identities(tmp_path, kits)
    opened = OpenedRounds(tmp_path / "sums.json", "water.level_6")
    opened.note(3)

    def keys(number):
        party = SummingParty(
            None, "north/water", "water.level_6", read_identity(kits["north"]), {}, opened
        )
        asked = Message(SUM_KEYS, {ROUND: number}, packed({"h1": {"north/water": b"\0"}}))
        return party.handle(asked, COORDINATOR)

    assert keys(4.0).layers
    for number in (0.0, 3.0):
        with pytest.raises(SecureSumError, match="none is opened twice"):
            keys(number)


@pytest.mark.parametrize("text", ["", "[]", '{"water": "3"}', '{"water": 1.5}', '{"water": true}'])
def test_nothing_is_opened_when_nobody_knows_what_was(tmp_path, text):
    (tmp_path / "sums.json").write_text(text)
    opened = OpenedRounds(tmp_path / "sums.json", "water")
    with pytest.raises(CheckpointError, match="nobody knows which sums were opened"):
        opened.newest()
    with pytest.raises(CheckpointError, match="nobody knows"):
        opened.note(5)
