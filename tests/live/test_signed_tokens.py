"""Tokens that an agency signs itself tell who it is, to the city they name, for some minutes."""

import base64
import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import OctKey, OKPKey
from live_server import TOKENS, application_of, run_once
from live_town import HOUR, NOW, START

from deepcity.city.errors import ConfigError, TokenError
from deepcity.live import signed_tokens
from deepcity.live.access import load_access
from deepcity.live.signed_tokens import ALGORITHM, LONGEST_S, SKEW_S, TokenSigner, signer_of
from deepcity.store.signatures.ed25519 import public_hex
from deepcity.store.signatures.keyring import Keyring, own_keyring

AT = 1_800_000_000
WEATHER, GATES = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
KEYS = {"weather": public_hex(WEATHER), "gates": public_hex(GATES)}


def token(key=WEATHER, **changes):
    claims = {"iss": "weather", "aud": "town", "iat": AT, "exp": AT + 300} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": ALGORITHM}, claims, OKPKey.import_key(key), algorithms=[ALGORITHM])


def refused(text, reason=".", city="town", at=AT):
    with pytest.raises(TokenError, match=reason):
        signer_of(text, KEYS, city, at)
    return True


def test_a_token_is_its_signer_s_for_its_city_while_it_lasts():
    assert signer_of(token(), KEYS, "town", AT) == "weather"
    assert refused(token(), "not for 'harbour'", city="harbour")
    assert refused(token(), "it has ended", at=AT + 300 + SKEW_S)
    assert refused(token(), "in the future", at=AT - SKEW_S - 1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": GATES}, "not signed by the key of 'weather'"),  # signs as another
        ({"iss": "gates"}, "not signed by the key of 'gates'"),
        ({"iss": "police"}, "signed by nobody whose key"),
        ({"iss": None}, "neither a signed token"),
        ({"aud": None}, "not for 'town'"),
        ({"aud": ["town"]}, "not for 'town'"),
        ({"exp": None}, "no whole number"),
        ({"iat": None}, "no whole number"),
        ({"exp": AT + LONGEST_S + 1}, "not for 1 to 600 s"),
        ({"exp": AT - 1000}, "not for 1 to 600 s"),
        ({"iat": float(AT)}, "no whole number"),
        ({"iat": True}, "no whole number"),
        ({"exp": 2**70}, "not for 1 to 600 s"),
        ({"nbf": AT + SKEW_S + 1}, "in the future"),
        ({"nbf": "soon"}, "no whole number"),
    ],
)
def test_what_is_not_as_it_must_be_is_refused_with_the_reason(changes, reason):
    assert refused(token(**changes), reason)


def test_the_issuer_chooses_the_one_key_that_is_tried(monkeypatch):
    """However many agencies there are: one check of a signature a request."""
    tried = []
    known = signed_tokens.public_key
    monkeypatch.setattr(signed_tokens, "public_key", lambda key: tried.append(key) or known(key))
    many = {f"agency-{n}": KEYS["gates"] for n in range(500)} | KEYS
    assert signer_of(token(), many, "town", AT) == "weather"
    assert tried == [KEYS["weather"]]


def test_a_claim_that_stands_twice_is_refused_though_it_is_signed():
    text = json.dumps({"iss": "weather", "aud": "town", "iat": AT, "exp": AT + 300})
    head = {"alg": ALGORITHM}
    for more in ('"iss": "gates", ', '"iss": "weather", ', '"exp": NaN, '):
        payload = "{" + more + text[1:]
        signed = jws.serialize_compact(
            head, payload, OKPKey.import_key(WEATHER), algorithms=[ALGORITHM]
        )
        assert refused(signed, "neither a signed token")


