"""The raw rows of all parties as one party: forbidden in practice, the upper bound of benchmarks.

Parties with one clock become one panel. Public holidays belong to a place, as a column does: where
calendars differ, each one's parties are prepared under their own and then stand side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from deepcity.city.arrays import Floats, Indices, Ints
from deepcity.city.clock import Clock
from deepcity.city.localized_text import LocalizedText
from deepcity.data.panel import Panel
from deepcity.data.windows import Span, Split
from deepcity.learning.features.inputs import Inputs, Samples, fit_inputs, train_origins
from deepcity.learning.training.learner import PartyData
from deepcity.maps.city_map import Service
from deepcity.parties.party import Party, prepare_party


class NotPooled(StrEnum):
    """Why raw rows of parties do not fit together."""

    ONE_PARTY = "one_party"
    FIELDS = "fields"  # they forecast different ones
    WINDOWS = "windows"
    STEPS = "steps"
    TIMES = "times"  # other days, or days that begin at another hour


def why_not_pooled(parties: Sequence[Party]) -> NotPooled | None:
    """Why raw rows cannot be pooled; None if they can."""
    first = parties[0]
    if len(parties) < 2:
        return NotPooled.ONE_PARTY
    if any(one.field != first.field for one in parties):
        return NotPooled.FIELDS
    if any(one.panel.clock.step != first.panel.clock.step for one in parties):
        return NotPooled.STEPS
    if any(one.inputs.settings != first.inputs.settings for one in parties):
        return NotPooled.WINDOWS
    if any(not np.array_equal(one.panel.time_T, first.panel.time_T) for one in parties):
        return NotPooled.TIMES
    return None


def can_pool(parties: Sequence[Party]) -> bool:
    """Whether raw rows fit together: same field, window, step and time steps."""
    return why_not_pooled(parties) is None


@dataclass(frozen=True)
class _Pool:
    """Parties of one clock as one, with samples masked outside each one's own spans."""

    party: Party
    train: Samples
    validation: Samples
    numbers: tuple[int, ...]  # of its parties among all


def pooled_party(service: Service, parties: Sequence[Party]) -> Party:
    """All parties' raw rows as one party, the upper bound without privacy.

    Rows before a scarce party's first day are masked, and each place is trained and validated
    only in its own spans. Scaling and ridge are fitted up to the last party's training day,
    which with a scarce party overlaps the others' validation days: an upper bound may use too
    much, never too little. No test day is used.
    """
    clocks: dict[Clock, list[int]] = {}
    for number, party in enumerate(parties):
        clocks.setdefault(party.panel.clock, []).append(number)
    test = parties[0].split.test
    first = min(party.split.validation.start for party in parties)
    train = Span(0, max(party.split.train.end for party in parties))  # a scarce party's is late
    whole = Split(Span(0, first), Span(first, test.start), test)
    pools = [_pool(service, parties, numbers, train, whole) for numbers in clocks.values()]
    order = _in_order(parties, pools)
    sizes = np.array([len(pool.party.panel.places) for pool in pools], dtype=np.float32)
    ridges = np.stack([pool.party.inputs.ridge_skip_HS for pool in pools])
    ridge_skip_HS = np.tensordot(sizes / sizes.sum(), ridges, 1).astype(np.float32)
    return replace(
        pools[0].party,
        panel=merged_panel(parties),
        data=PartyData(
            "pooled",
            _side_by_side([pool.train for pool in pools], order),
            _side_by_side([pool.validation for pool in pools], order),
            ridge_skip_HS if len(pools) > 1 else pools[0].party.inputs.ridge_skip_HS,
        ),
        test=_side_by_side([pool.party.test for pool in pools], order),
    )


def _pool(
    service: Service, parties: Sequence[Party], numbers: Sequence[int], train: Span, whole: Split
) -> _Pool:
    own = [parties[number] for number in numbers]
    panel, field, window = merged_panel(own), own[0].field, own[0].inputs.settings
    inputs: Inputs = fit_inputs(panel, field, window, train)
    title = LocalizedText("pooled", "통합")
    pooled = prepare_party(service, "pooled", title, panel, field, whole, inputs, None)
    chosen = train_origins(window, train)[:: service.settings.training.stride]
    return _Pool(
        pooled,
        _masked(inputs.samples(chosen), chosen, own, validating=False),
        _masked(pooled.data.validation, pooled.validation_origins, own, validating=True),
        tuple(numbers),
    )


def _in_order(parties: Sequence[Party], pools: Sequence[_Pool]) -> Indices:
    """Where each place stands among those of all pools, in the order of parties."""
    slices = place_slices(parties)
    placed = [np.arange(slices[n].start, slices[n].stop) for pool in pools for n in pool.numbers]
    return np.argsort(np.concatenate(placed))


def _side_by_side(parts: Sequence[Samples], order: Indices) -> Samples:
    """Samples of the same origins with the places of all parts, reordered."""
    if len(parts) == 1:
        return parts[0]

    def joined(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in parts], axis=1)[:, order]

    return Samples(
        features_BNF=joined("features_BNF"),
        linear_BNHS=joined("linear_BNHS"),
        baseline_BNH=joined("baseline_BNH"),
        truth_BNH=joined("truth_BNH"),
        scale_N1=np.concatenate([part.scale_N1 for part in parts])[order],
        recent=parts[0].recent,
    )


def merged_panel(parties: Sequence[Party]) -> Panel:
    """The field of all parties in one panel, under the first one's clock."""
    first = parties[0].panel
    columns = []
    for party in parties:
        index = party.panel.field_index(party.field)
        values = party.panel.values_TNF[:, :, index : index + 1].copy()
        values[: party.split.train.start] = np.nan
        columns.append(values)
    places = tuple(
        replace(place, id=f"{party.name}/{place.id}")
        for party in parties
        for place in party.panel.places
    )
    fields = (first.fields[first.field_index(parties[0].field)],)
    return Panel(first.clock, first.time_T, places, fields, np.concatenate(columns, axis=1))


def _masked(
    samples: Samples,
    origins_B: Ints,
    parties: Sequence[Party],
    *,
    validating: bool,
) -> Samples:
    """Mask truths outside each party's own span."""
    truth = samples.truth_BNH.copy()
    last_B = origins_B + truth.shape[-1]
    for party, places in zip(parties, place_slices(parties), strict=True):
        span = party.split.validation if validating else party.split.train
        outside = (origins_B < span.start) | (last_B > span.end)
        truth[outside, places] = np.nan
    return replace(samples, truth_BNH=truth)


def place_slices(parties: Sequence[Party]) -> list[slice]:
    """Positions of each party's places among the pooled ones."""
    ends = np.cumsum([len(party.panel.places) for party in parties])
    return [slice(int(e) - len(p.panel.places), int(e)) for p, e in zip(parties, ends, strict=True)]
