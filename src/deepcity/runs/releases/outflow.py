"""What has left a site in all, by its release ledger, with what an audit measured of each layer."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from deepcity.audit.layer_leakage import LayerLeakage, layer_leakage
from deepcity.audit.results import FORECAST
from deepcity.city.errors import LedgerError
from deepcity.city.level import HEAD
from deepcity.learning.networks.encoder import BOTTLENECK
from deepcity.store.release_ledger.ledger_file import RELEASES
from deepcity.store.release_ledger.release import ReleaseForm
from deepcity.store.release_ledger.totals import LedgerTotals, ReleaseKind, ReleaseTotal


@dataclass(frozen=True)
class LayerOutflow:
    """Releases of one kind.

    Attributes:
        leakage: of its layer, by the audit in the site's folder; None: not measured there.
        floor: of the forecast alone; None: not measured.
    """

    total: ReleaseTotal
    leakage: LayerLeakage | None = None
    floor: LayerLeakage | None = None

    def plus(self, later: "LayerOutflow") -> "LayerOutflow":
        """Both together; the later audit counts."""
        newest = self if later.leakage is None else later
        return LayerOutflow(self.total.plus(later.total), newest.leakage, newest.floor)


@dataclass(frozen=True)
class SiteOutflow:
    """All that has left a site.

    Attributes:
        layers: by layer, receiver and service, in the order in which they first left.
        unread, beyond, share: as in `LedgerTotals`.
        problem: why the ledger cannot be read; empty where it can.
    """

    layers: tuple[LayerOutflow, ...] = ()
    unread: int = 0
    beyond: int = 0
    share: float = 1.0
    problem: str = ""


def party_outflow(sites: Sequence[Path], seconds: float = float("inf")) -> SiteOutflow | None:
    """What has left a party in several runs; None where none of its folders holds a ledger.

    Args:
        sites: its folders, the oldest first; the newest audit counts.
        seconds: that reading may take; the next call goes on.
    """
    until_s = time.monotonic() + seconds
    found: list[SiteOutflow] = []
    for site in sites:  # the first is read on in any case
        left_s = until_s - time.monotonic() if found else seconds
        if (outflow := site_outflow(site, left_s)) is not None:
            found.append(outflow)
    if not found:
        return None
    layers: dict[ReleaseKind, LayerOutflow] = {}
    for one in (layer for site in found for layer in site.layers):
        before = layers.get(one.total.kind)
        layers[one.total.kind] = one if before is None else before.plus(one)
    return SiteOutflow(
        tuple(layers.values()),
        sum(one.unread for one in found),
        sum(one.beyond for one in found),
        sum(one.share for one in found) / len(found),
        next((one.problem for one in found if one.problem), ""),
    )


def site_outflow(site: Path, seconds: float = float("inf")) -> SiteOutflow | None:
    """What has left a site; None where it keeps no ledger.

    Args:
        site: its folder.
        seconds: that reading may take; the next call goes on.
    """
    path = site / RELEASES
    if not path.exists():
        return None
    totals = _totals(path)
    try:
        totals.follow(seconds)
    except LedgerError as error:
        return SiteOutflow(problem=str(error))
    layers = tuple(_with_leakage(site, one) for one in totals.totals)
    return SiteOutflow(layers, totals.unread, totals.beyond, totals.share)


@lru_cache(maxsize=1000)
def _totals(path: Path) -> LedgerTotals:
    return LedgerTotals(path)


def _with_leakage(site: Path, total: ReleaseTotal) -> LayerOutflow:
    found: Mapping[str, LayerLeakage] = {}
    kind, deep = total.kind, total.kind.form is ReleaseForm.DEEP_DATA
    if total.levels is not None:  # a layer of a network
        found = layer_leakage(site, kind.party, kind.service, deep=deep)
        if not found and not deep:  # layers of an encoder that equal agencies pretrain together
            found = layer_leakage(site, kind.party, kind.service, deep=True)
    # what a head gives is the forecast, which is attacked under that name
    layer = BOTTLENECK if deep else FORECAST if kind.layer == HEAD else kind.layer
    return LayerOutflow(total, found.get(layer), found.get(FORECAST))
