"""A key that signs its successor: taken once by who trusts it, and never where it should not be."""

import json
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import KeyringError
from deepcity.store.signatures.changes import revoke_key, rotate_key, trust_key
from deepcity.store.signatures.ed25519 import public_hex, replace_key
from deepcity.store.signatures.keyring import Keyring, SignatureError
from deepcity.store.signatures.succession import (
    MOST_CHAIN,
    parse_succession,
    read_succession,
    sign_succession,
    write_succession,
)
from deepcity.store.signatures.successors import accept_successor
from deepcity.store.signatures.trust_list import (
    AcceptedSuccessor,
    RevokedKey,
    SignedKind,
    TrustedKey,
    write_trust_list,
)

ARRAYS = {"h1": {"w": np.arange(4, dtype=np.float32)}}
HEADER = {"name": "district-a"}
LAYERS = SignedKind.LAYERS
TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)


def key_of(name):
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


@pytest.fixture
def own(tmp_path):
    return Keyring(tmp_path / "own")


@pytest.fixture
def ferrara(tmp_path):
    """Another installation, that has signed something."""
    found = Keyring(tmp_path / "ferrara")
    found.sign(LAYERS, "00" * 32)
    return found


def trust(own, key, **terms):
    trust_key(own, TrustedKey(name="ferrara", key=key, **terms))


def statement(folder, old, new, **how):
    path = folder / f"{old}-{new}.json"
    write_succession(path, sign_succession(key_of(old), key_of(new), **how))
    return path


def believed(own, keyring, kind=LAYERS):
    return own.check(kind, ARRAYS, keyring.signed(kind, ARRAYS, HEADER))


def test_who_trusts_the_old_key_believes_the_new_one_once_the_statement_is_taken(own, ferrara):
    trust(own, ferrara.own_key(), kinds=(LAYERS,))
    former = ferrara.signed(LAYERS, ARRAYS, HEADER)
    new, path = rotate_key(ferrara)
    with pytest.raises(SignatureError, match="deepcity keys accept FILE"):
        believed(own, ferrara)
    [entry] = accept_successor(own, path)
    assert (entry.name, entry.key, entry.kinds) == ("ferrara", new, (LAYERS,))
    assert believed(own, ferrara) == "ferrara"
    assert own.check(LAYERS, ARRAYS, former) == "ferrara"  # until somebody revokes it
    with pytest.raises(SignatureError, match="may sign layers alone, not checkpoint"):
        believed(own, ferrara, SignedKind.CHECKPOINT)
    rotate_key(ferrara)
    with pytest.raises(SignatureError, match="does not name"):
        believed(own, ferrara)


def test_a_successor_is_believed_from_its_first_day_and_to_the_last_of_the_old_one(own, tmp_path):
    trust(own, public_hex(key_of("a")), until=TODAY + DAY)
    accept_successor(own, statement(tmp_path, "a", "b", valid_from=TODAY + DAY))
    [entry] = own.trust_list().entries(public_hex(key_of("b")))
    assert entry.until == TODAY + DAY
    later = Keyring(tmp_path / "later")
    later.folder.mkdir()
    replace_key(later.folder / "identity.pem", key_of("b"))
    with pytest.raises(SignatureError, match=f"from {TODAY + DAY} on alone; wait"):
        believed(own, later)


def refused(own, path, words, today=None):
    before = own.trust_list()
    with pytest.raises(KeyringError, match=words) as error:
        accept_successor(own, path, today)
    assert own.trust_list() == before
    return str(error.value)


def test_what_is_late_early_or_comes_again_is_refused_with_a_next_step(own, tmp_path):
    trust(own, public_hex(key_of("a")))
    path, new = statement(tmp_path, "a", "b", days=10), public_hex(key_of("b"))
    text = refused(own, path, r"could be taken until .*, and today is", TODAY + 11 * DAY)
    assert text.endswith(f"deepcity keys trust NAME {new}")
    refused(own, path, "Set this machine's clock", TODAY - 2 * DAY)
    accept_successor(own, path)
    refused(own, path, f"was taken here on {TODAY}. There is nothing to do")
    refused(own, statement(tmp_path, "a", "thief"), "named another successor before.*by a thief")
    refused(own, statement(tmp_path, "b", "a"), "believed here already, as ferrara")
    refused(own, statement(tmp_path, "b", "b"), "its new key is the old one")
    refused(own, statement(tmp_path, "x", "y"), "its old key .* is not trusted here")


def test_a_successor_that_comes_after_the_old_key_was_revoked_is_refused(own, tmp_path):
    """Whatever day it claims; one that was taken before goes on."""
    old = public_hex(key_of("a"))
    trust(own, old)
    backdated = statement(tmp_path, "a", "b", today=TODAY - 3 * DAY)
    after = statement(tmp_path, "a", "c", today=TODAY + DAY)
    revoke_key(own, old, "stolen")
    refused(own, backdated, r"a thief could have written as well")
    text = refused(own, after, r"signed on .*, after that")
    assert text.endswith(f"deepcity keys trust NAME {public_hex(key_of('c'))}")


def test_a_successor_that_was_taken_before_the_old_key_was_revoked_stays(own, ferrara):
    old = ferrara.own_key()
    trust(own, old)
    accept_successor(own, rotate_key(ferrara).statement)
    assert revoke_key(own, old) == [old]
    assert believed(own, ferrara) == "ferrara"
    known = own.trust_list()
    [taken] = known.accepted
    moved = taken.model_copy(update={"on": known.revoked[0].on + DAY})
    write_trust_list(own.folder, known.model_copy(update={"accepted": (moved,)}))
    with pytest.raises(SignatureError, match="does not name"):
        believed(own, ferrara)


