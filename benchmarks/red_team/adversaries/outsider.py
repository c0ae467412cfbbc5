"""An outsider on the network: it belongs to no city, and has no account."""

import base64
import json
import socket
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from benchmarks.red_team.play import (
    Ending,
    Result,
    Stage,
    all_of,
    measured,
    play,
    refused,
    stopped_by,
)
from benchmarks.red_team.stages.deep_data import deep_data_town
from benchmarks.red_team.stages.machines import Machines
from benchmarks.red_team.stages.running_city import GUESSED, PASSWORD, SIGNER, RunningCity
from benchmarks.red_team.stages.simulated import Simulated
from benchmarks.red_team.tls import expired_kit, greeting
from deepcity.city.errors import ExchangeError, GrantError
from deepcity.exchange.flare.kits import OPERATOR, kit_folder, operator_folder
from deepcity.exchange.flare.link import LINK_FILE
from deepcity.live.signed_tokens import ALGORITHM
from deepcity.store.signatures.ed25519 import public_hex
from deepcity.web.control.roles import BY_TOKEN, RIGHTS

WHO = "outsider"
JOIN, EXHAUST, READ = "to join or listen", "to exhaust it", "to read, and to act"
_NAMED = "signed|token|issuer|not for|ended"  # in a refusal of a token
_STREAM = ("GET", "/api/stream")


@play(WHO, Stage.MACHINES, JOIN)
def knocks_without_a_certificate(stage: Machines) -> Ending:
    """connects to the hub by TLS, without a certificate"""
    return _turned_away(stage, greeting(None, stage.federation.port))


@play(WHO, Stage.MACHINES, JOIN)
def shows_an_expired_certificate(stage: Machines) -> Ending:
    """connects with the key and certificate of a site that ended yesterday"""
    kit = expired_kit(stage.federation.folder, stage.kit("north"), stage.folder / "expired")
    return _turned_away(stage, greeting(kit, stage.federation.port))


@play(WHO, Stage.MACHINES, JOIN)
def shows_another_federation_s_certificate(stage: Machines) -> Ending:
    """connects as a site of the same name of another federation"""
    kit = kit_folder(stage.theirs, "north")
    return _turned_away(stage, greeting(kit, stage.federation.port))


def _turned_away(stage: Machines, reason: str) -> Ending:
    own = greeting(stage.kit("north"), stage.federation.port)
    assert own == "", f"the hub turns its own sites away: {own}"
    if reason:
        return Ending(Result.STOPPED, f"TLS: {reason}")
    return Ending(Result.GOT_THROUGH, "the hub goes on talking")


@play(WHO, Stage.MACHINES, "to lead")
def operates_with_another_federation_s_kit(stage: Machines) -> Ending:
    """logs in at the hub as the operator of another federation, to submit a job"""
    from deepcity.exchange.flare.engine import Operator  # the engine may not be installed

    stranger = Operator(operator_folder(stage.theirs), OPERATOR, patience_s=1.0)
    return stopped_by(ExchangeError, "does not answer", stranger.connected)


@play(WHO, Stage.MACHINES, "to lead")
def takes_the_job_s_place_at_the_coordinator(stage: Machines) -> Ending:
    """connects to the coordinator's line on the hub's machine, with a key that it made up"""
    found = json.loads((stage.federation.hub / "local" / LINK_FILE).read_text())
    try:
        with Client((found["host"], found["port"]), authkey=b"made up"):
            return Ending(Result.GOT_THROUGH, "the coordinator let it in")
    except (AuthenticationError, EOFError, OSError) as error:
        stage.ask_raw("north", "", b"")  # the true job is still there
        return Ending(Result.STOPPED, f"{type(error).__name__}: {error}")


