"""What happened after a decision: how the forecast behind it fared."""

from dataclasses import dataclass

import numpy as np

from deepcity.live.node.decision_book import KnownDecision
from deepcity.live.node.node import Node


@dataclass(frozen=True)
class Outcome:
    """A forecast and what was measured since.

    Attributes:
        measured: values that have been measured since.
        inside: share of them within the band.
        error: mean absolute error, in the field's unit.
    """

    measured: int
    inside: float
    error: float


def outcome_of(node: Node, made: KnownDecision) -> Outcome | None:
    """How the forecast of a decision fared; None while nothing has been measured since.

    Raises:
        StoreError: if the forecast cannot be read.
    """
    now = node.parties.get((made.service, made.party))
    if now is None:
        return None
    panel = node.panel(now.party.party.agency)
    if not len(panel.time_T) or int(panel.time_T[-1]) < made.origin_s:
        return None
    found = node.forecast(made.forecast)
    if found is None:
        return None
    part = panel.between(found.origin_s, found.until_s)
    truth_HN = part.values_TNF[:, :, panel.field_index(now.party.facts.field)]
    names = {place.id: at for at, place in enumerate(panel.places)}
    columns = [names[place] for place in found.places if place in names]
    rows = [at for at, place in enumerate(found.places) if place in names]
    truth_NH = truth_HN[:, columns].T
    steps = truth_NH.shape[1]
    value_NH, low_NH, high_NH = (
        one[rows][:, :steps] for one in (found.value_NH, found.low_NH, found.high_NH)
    )
    known_NH = np.isfinite(truth_NH) & np.isfinite(value_NH)
    if not known_NH.any():
        return None
    inside_NH = (low_NH <= truth_NH) & (truth_NH <= high_NH)
    error = float(np.abs(value_NH - truth_NH)[known_NH].mean())
    return Outcome(int(known_NH.sum()), float(inside_NH[known_NH].mean()), error)