def test_a_name_is_revoked_with_its_successors_and_none_follows(own, ferrara, tmp_path):
    keys = [ferrara.own_key()]
    trust(own, keys[0])
    for _ in range(2):
        new, path = rotate_key(ferrara)
        accept_successor(own, path)
        keys.append(new)
    assert revoke_key(own, "ferrara") == keys
    with pytest.raises(SignatureError, match="was revoked here"):
        believed(own, ferrara)
    refused(own, rotate_key(ferrara).statement, "its old key was revoked here")


def test_successors_are_followed_so_far_and_no_farther(own, tmp_path):
    names = [f"key-{number}" for number in range(MOST_CHAIN + 2)]
    trust(own, public_hex(key_of(names[0])))
    *taken, (last, beyond) = pairwise(names)
    for old, new in taken:
        [entry] = accept_successor(own, statement(tmp_path, old, new))
        assert entry.name == "ferrara"
    refused(own, statement(tmp_path, last, beyond), f"successor number {MOST_CHAIN + 1}")
    known = own.trust_list()
    more = read_succession(tmp_path / f"{last}-{beyond}.json")
    known = known.accepting(AcceptedSuccessor(statement=more, on=TODAY))
    assert known.entries(public_hex(key_of(beyond))) == []
    circle = sign_succession(key_of(beyond), key_of(names[0]))
    known = known.accepting(AcceptedSuccessor(statement=circle, on=TODAY))
    assert known.model_copy(update={"trusted": ()}).entries(public_hex(key_of(last))) == []
    assert len(known.successors(public_hex(key_of(names[0])))) == MOST_CHAIN


def test_a_list_that_was_edited_by_hand_gives_no_trust_on(own, tmp_path):
    """Statements in it are checked at each use."""
    trust(own, public_hex(key_of("a")))
    good = sign_succession(key_of("a"), key_of("b"))
    forged = good.model_copy(update={"new": public_hex(key_of("thief"))})
    known = own.trust_list().accepting(AcceptedSuccessor(statement=forged, on=TODAY))
    assert known.entries(public_hex(key_of("thief"))) == []


def test_a_stolen_or_revoked_key_signs_no_successor_and_a_new_one_has_none(own, ferrara, tmp_path):
    assert rotate_key(ferrara, handing_on=False).statement is None
    revoke_key(ferrara, ferrara.own_key())
    assert rotate_key(ferrara).statement is None
    assert rotate_key(Keyring(tmp_path / "new")).statement is None


def test_a_statement_that_a_kill_left_behind_is_replaced(ferrara):
    """Else the same key would have named two successors, as after a theft."""
    left = ferrara.folder / "successor-0000000000000000.json"
    write_succession(left, sign_succession(ferrara.private_key(), key_of("never was")))
    _, path = rotate_key(ferrara)
    assert [*ferrara.folder.glob("successor-*.json")] == [path]


@pytest.mark.parametrize("change", ["old", "new", "signed_on", "valid_from", "until"])
def test_each_field_is_under_both_signatures(own, tmp_path, change):
    trust(own, public_hex(key_of("a")))
    found = sign_succession(key_of("a"), key_of("b"))
    other = public_hex(key_of("c")) if change in {"old", "new"} else date(2031, 1, 1)
    edited = found.model_copy(update={change: other})
    assert edited.faults()
    write_succession(tmp_path / "edited.json", edited)
    refused(own, tmp_path / "edited.json", "not signed by the|is not taken")
    for half in ("by_old", "by_new"):
        [fault] = found.model_copy(update={half: "0" * 128}).faults()
        assert half.removeprefix("by_") in fault


_WHOLE = sign_succession(key_of("a"), key_of("b"), today=TODAY).to_bytes()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(place=len(_WHOLE) - 1, cut=1, more=b"")
@given(
    place=st.integers(0, len(_WHOLE) - 1),
    cut=st.sampled_from([0, 1, 1, 2, 64]),
    more=st.binary(max_size=4) | st.sampled_from([b"0", b"1", b" ", b"a", b'","x":"']),
)
def test_an_edited_statement_is_never_taken(tmp_path, place, cut, more):
    own = Keyring(tmp_path / "own")
    if not own.folder.exists():
        trust(own, public_hex(key_of("a")))
    edited = _WHOLE[:place] + more + _WHOLE[place + cut :]
    if edited == _WHOLE:
        return
    path = tmp_path / "edited.json"
    path.write_bytes(edited)
    with pytest.raises(KeyringError):
        accept_successor(own, path)
    assert own.trust_list().accepted == ()


_JSON = st.recursive(
    st.none() | st.floats() | st.text(max_size=9),
    lambda one: st.lists(one) | st.dictionaries(st.sampled_from(["kind", "old", "until"]), one),
)


@settings(deadline=None)
@given(st.binary(max_size=300) | _JSON.map(lambda one: json.dumps(one).encode()))
def test_what_is_no_statement_is_refused(data):
    with pytest.raises(KeyringError, match="is no statement"):
        parse_succession(data, "it")


def test_files_that_cannot_be_or_are_too_long_are_named(own, tmp_path):
    refused(own, tmp_path / "none.json", "cannot be read")
    long = tmp_path / "long.json"
    with long.open("wb") as file:
        file.truncate(100 << 30)
    refused(own, long, "is no statement")


def test_revocation_of_a_key_that_is_no_ones_leaves_statements(own, tmp_path):
    trust(own, public_hex(key_of("a")))
    accept_successor(own, statement(tmp_path, "a", "b"))
    known = own.trust_list().revoking(RevokedKey(key=public_hex(key_of("b")), on=TODAY))
    write_trust_list(own.folder, known)
    refused(own, statement(tmp_path, "b", "c"), "its old key was revoked here")
