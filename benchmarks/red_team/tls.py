"""Certificates as outsiders have them, and how a hub greets whoever shows one."""

import json
import shutil
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
CLOSED = "it closed the connection"


def greeting(kit: Path | None, port: int) -> str:
    """Why a hub does not go on talking to whoever has this kit's certificate; "" if it does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if kit is not None:
        context.load_cert_chain(kit / "startup/client.crt", kit / "startup/client.key")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        try:
            with context.wrap_socket(plain) as line:
                line.sendall(_HELLO)
                return "" if line.recv(9) else CLOSED
        except ssl.SSLError as error:
            return error.reason or str(error)
        except ConnectionError:
            return CLOSED


def expired_kit(federation: Path, kit: Path, copy: Path) -> Path:
    """A copy of a kit whose certificate, by the true authority, ended yesterday."""
    shutil.copytree(kit / "startup", copy / "startup")
    state = json.loads(next(federation.glob("authority/*/state/cert.json")).read_text())
    key = load_pem_private_key(state["root_pri_key"].encode(), None)
    path = copy / "startup/client.crt"
    old, now = x509.load_pem_x509_certificate(path.read_bytes()), datetime.now(UTC)
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), old.serial_number, extensions=[*old.extensions]
    )
    builder = builder.not_valid_before(now - timedelta(days=2))
    made = builder.not_valid_after(now - timedelta(days=1)).sign(key, hashes.SHA256())
    path.write_bytes(made.public_bytes(Encoding.PEM))
    return copy
