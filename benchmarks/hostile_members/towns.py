"""Synthetic towns: one law of the day and the week, other sizes, noise and slow swings."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from deepcity.applications.application import applications
from deepcity.city.arrays import Floats
from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.localized_text import LocalizedText
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.learning.features.inputs import WindowSettings
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.maps.city_map import Service
from deepcity.maps.grant_settings import GrantSettings
from deepcity.maps.map_settings import (
    ServiceSettings,
    SpanSettings,
    StrategySettings,
    WireSettings,
)
from deepcity.parties.party import Party, party_of

HISTORY = 12
"""Recent steps that a forecast uses one by one."""
DAYS, NEWCOMER_DAYS = 44, (1.0, 14.0)
TRAINING = TrainingSettings(rounds=6, local_steps=15, batch_size=32, refit_steps=24)


def service(rule: str = "fedavg", precision: str = "float16") -> Service:
    """A service that shares every layer, without members."""
    settings = ServiceSettings(
        name="water",
        application="water",
        parties=("*/*",),
        field="flow",
        experts=("network", "typical_day", "yesterday"),
        window=WindowSettings(history=HISTORY, horizon=6, days=2),
        training=TRAINING,
        strategy=StrategySettings.model_validate({"name": rule}),
        wire=WireSettings.model_validate({"precision": precision}),
        grant=GrantSettings(stem="common"),
        span=SpanSettings(validation_days=5, test_days=8),
    )
    return Service(settings, applications()["water"], ())


def town(of: Service, number: int, seed: int, days: float | None = None) -> Party:
    """A member, or a newcomer of so many days."""
    name = f"town-{number}/water"
    settings = of.settings
    if days is not None:
        span = settings.span.model_copy(update={"scarce": {name: days}})
        settings = settings.model_copy(update={"span": span, "newcomers": (name,)})
    panel = _panel(flows(number, seed))
    title = LocalizedText(name, name)
    return party_of(replace(of, settings=settings), name, title, panel, "flow")


def flows(number: int, seed: int) -> Floats:
    """(T, 1) hourly flows, L/s."""
    rng = np.random.default_rng((seed, number))
    hours = np.arange(DAYS * 24)
    weekend = np.where(hours // 24 % 7 >= 5, 0.8, 1.0)
    law = (10 + 3 * np.sin(2 * np.pi * hours / 24) + np.sin(4 * np.pi * hours / 24)) * weekend
    swing = np.zeros(len(hours))
    for hour in hours[1:]:
        swing[hour] = 0.9 * swing[hour - 1] + 0.4 * rng.standard_normal()
    found = (1 + number % 3) * (law + swing + 0.2 * rng.standard_normal(len(hours)))
    return np.asarray(found[:, None], np.float32)


def _panel(values_TN: Floats) -> Panel:
    return Panel(
        clock=Clock("UTC", timedelta(hours=1)),
        time_T=1_609_459_200 + 3600 * np.arange(len(values_TN)),
        places=(Place("place"),),
        fields=(Field("flow", Kind.FLOW, "L/s"),),
        values_TNF=values_TN[..., None],
    )
