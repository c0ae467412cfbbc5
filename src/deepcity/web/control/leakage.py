"""Measured leakage beside a decision's evidence, from the audits in the folders of runs.

Of deep data it is that of the agency's encoder, of the very version that was used; of a party's own
records that of its forecast, which is what leaves it when a decision is made.
"""

import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from deepcity.audit.audit_file import audits_of_run
from deepcity.audit.results import FORECAST, PartyAudit
from deepcity.forecasting.run_parties import RunParty
from deepcity.learning.networks.encoder import BOTTLENECK

_AGAIN_S = 5.0


def leakage_of(party: RunParty, evidence: Mapping[str, Any]) -> float | None:
    """R² of the best attack on what was used; None: nobody has measured it.

    Attacks that know true pairs beside are left out: they ask how much worse it could be.

    Args:
        party: whose decision it is.
        evidence: an entry of the decision's event; one of deep data names its version.
    """
    version = evidence.get("version")
    layer = FORECAST if version is None else BOTTLENECK
    found = [
        one.r2
        for audit in _audits(party.folder)
        if _fits(audit, party, evidence, version)
        for one in audit.windows
        if one.layer == layer and not one.known
    ]
    return max(0.0, *found) if found else None


def _fits(
    audit: PartyAudit, party: RunParty, evidence: Mapping[str, Any], version: str | None
) -> bool:
    subject = audit.subject
    if subject.service != party.service:
        return False
    if version is None:
        return subject.deep_width is None and subject.party == party.party
    return subject.party == evidence["agency"] and subject.model == version


def _audits(folder: Path) -> tuple[PartyAudit, ...]:
    """The audits of a run; a new one is seen within seconds."""
    return _looked_up(folder, int(time.monotonic() / _AGAIN_S))


@lru_cache(maxsize=64)
def _looked_up(folder: Path, _moment: int) -> tuple[PartyAudit, ...]:
    return tuple(audits_of_run(folder))
