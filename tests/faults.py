"""Clean series that never were, and the faults that people put into them."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.data.check.rules import View, run_rules
from deepcity.data.panel import Panel

ROME = Clock("Europe/Rome", timedelta(hours=1))
BEGIN = 1_640_991_600  # midnight in Rome, 1 January 2022
LOADS = (Field("load", Kind.LOAD, "MW"),)
STREETS = (Field("people", Kind.COUNT, "people"),)
ROADS = (Field("speed", Kind.SPEED, "mph"),)
WEATHER = (
    Field("temperature", Kind.TEMPERATURE, "degC"),
    Field("humidity", Kind.HUMIDITY, "%"),
    Field("wind", Kind.WIND, "m/s"),
    Field("pressure", Kind.PRESSURE, "hPa"),
)


def view_of(values_TNF, fields, agency="office", clock=ROME):
    """Hourly values from midnight in Rome on, as a view."""
    time_T = BEGIN + 3600 * np.arange(len(values_TNF), dtype=np.int64)
    places = tuple(Place(f"p{n}") for n in range(values_TNF.shape[1]))
    panel = Panel(clock, time_T, places, fields, np.asarray(values_TNF, np.float32))
    return View(agency, panel, tuple(field.unit for field in fields))


def memory(dice, count, size, keep):
    """Noise that lasts: each step keeps a share of the one before."""
    shocks = dice.normal(size=count) * size * np.sqrt(1 - keep**2)
    return np.convolve(shocks, keep ** np.arange(400))[:count]


def busy(seed, days=150, places=5):
    """(T, N): how busy places are, 1 on average, by people's clocks."""
    dice = np.random.default_rng(seed)
    utc = BEGIN + 3600 * np.arange(days * 24, dtype=np.int64)
    hour = (ROME.local_seconds(utc) - BEGIN) // 3600
    daily = np.sin(2 * np.pi * (hour - dice.uniform(7, 11)) / 24)
    second = np.sin(4 * np.pi * (hour - dice.uniform(0, 6)) / 24)
    rest = (hour // 24 % 7 >= 5) * 0.3
    shared = memory(dice, len(hour), 0.08, 0.8)
    columns = [
        1 + 0.45 * daily + dice.uniform(0.15, 0.4) * second - rest + shared
        + memory(dice, len(hour), 0.06, 0.6)
        for _ in range(places)
    ]  # fmt: skip
    return np.clip(np.stack(columns, axis=-1), 0.05, None), dice


def streets(seed, days=150, places=5):
    level_TN, dice = busy(seed, days, places)
    people = dice.poisson(level_TN * dice.uniform(50, 900, size=places))
    return view_of(people[:, :, None].astype(float), STREETS)


def loads(seed, days=150, places=5):
    level_TN, dice = busy(seed, days, places)
    size = dice.uniform(80, 300, size=places)  # even at night some lamps burn
    return view_of(((level_TN + 0.6) * size)[:, :, None], LOADS)


def roads(seed, days=60, places=6):
    level_TN, dice = busy(seed, days, places)
    free = 62 + dice.normal(0, 2.5, size=places)
    return view_of(np.clip(free - 9 * level_TN, 8, 75)[:, :, None], ROADS)


def weather(seed, days=150):
    dice, count = np.random.default_rng(seed), days * 24
    hour = np.arange(count)
    daily, season = np.sin(2 * np.pi * (hour - 9) / 24), np.cos(2 * np.pi * hour / 8766)
    columns = [
        14 - 9 * season + 4 * daily + memory(dice, count, 3, 0.97),
        np.clip(65 - 14 * daily + memory(dice, count, 10, 0.95), 12, 100),
        np.abs(3 + daily + memory(dice, count, 1.4, 0.9)),
        1013 + memory(dice, count, 7, 0.99),
    ]
    return view_of(np.stack(columns, axis=-1)[:, None], WEATHER)


def late(values, hours):
    """The same values so many hours later (earlier if negative); NaN where none are known."""
    out = np.full_like(values, np.nan)
    if hours > 0:
        out[hours:] = values[:-hours]
    elif hours < 0:
        out[:hours] = values[-hours:]
    else:
        out = values.copy()
    return out


def found(*views):
    return [f for fs in run_rules(views).values() for f in fs]


def of(view, what):
    return [finding for finding in found(view) if finding.what == what]


def spoilt(view, change):
    """The view after `change` of its values (T, N, F), made in place on a copy."""
    values = view.panel.values_TNF.astype(np.float64)
    change(values)
    panel = replace(view.panel, values_TNF=values.astype(np.float32))
    return replace(view, panel=panel)


def day(view, step):
    return view.when(step)[:10]
