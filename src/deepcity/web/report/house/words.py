"""What left a party, to whom, for what and under which grant, and what it gives away, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from deepcity.audit.layer_leakage import STREAM
from deepcity.city.level import HEAD, STEM
from deepcity.exchange.exchange import COORDINATOR
from deepcity.runs.releases.outflow import LayerOutflow
from deepcity.store.release_ledger.release import ReleaseForm
from deepcity.store.release_ledger.totals import ReleaseTotal
from deepcity.web.report.figures import size
from deepcity.web.report.tables import level_words
from deepcity.web.report.text import Text, same, translate

_DOCUMENTS = frozenset({"claim", "result", "gradients"})
_FORMS = {
    ReleaseForm.MASKED: "house.masked",
    ReleaseForm.SPARSE: "house.sparse",
    ReleaseForm.DEEP_DATA: "house.deep_data",
}


@dataclass(frozen=True)
class HouseRow:
    """One kind of releases, as a row that people read."""

    what: Text
    receiver: Text
    purpose: Text
    grant: Text
    times: str
    bytes: str
    leakage: Text


def row(found: LayerOutflow, purposes: Mapping[str, Text]) -> HouseRow:
    """A row of the table.

    Args:
        purposes: service -> what it is for.
    """
    total, kind = found.total, found.total.kind
    return HouseRow(
        what=_what(total),
        receiver=_receiver(total),
        purpose=purposes.get(kind.service, same(kind.service)),
        grant=_grant(total),
        times=f"{total.times:,}",
        bytes=size(total.bytes),
        leakage=_leakage(found),
    )


def _what(total: ReleaseTotal) -> Text:
    kind = total.kind
    if kind.form is ReleaseForm.COUNTS:
        return translate("house.counts", name=kind.layer)
    if kind.form is ReleaseForm.SIGHTINGS:
        return translate("house.sightings", name=kind.layer)
    if kind.form is ReleaseForm.DOCUMENT:
        known = kind.layer in _DOCUMENTS
        return translate(f"house.document_{kind.layer if known else 'other'}", name=kind.layer)
    named = kind.layer in {STEM, HEAD}
    layer = translate(f"house.layer_{kind.layer}" if named else "house.layer", name=kind.layer)
    form = _FORMS.get(kind.form)
    return layer if form is None else translate(form, layer=layer)


def _receiver(total: ReleaseTotal) -> Text:
    if total.kind.receiver != COORDINATOR:
        return same(total.kind.receiver)
    fused = total.levels is not None
    return translate("house.coordinator_fuses" if fused else "house.coordinator")


def _grant(total: ReleaseTotal) -> Text:
    if total.kind.form in (ReleaseForm.COUNTS, ReleaseForm.SIGHTINGS) and total.grants:
        return same(", ".join(total.grants))
    if total.levels is None:
        return translate("house.grant_none")
    scope = _scope(total, *total.levels)
    return scope if not total.grants else scope + same("; " + ", ".join(total.grants))


def _scope(total: ReleaseTotal, low: int, high: int) -> Text:
    """The bound of the map: levels; of deep data cut levels."""
    if total.kind.form is ReleaseForm.DEEP_DATA:
        return translate("house.grant_cut", level=str(high) if low == high else f"{low}–{high}")
    return translate(
        "house.grant_common" if total.common_stem else "house.grant_private",
        levels=str(high) if low == high else f"{low}–{high}",
        layers=level_words(high),
    )


def _leakage(found: LayerOutflow) -> Text:
    """What an audit measured, else what the ledger states, else how to measure it."""
    kind, counts = found.total.kind, found.total.counts
    if counts is not None:
        return translate(
            "house.leak_counts",
            k=str(counts.k),
            unit=counts.unit,
            epsilon=_short(found.total.epsilon or counts.epsilon),
        )
    if kind.form is ReleaseForm.SIGHTINGS:
        return translate("house.leak_sightings")
    if kind.form is ReleaseForm.DOCUMENT:
        return translate("house.no_gradients" if kind.layer == "gradients" else "house.no_layer")
    measured = _measured(found)
    if measured is None:
        return translate("house.not_measured", party=kind.party) + _epsilon(found.total)
    if kind.form is ReleaseForm.MASKED:
        return translate("house.leak_masked") + measured + _epsilon(found.total)
    return measured + _epsilon(found.total)


def _epsilon(total: ReleaseTotal) -> Text:
    """What layers that were trained with noise have spent; nothing where there was none."""
    if total.epsilon is None:
        return same("")
    return translate("house.leak_epsilon", epsilon=_short(total.epsilon))


def _short(number: str) -> str:
    """A number of an entry without its last zeros."""
    return f"{float(number):g}"


def _measured(found: LayerOutflow) -> Text | None:
    known, stated = found.leakage, found.total.leakage
    if known is not None and known.stream_r2 is not None and found.total.kind.layer == HEAD:
        return translate("house.leak_head", parts=parts(known.stream_r2), n=STREAM)
    if known is not None and known.stream_r2 is not None:
        floor = None if found.floor is None else found.floor.stream_r2
        text = translate("house.leak_stream", parts=parts(known.stream_r2), n=STREAM)
        text += translate("house.leak_end") if floor is None else _floor(floor)
    elif known is not None and known.activations_r2 is not None:
        floor = None if found.floor is None else found.floor.activations_r2
        text = translate("house.leak", parts=parts(known.activations_r2))
        text += translate("house.leak_end") if floor is None else _floor(floor)
    elif stated is not None and stated.activations_r2 is not None:
        return translate("house.leak_stated", parts=parts(float(stated.activations_r2)))
    else:
        return None
    if known.update_r2 is None:
        return text
    return text + translate("house.leak_update", parts=parts(known.update_r2))


def _floor(r2: float) -> Text:
    return translate("house.leak_floor", parts=parts(r2))


def parts(r2: float) -> str:
    """An R² as parts of 100; an attack that is worse than a constant found nothing.

    >>> parts(0.118), parts(0.002), parts(-0.3)
    ('12', '<1', '0')
    """
    of_hundred = 100 * min(max(r2, 0.0), 1.0)
    return "<1" if 0 < of_hundred < 0.5 else f"{of_hundred:.0f}"
