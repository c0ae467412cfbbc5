"""Networks trained as a party's own is, on a part of its records: an attacker's shadows.

Shapes: T steps, N places, B origins, H horizon steps.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.audit.membership.audit_membership import MembershipVictim
from deepcity.audit.properties.attack import UpdateOf
from deepcity.audit.properties.properties import RecordsProperty, with_property
from deepcity.city.arrays import Floats, Ints
from deepcity.city.level import LADDER, Layers
from deepcity.data.windows import Span
from deepcity.learning.experts.expert import ExpertData
from deepcity.learning.experts.network import NetworkExpert, network_rows
from deepcity.learning.features.inputs import Inputs, fit_inputs
from deepcity.learning.networks.network import Network
from deepcity.learning.training.learner import Learner
from deepcity.learning.training.local_training import forecast

_ROWS = 40_000  # forecasts (place x origin) by which the errors of one network are measured


def membership_victim(data: ExpertData, field: str) -> MembershipVictim:
    """A party's records, and the way its networks learn from them."""
    column = data.panel.field_index(field)

    def shadow(values_TN: Floats, seed: int) -> Floats:
        network = NetworkExpert.fit(_shadow_data(data, field, values_TN, seed)).learner.network
        return _errors(network, data.inputs, data.train, data.aside)

    return MembershipVictim(
        data.panel.values_TNF[:, :, column], data.train, data.aside, data.panel.clock.step_s, shadow
    )


def property_updates(data: ExpertData, field: str, rounds: Collection[int]) -> UpdateOf:
    """What a party would send after so many rounds, had its records a property, or had they not.

    All begin with the same layers, as those that a coordinator hands out: their moves are told.
    """
    panel = data.panel
    zone = ZoneInfo(panel.clock.time_zone)
    days_T = [datetime.fromtimestamp(one, zone).weekday() for one in panel.time_T.tolist()]
    weekend_T, values_TN = np.array(days_T) >= 5, panel.values_TNF[:, :, panel.field_index(field)]

    def update_of(which: RecordsProperty, has: bool, seed: int) -> dict[int, Layers]:
        changed_TN = with_property(
            which, values_TN, weekend_T, data.train, panel.clock.step_s, has=has, seed=seed
        )
        of_shadow = _shadow_data(data, field, changed_TN, data.seed)
        learner = Learner(network_rows(of_shadow, of_shadow.inputs), data.training, data.seed)
        begun = learner.export(LADDER)
        found = {}
        for number in range(max(rounds)):
            learner.train_round(number)
            learner.receive({})
            if number + 1 in rounds:
                found[number + 1] = _moves(begun, learner.export(LADDER))
        return found

    return update_of


def _moves(begun: Layers, sent: Layers) -> Layers:
    return {
        layer: {name: sent[layer][name] - tensor for name, tensor in tensors.items()}
        for layer, tensors in begun.items()
    }


def _shadow_data(data: ExpertData, field: str, values_TN: Floats, seed: int) -> ExpertData:
    """A party's data with other records of its field, and the inputs that are fitted on them."""
    values_TNF = data.panel.values_TNF.copy()
    values_TNF[:, :, data.panel.field_index(field)] = values_TN
    panel = replace(data.panel, values_TNF=values_TNF)
    inputs = fit_inputs(
        panel,
        field,
        data.inputs.settings,
        data.train,
        panel.adjacency_NN,
        validation=data.aside,
        partly=data.inputs.short,
    )
    return replace(data, panel=panel, inputs=inputs, seed=seed, views={})


def _errors(network: Network, inputs: Inputs, train: Span, aside: Span) -> Floats:
    """Mean absolute error of all forecasts of a step, in each place's scale, (T, N)."""
    steps, places = inputs.values_TN.shape
    sums_TN, counts_TN = np.zeros((steps, places)), np.zeros((steps, places))
    for origins_B in (_origins(inputs, train, places), _origins(inputs, aside, places)):
        samples = inputs.samples(origins_B)
        error_BNH = np.abs(forecast(network, samples) - samples.truth_BNH)
        error_BNH /= samples.scale_N1
        for lead in range(error_BNH.shape[-1]):
            known_BN = np.isfinite(error_BNH[..., lead])
            sums_TN[origins_B + lead] += np.where(known_BN, error_BNH[..., lead], 0)
            counts_TN[origins_B + lead] += known_BN
    return np.where(counts_TN > 0, sums_TN / np.maximum(counts_TN, 1), np.nan)


def _origins(inputs: Inputs, span: Span, places: int) -> Ints:
    """Origins whose history and forecast lie in a span; of very many an even share."""
    window = inputs.settings
    found = np.arange(span.start + window.history, span.end - window.horizon + 1)
    return found[:: max(1, len(found) * places // _ROWS)]
