"""A small town whose rain decides half of how many ride: trained once, then lived in hour by hour.

The metro forecasts boardings at three stations; the weather office (one place) and the ticket
gates (the same three) are two agencies with rows of their own.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from deepcity.data.city_file import CityFile, load_city, load_panel
from deepcity.data.panel import Panel
from deepcity.data.windows import Span, origins
from deepcity.learning.features.agency_columns import (
    Columns,
    ColumnSettings,
    cell_number,
    fit_columns,
)
from deepcity.learning.features.inputs import Inputs, WindowSettings, fit_inputs, train_origins
from deepcity.learning.networks.fused import Cut, new_fused
from deepcity.learning.networks.network import Shape
from deepcity.learning.split.agency_learner import AgencyLearner, EncoderSettings
from deepcity.learning.split.cell_matching import match_cells
from deepcity.learning.split.encoder_package import (
    EncoderFacts,
    EncoderPackage,
    TimeGrid,
    package_encoder,
    save_encoder,
)
from deepcity.learning.split.fused_learner import FusedLearner
from deepcity.learning.split.fused_package import (
    FusedFacts,
    FusedPackage,
    InputAgency,
    package_fused,
    save_fused,
)
from deepcity.learning.split.labels import HeldLabels
from deepcity.learning.training.local_training import TrainingSettings

HOUR, DAY = 3600, 86_400
START = 19_844 * DAY  # 2024-05-01
LEARNED_DAYS, DAYS = 24, 28  # the rest is lived in
NOW = START + LEARNED_DAYS * DAY
ROUNDS, STEPS = 5, 40
SERVICE, SALT = "ridership", "town-2024"
WINDOW = WindowSettings(history=4, horizon=2, days=2)
STATIONS = ((37.50, 127.00), (37.52, 127.03), (37.55, 127.06))
TOWN = """
name = "town"
title = { en = "Town", ko = "마을" }
[clock]
time_zone = "UTC"
step = "1h"
[[source]]
name = "riders"
format = "csv"
path = "riders.csv"
time = { column = "time" }
[[source]]
name = "sky"
format = "csv"
path = "sky.csv"
time = { column = "time" }
[[source]]
name = "gates"
format = "csv"
path = "gates.csv"
time = { column = "time" }
[[agency]]
name = "metro"
title = { en = "Metro", ko = "지하철" }
domain = "transport"
fields = [{ name = "boardings", kind = "count", unit = "passengers", source = "riders" }]
places = [
  { id = "a", lat = 37.50, lon = 127.00 },
  { id = "b", lat = 37.52, lon = 127.03 },
  { id = "c", lat = 37.55, lon = 127.06 },
]
[[agency]]
name = "weather"
title = { en = "Weather", ko = "날씨" }
domain = "environment"
fields = [
  { name = "rain", kind = "share", unit = "1", source = "sky", column = "rain" },
  { name = "wind", kind = "share", unit = "1", source = "sky", column = "wind" },
]
places = [{ id = "town", lat = 37.51, lon = 127.01 }]
[[agency]]
name = "gates"
title = { en = "Gates", ko = "개찰구" }
domain = "transport"
fields = [{ name = "exits", kind = "count", unit = "passengers", source = "gates" }]
places = [
  { id = "a", lat = 37.50, lon = 127.00 },
  { id = "b", lat = 37.52, lon = 127.03 },
  { id = "c", lat = 37.55, lon = 127.06 },
]
"""


def records(days: int = DAYS) -> dict[str, list[str]]:
    """Each file's lines, a row an hour; those of another number of days have other values."""
    rng = np.random.default_rng(0)
    hour = np.arange(days * 24)
    rain = np.clip(rng.normal(0, 1, len(hour)), -2, 2)  # its own hour tells the next ride
    usual = 160 + 60 * np.sin(2 * np.pi * hour / 24)
    ride = usual[:, None] - 20 * np.roll(rain, 1)[:, None] + rng.normal(0, 4, (len(hour), 3))
    leave = np.roll(ride, 1, axis=0) * 0.9 + rng.normal(0, 4, (len(hour), 3))
    sky = np.stack([rain, rng.normal(0, 1, len(hour))], axis=1)
    shown = {"riders": np.round(ride), "gates": np.round(leave), "sky": np.round(sky, 3)}
    heads = {"riders": "time,a,b,c", "gates": "time,a,b,c", "sky": "time,rain,wind"}
    lines = {}
    for name, values in shown.items():
        times = [datetime.fromtimestamp(START + int(h) * HOUR, UTC).isoformat() for h in hour]
        rows = [
            ",".join([at, *(f"{v:g}" for v in row)])
            for at, row in zip(times, values.tolist(), strict=True)
        ]
        lines[name] = [heads[name], *rows]
    return lines


