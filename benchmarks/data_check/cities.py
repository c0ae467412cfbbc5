"""Clean records to spoil: cities that never were, and real ones whose records are at hand."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.clock import Clock
from deepcity.city.errors import ConfigError, DataError
from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.data.check.file_report import view_of
from deepcity.data.check.rules import View
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.panel import Panel

Dice = np.random.Generator
ROOT = Path(__file__).parents[2]
CITIES = (ROOT / "cities", ROOT / "benchmarks" / "cities")
ROME = Clock("Europe/Rome", timedelta(hours=1))
BEGIN = 1_640_991_600  # midnight in Rome, 1 January 2022


def synthetic(dice: Dice) -> View:
    """A city that never was: streets, a power network, roads or a weather station, hourly."""
    sort = str(dice.choice(["streets", "roads", "power", "weather"]))
    days = int(dice.integers(120, 400))
    time_T = BEGIN + 3600 * np.arange(days * 24, dtype=np.int64)
    steps = np.arange(days * 24)
    if sort != "weather":  # people live by their clocks, also in summer
        steps = (ROME.local_seconds(time_T) - BEGIN) // 3600
    daily = np.sin(2 * np.pi * (steps % 24 - dice.uniform(7, 11)) / 24)
    second = np.sin(4 * np.pi * (steps % 24 - dice.uniform(0, 6)) / 24)
    rest = ((steps // 24) % 7 >= 5) * dice.uniform(0.1, 0.4)
    season = np.cos(2 * np.pi * (steps / 24 - dice.uniform(0, 365)) / 365)

    def noise(size: float, memory: float) -> Doubles:
        shocks = dice.normal(size=len(steps)) * size * np.sqrt(1 - memory**2)
        return np.convolve(shocks, memory ** np.arange(400))[: len(steps)]

    places = 1 if sort == "weather" else int(dice.integers(4, 9))
    if sort == "weather":
        warm = 14 + 9 * season + 4 * daily + noise(3, 0.97)
        wet = np.clip(65 - 14 * daily + noise(10, 0.95), 12, 100)
        wind = np.abs(3 + daily + noise(1.4, 0.9))
        air = 1013 + noise(7, 0.99)
        columns = np.stack([warm, wet, wind, air], axis=-1)[:, None]
        fields = (
            Field("temperature", Kind.TEMPERATURE, "degC"),
            Field("humidity", Kind.HUMIDITY, "%"),
            Field("wind", Kind.WIND, "m/s"),
            Field("pressure", Kind.PRESSURE, "hPa"),
        )
        return _view(columns, fields)
    shared = noise(0.08, 0.8)
    parts = []
    for _ in range(places):
        own = 1 + 0.45 * daily + dice.uniform(0.1, 0.4) * second - rest + shared + noise(0.06, 0.6)
        if sort == "roads":
            parts.append(np.clip(62 + dice.normal(0, 3) - 9 * np.clip(own, 0, 3), 8, 75))
        elif sort == "power":
            parts.append(np.clip(own + 0.6, 0.2, 9) * dice.uniform(80, 300))
        else:
            parts.append(dice.poisson(np.clip(own, 0.02, 9) * dice.uniform(30, 900)).astype(float))
    kind, unit = {
        "roads": (Kind.SPEED, "mph"), "power": (Kind.LOAD, "MW"), "streets": (Kind.COUNT, "people"),
    }[sort]  # fmt: skip
    return _view(np.stack(parts, axis=-1)[:, :, None], (Field(sort, kind, unit),))


def _view(values_TNF: Doubles, fields: tuple[Field, ...]) -> View:
    time_T = BEGIN + 3600 * np.arange(len(values_TNF), dtype=np.int64)
    places = tuple(Place(f"p{n}") for n in range(values_TNF.shape[1]))
    panel = Panel(ROME, time_T, places, fields, values_TNF.astype(np.float32))
    return View("agency", panel, tuple(field.unit for field in fields))


def real() -> list[View]:
    """Every agency of every city file that loads here, at most 30 places of each."""
    found = []
    for path in sorted(path for folder in CITIES for path in folder.glob("*.toml")):
        try:
            city = load_city(path)
            for agency in city.settings.agency:
                view = view_of(city, agency.name, load_panel(city, agency.name))
                found.append(_thin(view, f"{city.city.name}/{agency.name}"))
        except (ConfigError, DataError):
            continue  # a map, or records that are not at hand
    return found


def _thin(view: View, name: str) -> View:
    """At most 30 places, under a full name."""
    panel, every = view.panel, max(1, -(-len(view.panel.places) // 30))
    values = panel.values_TNF[:, ::every]
    panel = Panel(panel.clock, panel.time_T, panel.places[::every], panel.fields, values)
    headers = tuple(
        {n // every: text for n, text in one.items() if n % every == 0} for one in view.headers_F
    )
    return View(name, panel, view.units_F, headers_F=headers)


def stretch(view: View, dice: Dice) -> View:
    """A random stretch of 60 to 300 days, or all there is."""
    per_day = view.panel.clock.steps_per_day
    days = len(view.panel.time_T) // per_day
    length = min(days, int(dice.integers(60, 301))) * per_day
    start = int(dice.integers(0, len(view.panel.time_T) - length + 1))
    panel = view.panel
    part = Panel(
        panel.clock, panel.time_T[start : start + length], panel.places, panel.fields,
        panel.values_TNF[start : start + length],
    )  # fmt: skip
    return replace(view, panel=part)
