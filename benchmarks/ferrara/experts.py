"""The experts of a district: what all learned together, and what is its own.

Shapes: E experts, O origins, N districts, H hours of a week (168).
"""

from collections.abc import Sequence

import numpy as np

from benchmarks.ferrara.blend import apply_blend, fit_blend
from benchmarks.ferrara.boosted_trees import TreeSettings, grow
from benchmarks.ferrara.step_rows import step_rows
from benchmarks.ferrara.weeks import DAY, FIELD, WEEK, WINDOW, District, Floats, Ints, Week
from deepcity.city.level import ALONE, MAX_LEVEL
from deepcity.intercity.method import Method
from deepcity.learning.features.inputs import Samples
from deepcity.learning.features.ridge_skip import apply_ridge_skip
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.maps.grant_settings import GrantSettings
from deepcity.maps.map_settings import ServiceSettings
from deepcity.runs.trainings import train_parties

SERVICE = ServiceSettings(
    name="water-week",
    application="water",
    parties=("ferrara/district-*",),
    field=FIELD,
    window=WINDOW.model_copy(update={"leads": 1}),  # samples carry the seven days
    training=TrainingSettings(
        rounds=20,
        local_steps=30,
        batch_size=64,
        learning_rate=1e-3,
        weight_decay=1e-2,
        dropout=0.2,
        input_dropout=0.1,
        mae_weight=1.0,
    ),
    grant=GrantSettings(stem="common"),
)
EXPERTS = ("together", "recall and trees", "day process")
TOGETHER = EXPERTS.index("together")
TREES = TreeSettings()
STRIDE = 2  # trees learn from every other day
# By rolling origins the day process errs least, and the two others together are its equal:
# they see the last hours, and it weighs all days.
PRIOR = (1.0, 1.0, 2.0)
SHRINK = 10.0
HOURS = (slice(0, DAY), slice(DAY, None))  # weights of their own: the first day, the others


def together(week: Week, origins_O: Ints, seed: int, level: int = MAX_LEVEL) -> Floats:
    """Forecasts (O, N, H) after all districts learned at one level."""
    parties = [district.party for district in week.districts]
    name = f"level_{level}" if level > ALONE else "alone"
    method = Method(name, {party.name: level for party in parties})
    _, learners = train_parties(SERVICE, parties, seed, method)
    columns = []
    for district in week.districts:
        parts = _parts(district, origins_O)
        predicted = [learners[district.party.name].forecast(part)[:, 0] for part in parts]
        columns.append(np.concatenate(predicted, axis=-1))
    return np.stack(columns, axis=1)


def private(week: Week, origins_O: Ints) -> Floats:
    """Forecasts (2, O, N, H) of the experts that each district has for itself."""
    return np.stack([_private(district, origins_O) for district in week.districts], axis=2)


def all_experts(private_EONH: Floats, together_ONH: Floats) -> Floats:
    """In the order of `EXPERTS`."""
    return np.insert(private_EONH, TOGETHER, together_ONH, axis=0)


def weigh(forecast_EONH: Floats, truth_ONH: Floats) -> list[list[np.ndarray]]:
    """Each district's weights for the first day and for the six others."""
    return [
        [
            fit_blend(
                _cut(forecast_EONH, n, hours),
                _cut(truth_ONH, n, hours),
                prior_E=PRIOR,
                shrink=SHRINK,
            )
            for hours in HOURS
        ]
        for n in range(truth_ONH.shape[1])
    ]


def blend(forecast_EONH: Floats, weights: Sequence[Sequence[np.ndarray]]) -> Floats:
    """Forecasts (O, N, H) by each district's weights."""
    columns = [
        np.concatenate(
            [
                apply_blend(_cut(forecast_EONH, n, hours), found)
                for found, hours in zip(own, HOURS, strict=True)
            ],
            axis=-1,
        )
        for n, own in enumerate(weights)
    ]
    return np.concatenate(columns, axis=1)


def _cut(values: Floats, district: int, hours: slice) -> Floats:
    return values[..., district : district + 1, hours]


def _parts(district: District, origins_O: Ints) -> list[Samples]:
    return [district.exogenous.samples(origins_O, lead) for lead in range(WINDOW.leads)]


def _private(district: District, origins_O: Ints) -> Floats:
    """(2, O, H): trees beyond what is recalled, and the days as a process."""
    trees = _recall_and_trees(district, origins_O)
    return np.stack([trees, district.days.forecast(origins_O, WEEK)[:, 0]])


def _recall_and_trees(district: District, origins_O: Ints) -> Floats:
    """(O, H): what is recalled, corrected by trees."""
    rows, left = [], []
    for lead, (midnights, part) in enumerate(zip(district.midnights, district.parts, strict=True)):
        chosen = np.arange(len(midnights))[::-1][::STRIDE][::-1]
        thin = _chosen(part, chosen)
        recall = _recalled(district, thin)
        rows.append(_rows(district, thin, midnights[chosen], lead, recall))
        left.append((thin.target_BNH - recall).reshape(-1))
    trees = grow(np.concatenate(rows), np.concatenate(left), TREES)
    days = []
    for lead, part in enumerate(_parts(district, origins_O)):
        recall = _recalled(district, part)
        asked = _rows(district, part, origins_O, lead, recall)
        predicted = recall + trees.predict(asked).reshape(recall.shape)
        days.append((part.baseline_BNH + part.scale_N1 * predicted)[:, 0])
    return np.concatenate(days, axis=-1)


def _recalled(district: District, part: Samples) -> Floats:
    return apply_ridge_skip(part.linear_BNHS, district.exogenous.ridge_skip_HS)


def _rows(
    district: District, part: Samples, origins: Ints, lead: int, recall_BNH: Floats
) -> Floats:
    rows = step_rows(district.exogenous, part, district.party.panel.time_T, origins, lead)
    return np.concatenate([rows, recall_BNH[..., None]], axis=-1).reshape(recall_BNH.size, -1)


def _chosen(part: Samples, chosen: np.ndarray) -> Samples:
    return Samples(
        part.features_BNF[chosen],
        part.linear_BNHS[chosen],
        part.baseline_BNH[chosen],
        part.truth_BNH[chosen],
        part.scale_N1,
        part.recent,
    )
