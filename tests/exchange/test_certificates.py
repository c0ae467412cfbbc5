"""Certificates of a federation: when they end, who renews them, whom a real hub refuses."""

import json
import socket
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from little_map import LittleMap, flows
from live_server import free_port
from typer.testing import CliRunner

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.cli import app
from deepcity.exchange.flare import certificates, kits, processes
from deepcity.exchange.flare.certificates import Certificate, remark, soon

_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
with_engine = pytest.mark.skipif(
    find_spec("nvflare") is None, reason="nvflare is not installed: deepcity[flare]"
)


def run(*words):
    return CliRunner().invoke(app, ["federation", *map(str, words)], catch_exceptions=False)


@pytest.mark.parametrize(
    ("days", "named", "words"),
    [
        (31.0, False, "ends on 2026-04-01 00:00 UTC"),
        (29.5, True, "in 29 days. Renew it at the operator's: deepcity federation renew"),
        (0.5, True, "in 0 days"),
        (0.0, True, "expired on 2026-03-01 00:00 UTC, and is refused. Renew it"),
        (-400.0, True, "expired on"),
    ],
)
def test_certificates_that_end_soon_are_named_with_the_next_step(days, named, words):
    one = Certificate("north", NOW - timedelta(days=500), NOW + timedelta(days=days))
    assert soon(one, NOW) is named
    assert words in remark(one, NOW)
    assert remark(one, NOW).startswith("the certificate of north ")


def test_kits_without_a_certificate_and_with_a_broken_one(tmp_path):
    with pytest.raises(CheckpointError, match="holds no certificate"):
        certificates.kit_certificate(tmp_path)
    (tmp_path / "startup").mkdir()
    (tmp_path / "startup" / "client.crt").write_text("none")
    with pytest.raises(CheckpointError, match="cannot be read"):
        certificates.kit_certificate(tmp_path)
    assert certificates.known_certificates(tmp_path) == {}
    with pytest.raises(CheckpointError, match="where it is kept"):
        certificates.forget(tmp_path, ["north"])


@pytest.fixture(scope="module")
def federation(tmp_path_factory):
    """A hub that runs, and two sites that do not; of another one the kits alone."""
    pytest.importorskip("nvflare")
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "map").mkdir()
    little = LittleMap(folder / "map")
    for city in ("north", "south"):
        little.party(f"{city}/water", flows(days=1))
    map_file = little.write()
    for name in ("ours", "theirs"):
        wanted = {"name": name, "port": free_port(), "map": str(map_file)}
        kits.new_federation(folder / name, kits.federation_of(wanted))
        kits.add_sites(folder / name, ["north", "south"], {"map": str(map_file)})
    yield folder
    for name in ("ours", "theirs"):
        processes.stop(kits.hub_folder(folder / name))


def shorten(folder, kit, *, begins=-2, ends=-1):
    """Give a kit a certificate of the same authority and key that counts between these days."""
    state = next(folder.glob("authority/*/state/cert.json"))
    found = json.loads(state.read_text())
    key = load_pem_private_key(found["root_pri_key"].encode(), None)
    path = next(kit.glob("startup/*.crt"))
    old, now = x509.load_pem_x509_certificate(path.read_bytes()), datetime.now(UTC)
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), old.serial_number, extensions=[*old.extensions]
    )
    builder = builder.not_valid_before(now + timedelta(days=begins))
    made = builder.not_valid_after(now + timedelta(days=ends)).sign(key, hashes.SHA256())
    path.write_bytes(made.public_bytes(Encoding.PEM))