def test_no_other_algorithm_counts():
    claims = {"iss": "weather", "aud": "town", "iat": AT, "exp": AT + 300}
    public = bytes.fromhex(KEYS["weather"])  # as the secret of a shared-key signature
    shared = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(public))
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()
    bare = f"{head}.{token().split('.')[1]}."
    for forged in (shared, bare):
        assert refused(forged, "not signed by the key of 'weather'")


@given(text=st.text(max_size=80) | st.lists(st.text(max_size=30), min_size=3, max_size=3))
def test_no_text_fails_otherwise_than_by_counting_for_nothing(text):
    assert refused(text if isinstance(text, str) else ".".join(text))


@given(place=st.integers(0, 400), sign=st.sampled_from("abzAZ019-_.="))
def test_no_changed_sign_of_a_token_counts(place, sign):
    whole = token()
    at = place % len(whole)
    changed = whole[:at] + sign + whole[at + 1 :]
    head, body, _ = whole.split(".")
    if changed.split(".")[:2] != [head, body]:  # the last digits of a signature may say the same
        assert refused(changed)


def test_a_signer_renews_its_token_before_it_ends_and_keeps_it_until_then(tmp_path):
    now = [AT]
    signer = TokenSigner(Keyring(tmp_path), "weather", "town", lambda: now[0])
    keys = {"weather": Keyring(tmp_path).own_key() or ""}
    first = signer()
    keys["weather"] = Keyring(tmp_path).own_key()
    for now[0] in range(AT, AT + 2000, 7):
        assert signer_of(signer(), keys, "town", now[0]) == "weather"
    now[0] = AT
    assert signer() == first  # a clock that was put back


def access_file(folder, text):
    (folder / "access.toml").write_text(text, encoding="utf-8")
    return load_access(folder / "access.toml")


ENTRY = '[[agency]]\nname = "weather"\n{}\n[agency.grant]\nservice = "ridership"\n'


def test_an_agency_has_a_token_or_a_key_and_not_both(tmp_path):
    key, secret = f'key = "{KEYS["weather"]}"', 'token = "weather-token-0123456789"'
    access = access_file(tmp_path, ENTRY.format(key)).for_city("town")
    with pytest.raises(TokenError, match="not an agency's"):
        access.agency_of("")
    for lines in (f"{key}\n{secret}", ""):
        with pytest.raises(ConfigError, match=r"agency\[weather\].*a token or a key, and not both"):
            access_file(tmp_path, ENTRY.format(lines))
    with pytest.raises(ConfigError, match="key"):
        access_file(tmp_path, ENTRY.format('key = "abc"'))
    with pytest.raises(ConfigError, match="_city"):
        access_file(tmp_path, '_city = "town"\n' + ENTRY.format(key))


def test_an_agency_that_signs_sends_and_another_key_is_refused(town_trained, tmp_path):
    key = public_hex(own_keyring().private_key())
    folder = tmp_path / "records"
    town_trained.copy_to(folder, (NOW - START) // HOUR)
    text = ENTRY.format(f'key = "{key}"')
    allowed = access_file(tmp_path, text).for_city("town")
    url = f"duckdb:///{tmp_path / 'deep.duckdb'}"
    with application_of(town_trained, url, until=NOW, allowed=allowed) as (address, application):
        done = run_once(town_trained, "weather", folder, address, "--sign")
        assert done.exit_code == 0, done.output
        package = town_trained.encoders["weather"]
        assert len(application.store.read(package.space, None, 0, NOW, reader="ridership").time_R)
        other = Ed25519PrivateKey.generate()
        wrong = jwt.encode(
            {"alg": ALGORITHM},
            {"iss": "weather", "aud": "town", "iat": AT, "exp": AT + 300},
            OKPKey.import_key(other),
            algorithms=[ALGORITHM],
        )
        for refused in (wrong, TOKENS["weather"]):
            reply = httpx.post(
                f"{address}/deep-data",
                params={"space": str(package.space)},
                headers={"Authorization": f"Bearer {refused}"},
                trust_env=False,
            )
            assert reply.status_code == 401
