"""A provider of people that lies: forged and foreign tokens, addresses elsewhere, hostile words."""

import hashlib
import hmac
import json
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey, RSAKey
from oidc_room import asked_of, begun, reason, room, settings

KEY = RSAKey.generate_key(2048, {"kid": "a"})


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("ROOM_SECRET", "s & c")


class Liar(BaseHTTPRequestHandler):
    """A provider whose answers a test chooses."""

    def do_GET(self):
        self._send(self.server.gets.get(self.path, {}))

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.forms.append((self.headers["Authorization"], form))
        self._send(self.server.token(form))

    def _send(self, answer):
        if isinstance(answer, str):  # elsewhere
            self.send_response(302)
            self.send_header("Location", answer)
            self.end_headers()
            return
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def liar():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.forms = []
    own = {
        "issuer": server.url,
        "authorization_endpoint": f"{server.url}/authorize",
        "token_endpoint": f"{server.url}/token",
        "jwks_uri": f"{server.url}/keys",
    }
    server.gets = {
        "/.well-known/openid-configuration": own,
        "/keys": {"keys": [KEY.as_dict(private=False)]},
    }
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def claims(url, login, **changed):
    now = int(time.time())
    found = {
        "iss": url, "aud": "room", "sub": "7", "iat": now, "exp": now + 60, "nonce": login,
        "groups": "desk", **changed,
    }  # fmt: skip
    return {key: value for key, value in found.items() if value is not None}


def signed(payload, key=KEY, alg="RS256", **header):
    content = json.dumps(payload).encode()
    return jws.serialize_compact({"alg": alg, "kid": "a", **header}, content, key, [alg])


def answered(browser, server, make, **query):
    """The end of a log-in for which the liar makes a token of the nonce."""
    asked = asked_of(begun(browser))
    server.token = lambda _form: {"access_token": "x", "id_token": make(asked["nonce"])}
    query = {"state": asked["state"], "code": "c", **query}
    return browser.get("/api/oidc/callback", params=query), asked


def test_a_code_goes_with_the_secret_and_the_verifier_of_pkce(tmp_path, liar):
    own = settings(tmp_path, liar.url, claim="realm.roles")
    named = {"realm": {"roles": ["data"]}}
    with room(tmp_path, own) as browser:
        found, asked = answered(
            browser, liar, lambda nonce: signed(claims(liar.url, nonce, **named))
        )
        assert found.status_code == 303, found.text
        assert browser.get("/api/city").json() == {"name": "oidc:7", "role": "analyst"}
    [(secret, form)] = liar.forms
    assert b64decode(secret.removeprefix("Basic ")) == b"room:s+%26+c"
    digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
    assert asked["code_challenge"] == urlsafe_b64encode(digest).decode().rstrip("=")
    assert form["redirect_uri"] == ["https://room.example/api/oidc/callback"]


CLAIMS = [
    ({"aud": "another"}, 401),
    ({"aud": ["room", "another"]}, 401),  # without azp
    ({"aud": ["room", "another"], "azp": "another"}, 401),
    ({"aud": ["room", "another"], "azp": "room"}, 303),
    ({"aud": None}, 401),
    ({"iss": "https://evil.example"}, 401),
    ({"exp": int(time.time()) - 120}, 401),
    ({"exp": None}, 401),
    ({"exp": "soon"}, 401),
    ({"exp": float("nan")}, 401),
    ({"exp": float("inf")}, 401),
    ({"iat": int(time.time()) + 3600}, 401),
    ({"nonce": "of another log-in"}, 401),
    ({"nonce": None}, 401),
    ({"at_hash": "x"}, 401),
    ({"sub": None}, 401),
    ({"sub": ""}, 401),
    ({"sub": 7}, 401),
    ({"sub": "7\n"}, 401),
    ({"groups": {"desk": True}}, 403),
    ({"groups": [["desk"], 7, None]}, 403),
    ({"groups": "DESK"}, 403),
    ({"groups": None}, 403),
    ({"name": {"x": 1}}, 303),
    ({"name": "\ud800" * 999}, 303),
]


def test_what_an_id_token_may_not_be(tmp_path, liar):
    with room(tmp_path, settings(tmp_path, liar.url)) as browser:
        for changed, status in CLAIMS:
            found, _ = answered(
                browser, liar, lambda n, c=changed: signed(claims(liar.url, n, **c))
            )
            assert found.status_code == status, (changed, found.text)
            assert (browser.get("/api/city").status_code == 200) is (status == 303)
            browser.delete("/api/session")