def is_let_in(kit, port):
    """Whether a hub goes on talking to whoever has this kit's certificate and key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(kit / "startup/client.crt", kit / "startup/client.key")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        try:
            with context.wrap_socket(plain) as line:
                line.sendall(
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
                )
                return bool(line.recv(9))
        except (ssl.SSLError, ConnectionError):
            return False


@with_engine
def test_renewed_kits_keep_all_but_key_and_certificate(federation):
    ours, north = federation / "ours", federation / "ours/sites/north"
    moved = (ours / "sites/south").rename(federation / "elsewhere")
    before = {path: path.read_bytes() for path in north.rglob("*") if path.is_file()}
    shorten(ours, north, ends=20)
    assert "of north ends on" in run("status", north).output
    assert "Renew it at the operator's" in run("status", ours).output
    printed = run("renew", ours).output
    after = {path: path.read_bytes() for path in north.rglob("*") if path.is_file()}
    changed = {path.name for path in before if before[path] != after[path]}
    assert before.keys() == after.keys()
    assert changed == {"client.crt", "client.key"}
    assert "Renew it" not in run("status", ours).output
    assert f"south: hand {ours / 'renewed/south/startup'}" in printed
    assert (ours / "renewed/south").stat().st_mode & 0o077 == 0
    assert not (ours / "sites/south").exists(), "a kit that has left is not written again"
    new = certificates.kit_certificate(ours / "renewed/south")
    assert new.begins >= certificates.kit_certificate(moved).begins
    with pytest.raises(ExchangeError, match="no site 'nord' that may come in; such are: north"):
        run("renew", ours, "nord")
    kits.revoke_site(ours, "south")
    with pytest.raises(ExchangeError, match="no site 'south'"):
        run("renew", ours, "south")


@with_engine
def test_authority_is_made_anew_with_its_key_before_it_ends(federation):
    theirs = federation / "theirs"
    state = next(theirs.glob("authority/*/state/cert.json"))
    found = json.loads(state.read_text())
    far = datetime.now(UTC) + timedelta(days=certificates.AUTHORITY_DAYS - 100)
    before = x509.load_pem_x509_certificate(found["root_cert"].encode())
    certificates.forget(theirs / "authority", ["north"], now=far)
    text = json.loads(state.read_text())["root_cert"]
    after = x509.load_pem_x509_certificate(text.encode())
    assert after.not_valid_after_utc > before.not_valid_after_utc
    assert (after.subject, after.public_key()) == (before.subject, before.public_key())
    after.verify_directly_issued_by(before)
    again = json.loads(state.read_text())
    assert "north" not in again
    assert "south" in again
    state.write_text(json.dumps(found))


@with_engine
def test_site_with_an_expired_certificate_is_named_and_not_started(federation):
    south = federation / "theirs/sites/south"
    kept = (south / "startup/client.crt").read_bytes()
    shorten(federation / "theirs", south)
    with pytest.raises(ExchangeError, match=r"of south expired on .*federation renew FEDERATION"):
        run("start", south)
    assert "of south expired on" in run("status", south).output
    found = run("status", south, "--check")
    assert found.exit_code == 1
    assert "of south expired on" in found.output
    assert "south is not running" in found.output
    (south / "startup/client.crt").write_bytes(kept)


@pytest.mark.machines
@with_engine
def test_hub_refuses_certificates_expired_and_of_another_federation(federation):
    """Of two federations with the same names and address; a hub in the foreground, moved."""
    ours = (federation / "ours").rename(federation / "moved")
    port = kits.read_federation(ours).port
    words = ["federation", "start", str(ours), "--hub-only", "--foreground"]
    words += ["--map", str(federation / "map/map.toml")]
    hub = subprocess.Popen([sys.executable, "-m", "deepcity", *words], stdout=subprocess.PIPE)
    try:
        _until(lambda: run("status", ours, "--check").exit_code == 0)
        north = ours / "sites/north"
        assert is_let_in(north, port)
        assert not is_let_in(federation / "theirs/sites/north", port), "another federation's"
        shorten(ours, north)
        assert not is_let_in(north, port), "expired"
        run("renew", ours, "north")
        assert is_let_in(north, port), "renewed"
        processes.stop(kits.hub_folder(ours))
        assert hub.wait(60) == 1, "a part has gone"
        assert b"moved/hub has gone" in hub.stdout.read()
    finally:
        hub.terminate()
        hub.wait()
        hub.stdout.close()
    found = run("status", ours, "--check")
    assert found.exit_code == 1
    assert "hub is not running" in found.output
    assert "the coordinator is not running" in found.output


def _until(true):
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)
