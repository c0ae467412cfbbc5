"""The command of deploy/compose/city.yaml and its health check, as processes on this machine."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from deployed import DEPLOY, composed, filled
from live_server import free_port
from node_process import NodeProcess
from postgres_server import postgres, postgres_url  # noqa: F401
from sqlalchemy import create_engine

from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.roles import Role

CITY = dict(composed(DEPLOY / "compose" / "city.yaml"))["city"]


def write_secrets(folder):
    """Those that the file names, as a city writes them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "room.city.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("192.0.2.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "certificate").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key").write_bytes(pem)
    (folder / "accounts").write_text(account_entry("kim", Role.ADMIN, "ten signs and more"))
    (folder / "postgres-password").write_text("of the database\n")


def health(port):
    """The exit code of the container's own check."""
    test = [one.replace(":8080", f":{port}") for one in CITY["healthcheck"]["test"][1:]]
    assert test[0] == "python"
    return subprocess.run([sys.executable, *test[1:]], capture_output=True, check=False).returncode


def begun(port):
    """The same, without a process for each look."""
    try:
        return httpx.get(f"https://127.0.0.1:{port}/health", verify=False).status_code == 200
    except httpx.TransportError:
        return False


def test_it_starts_is_well_and_writes_into_the_database(trained, tmp_path, postgres_url):  # noqa: F811
    write_secrets(tmp_path)
    server = postgres_url.replace(":@", "@")
    places = {
        "/city/example": str(trained / "a.toml"),
        "/runs": str(trained / "run"),
        "/state": str(tmp_path / "state"),
        "/run/secrets": str(tmp_path),
        "postgresql://city@postgres/city": server,
        "0.0.0.0": "127.0.0.1",
    }
    words = [filled(word) for word in CITY["command"]]
    for container, here in places.items():
        assert any(container in word for word in words), container
        words = [word.replace(container, here) for word in words]
    assert words[:2] == ["up", str(trained / "a.toml")]
    port = free_port()
    more = tuple(word for word in words[2:] if not word.startswith(("--run=", "--port=")))
    node = NodeProcess(trained / "a.toml", more, None, port)
    assert health(port) != 0, "nothing runs yet"
    node.start()
    try:
        node.wait(lambda: begun(port))
        assert health(port) == 0
    finally:
        node.kill()
    engine = create_engine(server.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        found = connection.exec_driver_sql("select count(*) from deepcity.events").scalar()
    engine.dispose()
    assert found > 0
