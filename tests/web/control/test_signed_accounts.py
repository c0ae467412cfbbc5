"""People and programs that sign their own tokens: the city holds public keys, and no password."""

import time

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey
from live_server import serving
from typer.testing import CliRunner

from deepcity.city.errors import ConfigError
from deepcity.cli import app as commands
from deepcity.live.signed_tokens import ALGORITHM
from deepcity.store.signatures.ed25519 import public_hex
from deepcity.store.signatures.keyring import FOLDER_VARIABLE
from deepcity.web.control.accounts.account_file import account_entry, signing_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.roles import Role

PASSWORD = "correct horse battery"
KIM, LEE, DESK = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))


def signed(name, key, city, **changes):
    now = int(time.time())
    claims = {"iss": name, "aud": city, "iat": now, "exp": now + 300} | changes
    token = jwt.encode({"alg": ALGORITHM}, claims, OKPKey.import_key(key), algorithms=[ALGORITHM])
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def entries():
    return [
        signing_entry("kim", Role.OPERATOR, public_hex(KIM)),
        signing_entry("lee", Role.ANALYST, public_hex(LEE)),
        account_entry("desk", Role.ADMIN, PASSWORD) + f'key = "{public_hex(DESK)}"\n',
    ]


@pytest.fixture
def room(open_node, entries, tmp_path):
    """The address of a control room, its city's name, and the file of accounts."""
    path = tmp_path / "accounts.toml"
    path.write_text("\n".join(entries))
    node = open_node(speed=1e-6)
    node.tick()
    app = create_control_room(node, [], tmp_path / "state", load_accounts(path))
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client, node.city_file.city.name, path


def test_a_token_opens_what_the_role_may_and_leaves_no_session(room):
    client, city, _ = room
    kim, lee = signed("kim", KIM, city), signed("lee", LEE, city)
    assert client.get("/api/city", headers=kim).json()["user"] == {
        "name": "kim",
        "role": "operator",
    }
    assert client.get("/ngsi-ld/v1/types", headers=lee).status_code == 200
    note = {"text": "all quiet"}
    assert client.post("/api/handover/notes", json=note, headers=lee).status_code == 403
    assert client.post("/api/handover/notes", json=note, headers=kim).status_code < 300
    assert not client.cookies
    assert client.get("/api/city").status_code == 401


def test_a_token_of_another_key_city_or_time_opens_nothing_and_says_why(room):
    client, city, _ = room
    ended = {"iat": int(time.time()) - 3600, "exp": int(time.time()) - 3300}
    for headers, reason in [
        (signed("kim", LEE, city), "not signed by the key of 'kim'"),
        (signed("park", LEE, city), "signed by nobody whose key is known here"),
        (signed("kim", KIM, "elsewhere"), "not for"),
        (signed("kim", KIM, city, **ended), "it has ended"),
        ({"Authorization": "Bearer a.b.c"}, "neither a signed token"),
    ]:
        for path in ("/api/city", "/ngsi-ld/v1/types"):
            found = client.get(path, headers=headers)
            assert found.status_code == 401, path
            assert reason in found.text


def test_a_token_counts_for_itself_beside_the_cookie_of_another(room):
    client, city, _ = room
    log_in = {"name": "desk", "password": PASSWORD}
    assert client.post("/api/session", json=log_in).status_code == 200
    assert client.get("/api/city").json()["user"]["name"] == "desk"
    found = client.get("/api/city", headers=signed("lee", LEE, city)).json()
    assert found["user"]["name"] == "lee"
    assert client.get("/api/city", headers=signed("kim", LEE, city)).status_code == 401
    assert client.get("/api/city", headers=signed("desk", DESK, city)).status_code == 200


def test_an_account_with_a_key_alone_has_no_password(room):
    client, *_ = room
    for word in ("", PASSWORD, public_hex(KIM)):
        found = client.post("/api/session", json={"name": "kim", "password": word})
        assert found.status_code == 401


def test_what_an_admin_takes_away_is_gone_at_once(room, entries):
    client, city, path = room
    lee = signed("lee", LEE, city)
    assert client.get("/api/city", headers=lee).status_code == 200
    for others, status in (
        ([entries[0], entries[1] + "disabled = true\n"], 403),
        ([entries[0]], 401),
        ([entries[0], signing_entry("lee", Role.ANALYST, public_hex(DESK))], 401),
        (entries, 200),
    ):
        path.with_suffix(".new").write_text("\n".join(others))
        path.with_suffix(".new").replace(path)
        assert client.get("/api/city", headers=lee).status_code == status


def test_the_commands_lead_from_a_key_to_an_answer(room, monkeypatch, tmp_path):
    client, city, path = room

    def deepcity(*words):
        done = CliRunner().invoke(commands, words)
        assert done.exit_code == 0, done.output
        return done.output

    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "robot"))
    deepcity("keys", "token", "robot", city)  # makes the key
    [line] = [one for one in deepcity("keys", "show").splitlines() if one.startswith("own key")]
    entry = deepcity("account", "robot", "--role", "analyst", "--key", line.split()[-1])
    path.write_text(path.read_text() + "\n" + entry)
    headers = {"Authorization": f"Bearer {deepcity('keys', 'token', 'robot', city).strip()}"}
    assert client.get("/api/city", headers=headers).json()["user"]["name"] == "robot"


def test_an_entry_that_nothing_opens_and_a_key_that_is_none_are_refused(tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text('[[account]]\nname = "kim"\nrole = "admin"\n')
    with pytest.raises(ConfigError, match="neither a password nor a key"):
        load_accounts(path)
    for wrong in ("", "3f", "x" * 64):
        with pytest.raises(ConfigError, match="no public key"):
            signing_entry("kim", Role.ADMIN, wrong)
