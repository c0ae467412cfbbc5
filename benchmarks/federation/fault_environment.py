"""What surrounds a site and can be wrong: its clock, its disk, its certificate."""

import json
import shutil
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

_CLOCK = Path(__file__).with_name("wrong_clock.c")
_DISK_MB = 16


def why_no_clock():
    """Why no process can be given another clock here; empty if it can."""
    return "" if shutil.which("cc") else "a C compiler (cc) is missing"


def clock_variables(file, shift):
    """Variables for processes whose clock is wrong by the seconds in a file (`wrong_clock.c`)."""
    file.write_text(f"{shift}\n")
    library = file.with_name("wrong_clock.so")
    _run("cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(_CLOCK), "-ldl")
    return {"LD_PRELOAD": str(library), "WRONG_CLOCK": str(file)}


def why_no_disk():
    """Why no small disk can be made here; empty if one can."""
    probe = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if probe.returncode == 0 else f"no disk can be mounted: {probe.stderr.strip()}"


@contextmanager
def small_disk(folder):
    """A disk of its own for a folder, with all that it holds."""
    copy = folder.with_name(f"{folder.name}.copy")
    folder.rename(copy)
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "tmpfs", str(folder))
    try:
        shutil.copytree(copy, folder, dirs_exist_ok=True)
        yield
    finally:
        _run("umount", "--lazy", str(folder))


def fill(folder):
    """Write until nothing more can be written; returns the file to remove."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def expire(folder, kit):
    """The site's certificate as its federation signed it, but over since an hour."""
    [state] = (folder / "authority").glob("*/state/cert.json")
    authority = json.loads(state.read_text())
    root = x509.load_pem_x509_certificate(authority["root_cert"].encode())
    key = serialization.load_pem_private_key(authority["root_pri_key"].encode(), None)
    path, now = kit / "startup" / "client.crt", datetime.now(UTC)
    old = x509.load_pem_x509_certificate(path.read_bytes())
    new = (
        x509.CertificateBuilder(old.issuer, old.subject, old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now - timedelta(hours=1))
    )
    for extension in old.extensions:
        new = new.add_extension(extension.value, extension.critical)
    assert old.issuer == root.subject
    signed = new.sign(key, hashes.SHA256())
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def _run(*command):
    subprocess.run(command, check=True, capture_output=True, text=True)
