"""A small city for meetings: half of what drives a flow is known to another agency alone."""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.localized_text import LocalizedText
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.learning.features.agency_columns import ColumnSettings, cell_number, fit_columns
from deepcity.learning.features.inputs import Inputs, WindowSettings, fit_inputs, train_origins
from deepcity.learning.networks.fused import Cut, new_fused
from deepcity.learning.networks.network import Shape
from deepcity.learning.split.agency_learner import AgencyLearner, EncoderSettings
from deepcity.learning.split.cell_matching import match_cells
from deepcity.learning.split.fused_learner import FusedLearner
from deepcity.learning.split.labels import HeldLabels
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.maps.vertical_settings import Mode
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.vertical.agency_party import AgencyParty
from deepcity.vertical.training import VerticalPlan

SERVICE, SALT, APPLICATION = "flows", "salt", "coordinator"
WINDOW = WindowSettings(history=3, horizon=1, days=0)
COLUMNS = ColumnSettings(history=1)
QUICK = TrainingSettings(
    rounds=3, local_steps=15, batch_size=192, learning_rate=1e-2, dropout=0, noise=0
)
PLACES = (Place("a", 52.52, 13.40), Place("b", 48.14, 11.58))


def panel_of(values_TNF, places=PLACES, *, step_minutes=60, zone="UTC", first=1_600_041_600):
    """Any values as a panel; begins at a midnight UTC."""
    clock = Clock(zone, timedelta(minutes=step_minutes))
    values = np.asarray(values_TNF, np.float32)
    fields = [
        Field(f"f{i}", Kind.FLOW, "L/s", LocalizedText("f", "f")) for i in range(values.shape[2])
    ]
    time_T = first + clock.step_s * np.arange(len(values), dtype=np.int64)
    return Panel(clock, time_T, tuple(places), tuple(fields), values)


@dataclass
class Town:
    """The application's inputs, the panels of two agencies, and spans."""

    inputs: Inputs
    panels: dict[str, Panel]
    train: Span
    train_rows: np.ndarray
    validation_rows: np.ndarray

    @property
    def time_T(self):
        return self.panels["office"].time_T

    def samples(self, rows):
        return self.inputs.samples(rows)


def town(seed=0, days=24):
    """The office's column of the step before drives the flow; the mill's says nothing."""
    rng = np.random.default_rng(seed)
    steps = days * 24
    driver_TN, noise_TN, mill_TN = rng.normal(0, 1, (3, steps, len(PLACES)))
    hour_T = np.arange(steps) % 24
    flow_TN = 20 + 3 * np.sin(2 * np.pi * hour_T / 24)[:, None] + noise_TN
    flow_TN[1:] += driver_TN[:-1]
    train = Span(0, (days - 6) * 24)
    inputs = fit_inputs(panel_of(flow_TN[..., None]), "f0", WINDOW, train)
    # an echo, so that to foretell its own columns it must say what drives the flow
    lagged_TNF = np.stack([driver_TN, np.roll(driver_TN, 1, axis=0)], axis=-1)
    panels = {"office": panel_of(lagged_TNF * 4 + 9), "mill": panel_of(mill_TN[..., None])}
    rows = np.arange(train.end, steps)
    return Town(inputs, panels, train, train_origins(WINDOW, train), rows)


def agencies(place, names, *, seed=0, level=3, width=2, taught=60, dropout=None):
    """Encoders over the named agencies' columns."""
    settings = EncoderSettings(level=level, width=width, batch_size=96, rate=3e-3)
    found = {}
    for name in names:
        columns = fit_columns(place.panels[name], COLUMNS, place.train, SALT)
        found[name] = AgencyLearner(name, columns, settings, seed, 3600)
        if dropout is not None:
            without_dropout(found[name].encoder)
        if taught:
            found[name].pretrain(place.time_T[place.train_rows], taught)
        slower(found[name])
    return found


def slower(learner, rate=1e-3):
    """Having taught itself in few steps, it follows others with care."""
    learner.settings = replace(learner.settings, rate=rate)
    learner._optimizer.rate = rate


def without_dropout(module):
    for part in module.modules():
        if hasattr(part, "dropout"):
            part.dropout = 0.0


def parties(learners, **labels):
    """Each behind a grant of its own."""
    return {
        name: AgencyParty(
            learner, DeepGrant(agency=name, service=SERVICE), SERVICE, APPLICATION, labels.get(name)
        )
        for name, learner in learners.items()
    }


def application(
    place, names, *, settings=QUICK, seed=0, level=3, width=2, agency_dropout=0.0, **how
):
    """An application that listens to the named agencies."""
    train, validation = place.samples(place.train_rows), place.samples(place.validation_rows)
    shape = Shape(
        train.features_BNF.shape[-1],
        1,
        linear_features=place.inputs.ridge_skip_HS.shape[-1],
        recent=train.recent,
    )
    cut = Cut(level, dict.fromkeys(names, width), agency_dropout)
    own = how.get("own", True)
    network = new_fused(
        shape, cut, seed, own=own, dropout=settings.dropout, input_dropout=0.0, noise=0.0
    )
    labels = how.get("labels") or HeldLabels(train, validation, settings.mae_weight)
    cells = [cell_number(where, SALT) for where in PLACES]
    matches = {name: match_cells(cells, columns_cells(place, name)) for name in names}
    return FusedLearner(network, train, validation, labels, matches, settings)


def columns_cells(place, name):
    return fit_columns(place.panels[name], COLUMNS, place.train, SALT).cells.cell_C


def plan(place, mode, *, settings=QUICK, seed=0):
    """All training and validation origins."""
    times = place.time_T[place.train_rows], place.time_T[place.validation_rows]
    return VerticalPlan(Mode(mode), settings.rounds, settings.local_steps, *times, seed)


def exchange_of(handlers):
    return InProcessExchange(handlers)