def write_records(folder: Path, hours: int, **more: int) -> None:
    """The first hours of every file; `more`: of a file by its name."""
    for name, lines in records().items():
        kept = lines[: 1 + more.get(name, hours)]
        (folder / f"{name}.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Town:
    """What was trained.

    Attributes:
        folder: city file, packages, and a folder of records with all hours.
    """

    folder: Path
    encoders: dict[str, EncoderPackage]
    fused: FusedPackage
    encoder_files: dict[str, Path]
    fused_file: Path
    learners: dict[str, AgencyLearner]
    learner: FusedLearner
    inputs: Inputs

    @property
    def city(self) -> CityFile:
        """With all hours on record."""
        return load_city(self.folder / "town.toml")

    def panel(self, agency: str, until: int | None = None) -> Panel:
        """An agency's rows that began before a time."""
        panel = load_panel(self.city, agency)
        return panel if until is None else panel.between(0, until)

    def copy_to(self, folder: Path, hours: int = LEARNED_DAYS * 24, **more: int) -> Path:
        """The city file with so many hours on record, in a folder of a test's own."""
        folder.mkdir(parents=True, exist_ok=True)
        write_records(folder, hours, **more)
        path = folder / "town.toml"
        path.write_text(TOWN, encoding="utf-8")
        return path


def build(folder: Path, days: int = DAYS) -> Town:
    """Train the town, in a few seconds.

    Args:
        days: on record; it learns from the first `LEARNED_DAYS`.
    """
    for name, lines in records(days).items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "town.toml").write_text(TOWN, encoding="utf-8")
    city = load_city(folder / "town.toml")
    panel = load_panel(city, "metro")
    end, begin = LEARNED_DAYS * 24, (LEARNED_DAYS - 6) * 24
    train, validation = Span(0, begin), Span(begin, end)
    inputs = fit_inputs(panel, "boardings", WINDOW, train)
    chosen = train_origins(WINDOW, train)
    validation_origins = origins(validation, WINDOW.horizon)
    learners = {
        name: _learner(name, load_panel(city, name), train) for name in ("gates", "weather")
    }
    validation_times, times = panel.time_T[validation_origins], panel.time_T[chosen]
    places = [cell_number(place, SALT) for place in panel.places]
    matches = {n: match_cells(places, one.columns.cells.cell_C) for n, one in learners.items()}
    training = TrainingSettings(
        rounds=ROUNDS, local_steps=STEPS, batch_size=192, learning_rate=5e-3, noise=0, dropout=0
    )
    samples = inputs.samples(chosen)
    shape = Shape(samples.features_BNF.shape[-1], 2, linear_features=inputs.ridge_skip_HS.shape[-1])
    shape = replace(shape, recent=samples.recent)
    network = new_fused(shape, Cut(3, dict.fromkeys(learners, 3), 0.2), 0, dropout=0.0)
    network.trunk.head.ridge_skip.copy_(_tensor(inputs.ridge_skip_HS))
    labels = HeldLabels(samples, inputs.samples(validation_origins), 0.5)
    fused = FusedLearner(network, samples, labels.validation, labels, matches, training)
    for number in range(ROUNDS):
        deep = {n: one.encode(times) for n, one in learners.items()}
        fused.steps(np.arange(len(samples)), deep, number * STEPS, STEPS, 0)
        for name, gradient in fused.gradients(np.arange(len(samples)), deep).items():
            if number < ROUNDS - 1:  # then the network follows once more
                learners[name].apply_gradients(times, gradient, STEPS, number)
    seen = {n: one.encode(validation_times) for n, one in learners.items()}
    fused.evaluate(seen)
    fused.keep_best()
    encoders = {name: _package(name, one.columns, one) for name, one in learners.items()}
    package = package_fused(
        _facts(encoders, panel, train),
        network,
        inputs,
        {n: one.cells for n, one in encoders.items()},
        matches,
        labels.validation,
        seen,
        time_B=validation_times,
    )
    files = {name: save_encoder(folder, one) for name, one in encoders.items()}
    fused_file = save_fused(folder, package)
    return Town(folder, encoders, package, files, fused_file, learners, fused, inputs)


def _tensor(array):
    import torch

    return torch.from_numpy(array)


def _learner(name: str, panel: Panel, train: Span) -> AgencyLearner:
    columns = fit_columns(panel, ColumnSettings(history=4), train, SALT)
    return AgencyLearner(name, columns, EncoderSettings(level=3, width=3, rate=5e-3), 0, 2 * HOUR)


def _package(name: str, columns: Columns, learner: AgencyLearner) -> EncoderPackage:
    domain = {"weather": "environment", "gates": "transport"}[name]
    fields = {"weather": (("rain", "1"), ("wind", "1")), "gates": (("exits", "passengers"),)}
    facts = EncoderFacts(
        "town", domain, name, SERVICE, SALT, fields[name], HOUR, TimeGrid(HOUR, 0),
        any_leakage=True,
    )  # fmt: skip
    return package_encoder(facts, columns, learner.encoder)


def _facts(encoders: dict[str, EncoderPackage], panel: Panel, train: Span) -> FusedFacts:
    agencies = tuple(
        InputAgency(name, one.space, 3, HOUR, one.facts.grid) for name, one in encoders.items()
    )
    return FusedFacts(
        "town", "metro", SERVICE, "boardings", "passengers", ("a", "b", "c"), HOUR, WINDOW,
        (int(panel.time_T[train.start]), int(panel.time_T[train.end - 1])), agencies,
        application=SERVICE,
    )  # fmt: skip
