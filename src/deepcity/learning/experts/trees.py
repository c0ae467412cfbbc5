"""Gradient-boosted trees as an expert (LightGBM, Ke et al. 2017).

One model for all places and steps of a party. A row is one place and step ahead: the
network's features of the place, the linear features of the step, its typical value, and how far
ahead it lies. The trees learn the deviation from the typical day in scaled units, as networks do.
One thread and a fixed seed: the same rows give the same trees.

Shapes: B origins, N places, H horizon steps, R rows, X columns of a row.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import ExpertError
from deepcity.learning.experts.expert import Arrays, Expert, ExpertData, FreshRows, part
from deepcity.learning.experts.forest import Forest, read_text
from deepcity.learning.features.inputs import Inputs, Samples
from deepcity.learning.training.local_training import party_seed

MAX_ROWS = 60_000  # trained on, sampled among all
MAX_STEPS = 50_000  # places x horizon; each takes some 6 us, and a forecast shall be there at once
CHUNK_ROWS = 65_536  # forecast at once, so that they fit a small memory
TREES = 200
LEAST_DAYS = 3.0
SETTINGS: dict[str, Any] = {
    "learning_rate": 0.05,
    "num_leaves": 15,
    "max_depth": 6,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True, eq=False)
class Trees(Expert):
    """A party's trees, the inputs that scale their rows, and the columns of a row."""

    forest: Forest
    inputs: Inputs
    columns: int
    kind: ClassVar[str] = "trees"

    @classmethod
    def prior(cls, data: ExpertData) -> float:
        """A tenth; none where hardly any day is known, no window is whole, or places are many."""
        if data.inputs.values_TN.shape[1] * data.inputs.settings.horizon > MAX_STEPS:
            return 0.0
        enough = data.known_days >= LEAST_DAYS and not data.inputs.short
        return 0.1 if enough and len(data.train_B) else 0.0

    @classmethod
    def fit(cls, data: ExpertData) -> Self:
        """Train on rows sampled from the training span."""
        return cls._trained(data, [(data.train_B, data.train.end)], data.seed)

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts, (B, N, H)."""
        shape = samples.baseline_BNH.shape
        output_BNH = np.empty(shape, np.float32)
        step = max(1, CHUNK_ROWS // max(1, shape[1] * shape[2]))
        for start in range(0, shape[0], step):
            chosen = slice(start, start + step)
            rows_RX = _rows(samples, self.inputs, chosen)
            if len(rows_RX):
                output_BNH[chosen] = self.forest.predict(rows_RX).reshape(-1, *shape[1:])
        return np.asarray(samples.baseline_BNH + samples.scale_N1 * output_BNH)

    def update(self, data: ExpertData, fresh: FreshRows) -> tuple[Self, float]:
        """Train again, on rows of the training span and the fresh ones."""
        spans = [(data.train_B, data.train.end), (fresh.origins_B, len(data.inputs.values_TN))]
        return self._trained(data, spans, fresh.seed), 1.0

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The trees' nodes and leaves."""
        found = {one.name: getattr(self.forest, one.name) for one in fields(Forest)}
        return {**found, "columns": np.array([self.columns])}

    @classmethod
    def from_arrays(cls, arrays: Arrays, data: ExpertData) -> Self:
        """From trees that split on columns of the party's rows; LightGBM is not needed."""

        def array(name: str, dtype: type) -> NDArray[Any]:
            return part(cls, arrays, name, dtype, (-1,))

        forest = Forest(
            leaves_T=array("leaves_T", np.int64),
            column_K=array("column_K", np.int64),
            threshold_K=array("threshold_K", np.float64),
            left_K=array("left_K", np.int64),
            right_K=array("right_K", np.int64),
            value_L=array("value_L", np.float64),
        )
        columns = _rows(data.inputs.samples(data.aside_B[:1]), data.inputs).shape[1]
        fault = forest.fault(columns)
        if int(part(cls, arrays, "columns", np.int64, (1,))[0]) != columns:
            fault = f"its rows had {arrays['columns'][0]} columns, the party's have {columns}"
        if fault:
            msg = f"expert {cls.kind!r}: {fault}; put the settings back, or run the map anew"
            raise ExpertError(msg)
        return cls(forest, data.inputs, columns)

    @classmethod
    def _trained(cls, data: ExpertData, spans: list[tuple[Ints, int]], seed: int) -> Self:
        import lightgbm

        seed = party_seed(seed, f"{data.party}/trees", 0)
        rng = np.random.default_rng(seed)
        most = MAX_ROWS // len(spans)
        parts = [part for span in spans for part in _training_rows(data.inputs, *span, most, rng)]
        rows_RX, target_R = (np.concatenate(list(found)) for found in zip(*parts, strict=True))
        if len(target_R) < 2:  # bagging would leave no row: the typical day stands
            rows_RX, target_R = np.zeros_like(rows_RX, shape=(2, rows_RX.shape[1])), np.zeros(2)
        loss = "regression_l1" if data.training.mae_weight >= 0.5 else "regression"
        settings = {**SETTINGS, "objective": loss, "seed": seed % 2**31}
        learned = lightgbm.Dataset(rows_RX, target_R, params=settings, free_raw_data=True)
        model = lightgbm.train(settings, learned, TREES)
        return cls(read_text(model.model_to_string()), data.inputs, rows_RX.shape[1])


def _training_rows(
    inputs: Inputs, origins_B: Ints, until: int, most: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Floats]]:
    """Rows and their measured deviations, about `most` of them, sampled at random."""
    horizon, places = inputs.settings.horizon, inputs.values_TN.shape[1]
    steps = min(len(origins_B), max(1, 4 * most // (horizon * places)))
    share = most / (steps * horizon * places)
    chosen = np.sort(rng.choice(origins_B, steps, replace=False))
    step = max(1, CHUNK_ROWS // (horizon * places))
    for start in range(0, steps, step):
        samples = inputs.samples(chosen[start : start + step], until=until)
        target_R = samples.target_BNH.reshape(-1)
        taken = np.isfinite(target_R) & (rng.random(len(target_R)) < share)
        yield _rows(samples, inputs)[taken], target_R[taken]


def _rows(samples: Samples, inputs: Inputs, chosen: slice = slice(None)) -> Floats:
    """(R, X): one row a place and step ahead of the chosen origins."""
    baseline_BNH = samples.baseline_BNH[chosen]
    shape, horizon = baseline_BNH.shape, baseline_BNH.shape[-1]
    features_BNF = samples.features_BNF[chosen]
    wide = (*shape, features_BNF.shape[-1])
    typical_BNH = (baseline_BNH - inputs.mean_N1) / inputs.spread_N1
    parts = [
        np.broadcast_to(features_BNF[:, :, None], wide),
        samples.linear_BNHS[chosen],
        typical_BNH[..., None],
        np.broadcast_to(np.arange(horizon)[:, None], (*shape, 1)),
    ]
    rows = np.concatenate(parts, axis=-1, dtype=np.float32)
    return np.asarray(rows.reshape(-1, rows.shape[-1]))


EXPERT = Trees
