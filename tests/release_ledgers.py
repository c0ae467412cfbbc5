"""Release ledgers for tests: keys from seeds, so that a failure can be repeated."""

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.release import GrantScope, Release, ReleaseForm
from deepcity.store.release_ledger.witness import Witness

OWNER = "north/water"


def key_of(name):
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


def release(number=0, **changes):
    fields = {
        "party": OWNER,
        "receiver": "coordinator",
        "service": "water",
        "training": "water.level_2",
        "verb": "train",
        "round": number,
        "layer": "h1",
        "form": ReleaseForm.PLAIN,
        "grant": GrantScope(level=2, stem="private"),
        "leakage": None,
        "bytes": 100 + number,
        "sha256": sha256(str(number).encode()).hexdigest(),
    }
    return Release(**{**fields, **changes})


def ledger(folder, name=OWNER):
    return ReleaseLedger(folder / "releases.jsonl", name, key_of(name), clock=lambda: 1_800_000_000)


def filled(folder, batches=(2, 3, 1)):
    """A ledger of so many entries in each batch."""
    found, number = ledger(folder), 0
    for size in batches:
        found.record([release(number + one) for one in range(size)])
        number += size
    return found


def witness(folder, name="south/water"):
    path = folder / f"{name.replace('/', '.')}-cosigned.json"
    return Witness(path, name, key_of(name), clock=lambda: 1_800_000_001)
