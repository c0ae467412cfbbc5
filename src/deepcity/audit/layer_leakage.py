"""What an audit measured of each layer of a party's network: the one reading of it that all use.

FOLDER/audit.json      what `deepcity audit` measured, where it did

It is read once for each state of the file: a policy asks before every answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path
from types import MappingProxyType

from deepcity.audit.audit_file import NAME, read_audits
from deepcity.audit.results import AuditSubject, PartyAudit
from deepcity.city.level import HEAD

STREAM = 24
"""Releases that an attacker of a stream has seen."""
_RIDGE = "ridge"  # how audits call the part of the head that is fitted in closed form
_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True)
class LayerLeakage:
    """R² of the best attack on one layer, wherever it learned and whatever pairs it knew.

    Attributes:
        model: SHA-256 of the audited model.
        activations_r2: of windows of records, rebuilt from the layer's activations.
        stream_r2: the same after `STREAM` releases; where one attack gave no number, None.
        update_r2: of rows, rebuilt from an update in which it is the lowest layer.

    None: not measured.
    """

    model: str
    activations_r2: float | None = None
    stream_r2: float | None = None
    update_r2: float | None = None

    @property
    def shown_r2(self) -> float | None:
        """Of a stream where that was attacked, else of one release."""
        return self.activations_r2 if self.stream_r2 is None else self.stream_r2


def layer_leakage(
    folder: Path, party: str, service: str, *, deep: bool = False, model: str = ""
) -> Mapping[str, LayerLeakage]:
    """Layer -> its leakage, by the audits of a party's network for a service.

    Layers that were not attacked are left out; the forecast is among them under its own name.

    Args:
        folder: the site's.
        deep: of an agency's encoder instead; its deep data are the layer `bottleneck`.
        model: that of this model alone; empty: of any.
    """
    asked = _Asked(folder, party, service, deep, model)
    return _read(asked, _stamp(folder / NAME))


@dataclass(frozen=True)
class _Asked:
    folder: Path
    party: str
    service: str
    deep: bool
    model: str

    def fits(self, subject: AuditSubject) -> bool:
        """Whether it asks for audits of that subject."""
        encoder = subject.deep_width is not None
        named = (subject.service, subject.party, encoder) == (self.service, self.party, self.deep)
        return named and self.model in ("", subject.model)


@lru_cache(maxsize=256)
def _read(asked: _Asked, _state: _Stamp) -> Mapping[str, LayerLeakage]:
    audits = read_audits(asked.folder, asked.folder.name).audits
    return leakage_in([one for one in audits if asked.fits(one.subject)])


def leakage_in(audits: Sequence[PartyAudit]) -> Mapping[str, LayerLeakage]:
    """Layer -> its leakage in audits of one model; of several the last one names it."""
    found = [one for audit in audits for one in audit.windows]
    windows = _by_layer((one.layer, one.r2) for one in found)
    streams = _by_layer((one.layer, one.r2) for one in found if one.stream == STREAM)
    updates = _by_layer(
        (HEAD if one.lowest == _RIDGE else one.lowest, one.r2)
        for audit in audits
        for one in audit.gradients
    )
    layers = {
        layer: LayerLeakage(
            audits[-1].subject.model,
            _best(windows.get(layer, ())),
            _best(streams.get(layer, ()), all_known=True),
            _best(updates.get(layer, ())),
        )
        for layer in {**windows, **updates}
    }
    return MappingProxyType(layers)


def _by_layer(found: Iterable[tuple[str, float]]) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    for layer, r2 in found:
        values.setdefault(layer, []).append(r2)
    return values


def _best(values: Iterable[float], *, all_known: bool = False) -> float | None:
    """The greatest that is a number; where all must be, None unless they are."""
    every = list(values)
    known = [one for one in every if isfinite(one)]
    return max(known) if known and not (all_known and len(known) < len(every)) else None


def _stamp(path: Path) -> _Stamp:
    """What tells that a file was changed: modification time, size and inode."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
