"""Small panels of made-up flows, and learners around them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.localized_text import LocalizedText
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.features.inputs import WindowSettings, fit_inputs, train_origins
from deepcity.learning.training.learner import Learner, PartyData
from deepcity.learning.training.local_training import TrainingSettings

SHORT = WindowSettings(history=6, horizon=6, days=3)
QUICK = TrainingSettings(rounds=3, local_steps=4, batch_size=16, refit_steps=6)


def panel(days=40, places=2, *, seed=0, step_minutes=60, zone="UTC", start="2021-02-01"):
    """A flow with a daily and a weekly law, slow drift and noise."""
    clock = Clock(zone, timedelta(minutes=step_minutes))
    first = int(datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone)).timestamp())
    time_T = first + clock.step_s * np.arange(days * clock.steps_per_day, dtype=np.int64)
    rng = np.random.default_rng(seed)
    hour_T = clock.local_seconds(time_T) / 3600
    law_T = np.sin(2 * np.pi * hour_T / 24) + 0.4 * np.cos(2 * np.pi * hour_T / 168)
    drift_TN = rng.normal(0, 0.05, (len(time_T), places)).cumsum(axis=0) * 0.5
    noise_TN = rng.normal(0, 0.2, (len(time_T), places))
    values_TN = 10 + 3 * law_T[:, None] + drift_TN + noise_TN
    return Panel(
        clock,
        time_T,
        tuple(Place(f"p{index}") for index in range(places)),
        (Field("flow", Kind.FLOW, "L/s", LocalizedText("flow", "유량")),),
        values_TN[:, :, None].astype(np.float32),
    )


def party_data(whole, settings=SHORT, *, name="town/office", validation_days=6):
    """Training and validation samples of a panel."""
    steps = len(whole.time_T)
    train = Span(0, steps - validation_days * whole.clock.steps_per_day)
    inputs = fit_inputs(whole, "flow", settings, train)
    chosen = np.arange(train.end, steps - settings.horizon + 1)
    return PartyData(
        name,
        inputs.samples(train_origins(settings, train)),
        inputs.samples(chosen[::3]),
        inputs.ridge_skip_HS,
    )


def learner(seed=0, *, data=None, settings=QUICK, **how):
    """A small learner on a small panel."""
    return Learner(data or party_data(panel()), settings, seed, **how)
