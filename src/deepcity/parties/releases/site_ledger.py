"""A site's record of what left it, and what an audit measured of each layer.

FOLDER/releases.jsonl      its release ledger (`deepcity.store.release_ledger.ledger_file`)
FOLDER/claims.pem          the key that signs its heads, and the rows that it claims
"""

import contextlib
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deepcity.audit.layer_leakage import layer_leakage
from deepcity.store.release_ledger.ledger_file import RELEASES, ReleaseLedger
from deepcity.store.release_ledger.release import Leakage, r2_text

CLAIMS_KEY = "claims.pem"
_MODEL_DIGITS = 16


_open: WeakValueDictionary[tuple[Path, str, bytes], ReleaseLedger] = WeakValueDictionary()
_opening = Lock()


def site_ledger(folder: Path, party: str, key: Ed25519PrivateKey) -> ReleaseLedger:
    """The release ledger of a party in its site's folder: the same object while it is in use.

    Two writers of one file would each read all of it again after every entry of the other.
    """
    path = (folder / RELEASES).absolute()
    named = path, party, key.public_key().public_bytes_raw()
    with _opening:
        found = _open.get(named)
        if found is None:
            found = _open[named] = ReleaseLedger(path, party, key)
        return found


def measured_leakage(
    folder: Path, party: str, service: str, *, deep: bool = False
) -> dict[str, Leakage]:
    """Layer -> the best attack's R² in the newest audit of a party's network for a service.

    Args:
        deep: of an agency's encoder instead; its deep data are the layer `bottleneck`.

    Layers that no audit measured are left out. The audited model is that of an earlier run; the
    entry names it. An audit that names none counts for nothing.
    """
    found: dict[str, Leakage] = {}
    for layer, one in layer_leakage(folder, party, service, deep=deep).items():
        with contextlib.suppress(ValueError):
            found[layer] = Leakage(
                audit=one.model[:_MODEL_DIGITS],
                activations_r2=_text(one.activations_r2),
                update_r2=_text(one.update_r2),
            )
    return found


def _text(r2: float | None) -> str | None:
    return None if r2 is None else r2_text(r2)
