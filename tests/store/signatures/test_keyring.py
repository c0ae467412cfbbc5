"""Whose signatures are believed: the own, and those of keys that are trusted and not revoked."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import CheckpointError, KeyringError
from deepcity.store.blob import SIGNATURE
from deepcity.store.signatures.changes import revoke_key, rotate_key, trust_key
from deepcity.store.signatures.ed25519 import public_hex, signing_key
from deepcity.store.signatures.keyring import FOLDER_VARIABLE, Keyring, SignatureError, own_keyring
from deepcity.store.signatures.trust_list import (
    TRUST_LIST,
    RevokedKey,
    SignedKind,
    TrustedKey,
    TrustList,
    checked_entry,
    write_trust_list,
)

ARRAYS = {"h1": {"w": np.arange(4, dtype=np.float32)}}
HEADER = {"name": "district-a"}
LAYERS = SignedKind.LAYERS


@pytest.fixture
def own(tmp_path):
    return Keyring(tmp_path / "own")


@pytest.fixture
def other(tmp_path):
    return Keyring(tmp_path / "other")


def signed_by(keyring, kind=LAYERS):
    return keyring.signed(kind, ARRAYS, HEADER)


def trust(own, other, **terms):
    other.sign(LAYERS, "00" * 32)
    trust_key(own, TrustedKey(name="ferrara", key=other.own_key(), **terms))


def test_the_own_signature_is_believed_and_equal_for_equal_content(own):
    first, again = signed_by(own), signed_by(own)
    assert first == again
    assert own.check(LAYERS, ARRAYS, first) == "this installation"


def test_nothing_is_made_by_looking(own):
    with pytest.raises(SignatureError, match="not signed"):
        own.check(LAYERS, ARRAYS, HEADER)
    assert own.own_key() is None
    assert not own.folder.exists()


def test_content_that_was_edited_after_it_was_signed_is_refused(own):
    header = signed_by(own) | {"name": "district-b"}
    with pytest.raises(SignatureError, match="was edited after it was signed"):
        own.check(LAYERS, ARRAYS, header)


def test_a_signature_of_one_kind_is_none_of_another(own):
    with pytest.raises(SignatureError, match="for this checkpoint"):
        own.check(SignedKind.CHECKPOINT, ARRAYS, signed_by(own))


def test_another_key_is_believed_from_when_it_is_trusted_by_the_command_that_is_named(own, other):
    header = signed_by(other)
    with pytest.raises(SignatureError, match="does not name") as refused:
        own.check(LAYERS, ARRAYS, header)
    key = re.search(r"deepcity keys trust NAME ([0-9a-f]{64})$", str(refused.value))[1]
    trust_key(own, checked_entry("ferrara", key, [], None))
    assert own.check(LAYERS, ARRAYS, header) == "ferrara"


def test_a_key_is_believed_for_its_kinds_alone(own, other):
    trust(own, other, kinds=(SignedKind.ENCODER, SignedKind.FUSED))
    with pytest.raises(SignatureError, match="may sign encoder, fused alone, not layers"):
        own.check(LAYERS, ARRAYS, signed_by(other))
    assert own.check(SignedKind.FUSED, ARRAYS, signed_by(other, SignedKind.FUSED)) == "ferrara"


def test_a_key_is_believed_to_the_end_of_its_last_day(own, other):
    today = datetime.now(UTC).date()
    trust(own, other, until=today - timedelta(days=2))
    with pytest.raises(SignatureError, match=r"is believed until .* alone"):
        own.check(LAYERS, ARRAYS, signed_by(other))
    trust(own, other, until=today + timedelta(days=1))  # replaces the entry
    assert own.check(LAYERS, ARRAYS, signed_by(other)) == "ferrara"


def test_a_revoked_key_is_refused_and_cannot_be_trusted_again(own, other):
    trust(own, other)
    assert revoke_key(own, "ferrara", "stolen") == [other.own_key()]
    with pytest.raises(SignatureError, match=r"was revoked here on .* \(stolen\)"):
        own.check(LAYERS, ARRAYS, signed_by(other))
    with pytest.raises(KeyringError, match="stays so"):
        trust(own, other)


def test_the_own_key_can_be_revoked_too(own):
    header = signed_by(own)
    revoke_key(own, own.own_key())
    with pytest.raises(SignatureError, match="was revoked"):
        own.check(LAYERS, ARRAYS, header)


def test_after_a_change_of_the_own_key_old_and_new_are_believed(own):
    former, old = signed_by(own), own.own_key()
    new = rotate_key(own).key
    assert new == own.own_key() != old
    assert own.check(LAYERS, ARRAYS, signed_by(own)) == "this installation"
    assert own.check(LAYERS, ARRAYS, former).startswith("this installation until ")
    assert old not in (own.folder / "identity.pem").read_text()


def test_revoking_names_those_that_can_be(own, other):
    trust(own, other)
    with pytest.raises(KeyringError, match="names ferrara"):
        revoke_key(own, "namsan")


def test_everything_wrong_with_an_entry_is_told_at_once():
    with pytest.raises(KeyringError, match=r"name: .*key: .*kinds\.0: .*64 digits"):
        checked_entry("a\x1b[31m", "ABC", ["photos"], None)


def test_a_trust_list_that_cannot_be_read_lets_nothing_pass(own, other):
    header = signed_by(own)
    (own.folder / TRUST_LIST).write_text('{"trusted": [{"name": "x", "key": "y"}], "more": 1}')
    with pytest.raises(KeyringError, match=r"trusted\.0\.key: .*more: "):
        own.check(LAYERS, ARRAYS, header)


def test_of_several_that_make_the_key_at_once_all_have_the_same(tmp_path):
    path = tmp_path / "keys" / "identity.pem"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: public_hex(signing_key(path)), range(32)))
    assert len(keys) == 1
    assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in path.parent.iterdir()] == ["identity.pem"]


def test_several_changes_at_once_lose_none(own):
    entries = [TrustedKey(name=f"city-{n}", key=f"{n:064x}") for n in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: trust_key(own, one), entries))
    assert {one.name for one in own.trust_list().trusted} == {one.name for one in entries}


def test_a_key_that_cannot_be_made_names_the_folder_and_the_variable(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyringError, match=f"nothing can be signed.*{FOLDER_VARIABLE}"):
        Keyring(tmp_path / "file" / "keys").sign(LAYERS, "00" * 32)


def test_what_is_no_key_is_not_replaced(tmp_path):
    (tmp_path / "identity.pem").write_text("not a key")
    with pytest.raises(CheckpointError, match="cannot be read"):
        Keyring(tmp_path).own_key()


def test_the_folder_is_that_of_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert own_keyring().folder == tmp_path
    monkeypatch.delenv(FOLDER_VARIABLE)
    assert own_keyring().folder.parts[-2:] == ("deepcity", "keys")


@given(
    entry=st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.floats(),
        lambda inner: st.dictionaries(st.sampled_from(["key", "value", "x"]), inner),
        max_leaves=4,
    )
)
def test_no_text_of_a_signature_fails_otherwise_than_by_refusal(tmp_path_factory, entry):
    own = Keyring(tmp_path_factory.getbasetemp() / "fuzzed")
    with pytest.raises(SignatureError):
        own.check(LAYERS, ARRAYS, {**HEADER, SIGNATURE: entry})


def test_a_list_comes_back_as_it_was_written(tmp_path):
    whole = TrustList(
        trusted=(TrustedKey(name="ferrara", key="ab" * 32, until=date(2027, 1, 2)),),
        revoked=(RevokedKey(key="cd" * 32, on=date(2026, 1, 2), reason="도난"),),
    )
    write_trust_list(tmp_path, whole)
    assert Keyring(tmp_path).trust_list() == whole
