"""A site's record of what left it, and what an audit measured of each layer.

FOLDER/releases.jsonl      its release ledger (`deepcity.store.release_ledger.ledger_file`)
FOLDER/audit.json          what `deepcity audit` measured, where it did
"""

import contextlib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deepcity.audit.audit_file import read_audits
from deepcity.audit.results import PartyAudit
from deepcity.city.level import HEAD
from deepcity.store.release_ledger.ledger_file import RELEASES, ReleaseLedger
from deepcity.store.release_ledger.release import Leakage, r2_text

_AUDIT_DIGITS = 16
_RIDGE = "ridge"  # how audits call the part of the head that is fitted in closed form


def site_ledger(folder: Path, party: str, key: Ed25519PrivateKey) -> ReleaseLedger:
    """The release ledger of a party in its site's folder."""
    return ReleaseLedger(folder / RELEASES, party, key)


def measured_leakage(folder: Path, party: str, service: str) -> dict[str, Leakage]:
    """Layer -> the best attack's R² in the newest audit of a party's network for a service.

    Layers that no audit measured are left out. The audited model is that of an earlier run; the
    entry names it. An audit that names none counts for nothing.
    """
    found: dict[str, Leakage] = {}
    for audit in read_audits(folder, party).audits:
        subject = audit.subject
        if (subject.service, subject.party) == (service, party) and subject.deep_width is None:
            with contextlib.suppress(ValueError):
                found |= _of_audit(audit)
    return found


def _of_audit(audit: PartyAudit) -> dict[str, Leakage]:
    windows = _best((one.layer, one.r2) for one in audit.windows)
    updates = _best(
        (HEAD if one.lowest == _RIDGE else one.lowest, one.r2) for one in audit.gradients
    )
    return {
        layer: Leakage(
            audit=audit.subject.model[:_AUDIT_DIGITS],
            activations_r2=_text(windows, layer),
            update_r2=_text(updates, layer),
        )
        for layer in {**windows, **updates}
    }


def _best(found: Iterable[tuple[str, float]]) -> dict[str, float]:
    best: dict[str, float] = {}
    for layer, r2 in found:
        if math.isfinite(r2):
            best[layer] = max(r2, best.get(layer, r2))
    return best


def _text(found: Mapping[str, float], layer: str) -> str | None:
    return r2_text(found[layer]) if layer in found else None