@play(WHO, Stage.RUNNING_CITY, READ)
def asks_every_route_without_a_session(stage: RunningCity) -> Ending:
    """asks every route of the control room, with and without a made-up cookie or password"""
    shown = [{}, {"Cookie": "deepcity=eyJuYW1lIjogImEtYWRtaW4ifQ==.x.y"}]
    shown += [{"Authorization": "Basic YS1hZG1pbjph"}, {"Authorization": "Bearer x"}]
    with stage.stranger() as client:
        return all_of(
            refused(
                401,
                client.request(
                    method,
                    path.replace("{number}", "1"),
                    headers=headers,
                    params={"space": "a/resources/x/h3@0"} if (method, path) in BY_TOKEN else None,
                ),
            )
            for method, path in sorted({*RIGHTS, *BY_TOKEN} - {_STREAM})
            for headers in (shown if path == "/api/city" else shown[:1])
        )


@play(WHO, Stage.RUNNING_CITY, READ)
def forges_the_token_of_an_agency(stage: RunningCity) -> Ending:
    """sends tokens with alg none, signed with the public key as a secret, by another key, for
    another city, of another agency, expired, and that would last for years"""
    return _forged(stage, "y", "/deep-data/clock", _NAMED)


@play(WHO, Stage.RUNNING_CITY, READ)
def forges_the_token_of_a_person(stage: RunningCity) -> Ending:
    """sends such tokens in the name of an account whose public key it knows"""
    return _forged(stage, SIGNER, "/api/events", _NAMED)


def _forged(stage: RunningCity, name: str, path: str, reason: str) -> Ending:
    now = int(time.time())
    claims = {"iss": name, "aud": "a", "iat": now, "exp": now + 300}
    with stage.stranger() as client:

        def ask(token: str) -> httpx.Response:
            return client.get(path, headers={"Authorization": f"Bearer {token}"})

        right = ask(_signed(stage.key, claims))
        assert right.status_code == 200, right.text
        forged = [
            _bare(claims),
            _shared(stage.key, claims),
            _signed(Ed25519PrivateKey.generate(), claims),
            _signed(stage.key, claims | {"aud": "b"}),
            _signed(stage.key, claims | {"iss": "x"}),
            _signed(stage.key, claims | {"iat": now - 4000, "exp": now - 3700}),
            _signed(stage.key, claims | {"exp": now + 10**8}),
            stage.token[:-1],
        ]
        return all_of(refused(401, ask(one), reason) for one in forged)


def _signed(key: Ed25519PrivateKey, claims: dict[str, object]) -> str:
    return jwt.encode({"alg": ALGORITHM}, claims, OKPKey.import_key(key), algorithms=[ALGORITHM])


def _shared(key: Ed25519PrivateKey, claims: dict[str, object]) -> str:
    """Signed with the public key as if it were a shared secret."""
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(bytes.fromhex(public_hex(key))))


def _bare(claims: dict[str, object]) -> str:
    """Of the algorithm "none"."""
    parts = [json.dumps(one).encode() for one in ({"alg": "none"}, claims)]
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts) + "."


@play(WHO, Stage.SIMULATED, READ)
def sends_as_another_agency(stage: Simulated) -> Ending:
    """with the stolen token of one agency, sends deep data in the name of another"""
    with deep_data_town(stage.deep_data, stage.folder / "as-another") as town:
        batch = town.encoded()
        return stopped_by(
            GrantError,
            "water's token is for east/",
            lambda: town.intake.accept("water", batch, now=town.now),
        )


@play(WHO, Stage.RUNNING_CITY, READ)
def guesses_a_password(stage: RunningCity) -> Ending:
    """tries passwords of an account until it is in; the sixth would be right"""
    with stage.stranger() as client:
        tries = [*(f"guess {number}" for number in range(5)), PASSWORD]
        found = [
            client.post("/api/session", json={"name": GUESSED, "password": one}) for one in tries
        ]
        return all_of(refused(401, one, "tried too often") for one in found)