def test_tokens_that_no_key_of_the_provider_signed(tmp_path, liar):
    another = RSAKey.generate_key(2048, {"kid": "a"})

    def by_hand(alg, nonce, key=b""):
        parts = {"alg": alg, "kid": "a"}, claims(liar.url, nonce)
        head, content = (urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in parts)
        code = hmac.digest(key, head + b"." + content, "sha256") if key else b""
        return b".".join((head, content, urlsafe_b64encode(code).rstrip(b"="))).decode()

    makers = [
        lambda nonce: signed(claims(liar.url, nonce), another),
        lambda nonce: by_hand("HS256", nonce, KEY.as_pem(private=False)),  # as a shared secret
        lambda nonce: signed(claims(liar.url, nonce), another, kid="b"),
        lambda nonce: by_hand("none", nonce),
        lambda nonce: signed(claims(liar.url, nonce))[:-4] + "AAAA",
        lambda nonce: f"{nonce}.x.y",
        lambda _nonce: "",
        lambda _nonce: "x" * 200_000,
    ]
    with room(tmp_path, settings(tmp_path, liar.url)) as browser:
        for make in makers:
            assert answered(browser, liar, make)[0].status_code == 401
        liar.gets["/keys"] = {"keys": [KEY.as_dict(private=False), another.as_dict(private=False)]}
        assert browser.get("/api/city").status_code == 401


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # the test signs by it too
@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_a_provider_may_sign_with_ed25519(tmp_path, liar, algorithm):
    own = OKPKey.generate_key("Ed25519", {"kid": "a"})
    liar.gets["/keys"] = {"keys": [own.as_dict(private=False)]}
    with room(tmp_path, settings(tmp_path, liar.url)) as browser:
        found, _ = answered(
            browser, liar, lambda nonce: signed(claims(liar.url, nonce), own, algorithm)
        )
        assert found.status_code == 303, found.text
        assert browser.get("/api/city").json()["role"] == "operator"


def test_keys_that_the_provider_changed_are_asked_for_anew(tmp_path, liar, monkeypatch):
    monkeypatch.setattr("deepcity.web.control.oidc.issuer._AGAIN_S", 0.0)
    newer = RSAKey.generate_key(2048, {"kid": "b"})
    with room(tmp_path, settings(tmp_path, liar.url)) as browser:
        assert answered(browser, liar, lambda n: signed(claims(liar.url, n)))[0].status_code == 303
        liar.gets["/keys"] = {"keys": [newer.as_dict(private=False)]}
        found, _ = answered(browser, liar, lambda n: signed(claims(liar.url, n), newer, kid="b"))
        assert found.status_code == 303


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"issuer": "https://evil.example"}, "another issuer"),
        ({"token_endpoint": "https://evil.example/token"}, "token_endpoint is at another host"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri is at another host"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint is at"),
        ({"token_endpoint": None}, "token_endpoint is at another host"),
        (b"[" * 100_000, "no JSON"),
        (b"x" * 1_100_000, "over 1,000,000 bytes"),
        ("http://169.254.169.254/latest", "status 302"),
    ],
)
def test_a_provider_that_would_send_the_node_elsewhere(tmp_path, liar, metadata, named):
    name = "/.well-known/openid-configuration"
    liar.gets[name] = {**liar.gets[name], **metadata} if isinstance(metadata, dict) else metadata
    with room(tmp_path, settings(tmp_path, liar.url)) as browser:
        found = browser.get("/api/oidc")
        assert (found.status_code, named in reason(found)) == (502, True), found.text


def test_another_issuer_that_answers_and_hostile_words_on_the_page(tmp_path, liar):
    with room(tmp_path, settings(tmp_path, liar.url)) as browser:
        found, _ = answered(
            browser, liar, lambda n: signed(claims(liar.url, n)), iss="https://evil.example"
        )
        assert "another issuer answered" in reason(found)
        state = asked_of(begun(browser))["state"]
        query = {"state": state, "error": "<script>alert(1)</script>"}
        page = browser.get("/api/oidc/callback", params=query, headers={"Accept": "text/html"})
        assert (page.status_code, "<script" in page.text) == (401, False)