@play(WHO, Stage.RUNNING_CITY, READ)
def asks_for_files_of_the_machine(stage: RunningCity) -> Ending:
    """asks the page's folder for files outside of it"""
    tries = ["/../accounts.toml", "/%2e%2e/accounts.toml", "/..%2f..%2faccounts.toml"]
    tries += ["//etc/passwd", "/%2fetc%2fpasswd", "/static/../../../a.toml", "/.%00/a.toml"]
    host, port = stage.node.address.removeprefix("http://").split(":")
    answers = [_raw(host, int(port), f"GET {one} HTTP/1.1\r\nHost: x\r\n") for one in tries]
    assert all(answers), "it did not answer"
    leaked = [one for one in answers if b"argon2id" in one or b"root:" in one or b"[clock]" in one]
    statuses = {one.split(b" ", 2)[1].decode() for one in answers}
    assert statuses <= {"400", "404", "405"}, statuses
    return measured(len(leaked), 0, f"of {len(tries)} files, read:")


def _raw(host: str, port: int, head: str, wait_s: float = 30.0) -> bytes:
    with socket.create_connection((host, port), timeout=wait_s) as line:
        line.sendall(f"{head}Connection: close\r\n\r\n".encode())
        return line.recv(65536)


@play(WHO, Stage.RUNNING_CITY, EXHAUST)
def sends_huge_requests(stage: RunningCity) -> Ending:
    """sends a body of 2 MB, one that only says that it is of a terabyte, and 100 kB of headers"""
    host, port = stage.node.address.removeprefix("http://").split(":")
    said = "POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: 1099511627776\r\n"
    with stage.stranger() as client:
        body = client.post("/api/session", content=b"x" * 2_000_000)
    lied = _raw(host, int(port), said)
    headers = _raw(host, int(port), f"GET / HTTP/1.1\r\nHost: x\r\nX-A: {'a' * 100_000}\r\n")
    return all_of([refused(413, body), _status(413, lied), _status(431, headers)])


def _status(status: int, answer: bytes) -> Ending:
    line = answer.split(b"\r\n", 1)[0].decode(errors="replace")
    right = f" {status} " in f"{line} "
    return Ending(Result.STOPPED if right else Result.GOT_THROUGH, line or "no answer")


@play(WHO, Stage.RUNNING_CITY, EXHAUST, slow=True)
def sends_slowly(stage: RunningCity) -> Ending:
    """sends a request's headers a byte a second, and waits for how long it is borne"""
    host, port = stage.node.address.removeprefix("http://").split(":")
    begun = time.monotonic()
    with socket.create_connection((host, int(port)), timeout=2) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        while time.monotonic() - begun < 60:
            try:
                line.sendall(b"a")
                line.settimeout(1.0)
                if answer := line.recv(1000):
                    return _status(408, answer)
                break
            except TimeoutError:
                continue
            except OSError:
                break
    return measured(time.monotonic() - begun, 30, "seconds until it was cut off:")


@play(WHO, Stage.RUNNING_CITY, EXHAUST)
def holds_connections_open(stage: RunningCity) -> Ending:
    """opens 1,200 connections and says nothing, more than the city takes at once"""
    host, port = stage.node.address.removeprefix("http://").split(":")
    lines = []
    try:
        for _ in range(1200):
            lines.append(socket.create_connection((host, int(port)), timeout=10))
        begun = time.monotonic()
        with stage.stranger() as client:
            assert client.get("/health").status_code == 200
        return measured(time.monotonic() - begun, 5, "seconds until another is answered:")
    finally:
        for line in lines:
            line.close()


@play(WHO, Stage.RUNNING_CITY, EXHAUST)
def fills_memory_with_bodies(stage: RunningCity) -> Ending:
    """sends 60 bodies of 900 kB at once, and ends none of them"""
    host, port = stage.node.address.removeprefix("http://").split(":")
    before, lines = stage.node.resident_mb(), []
    head = b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
    try:
        for _ in range(60):
            line = socket.create_connection((host, int(port)), timeout=10)
            lines.append(line)
            line.sendall(head + b"x" * 899_000)
        with stage.stranger() as client:
            assert client.get("/health").status_code == 200
        return measured(stage.node.resident_mb() - before, 150, "MB that its memory grew by:")
    finally:
        for line in lines:
            line.close()
