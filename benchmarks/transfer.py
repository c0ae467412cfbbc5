"""Layers of one service reused in another: worth it, and never worse?

    python -m benchmarks.transfer [--seeds 0,1,2] [--pairs "water -> power,..."]

A source service learns on all its days. A target then trains with its days, few or all:
alone; with the source's h1..h5 frozen; or starting from its h1..h3, h1..h5, or these and
the head, and fine-tuning everything. Automatic weighs all of these with learning alone, by
the target's own days (`deepcity.intercity.level_choice`). Stems stay private: what a service
sees has another shape in the next.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from benchmarks.record import record
from deepcity.applications.application import applications
from deepcity.city.level import HEAD, HIDDEN_LAYERS, Layers
from deepcity.data.city_file import load_city
from deepcity.intercity.level_choice import JoinedExpert, weigh_experts
from deepcity.learning.experts.network import NetworkExpert
from deepcity.learning.training.learner import Learner
from deepcity.maps.city_map import Member, Service
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.method_errors import naive_errors
from deepcity.parties.party import Party, parties_of

OWN = Path(__file__).parent / "cities"  # with records of the real data folder
TRAINING = {"rounds": 12, "local_steps": 20, "batch_size": 64}
DAILY = {"window": {"history": 24, "horizon": 24, "days": 14}}
SPAN = {"validation_days": 60, "test_days": 60, "test_stride": 6}


@dataclass(frozen=True)
class Field:
    """One field of one agency, and how it is forecast.

    Attributes:
        city: a city file's name.
        service_options: settings of its service that are not as usual.
    """

    city: str
    agency: str
    field: str
    service_options: Mapping[str, object]


@dataclass(frozen=True)
class Pair:
    """Where layers come from, where they go, and how few days the target may have."""

    source: Field
    target: Field
    few: float


HOURLY = {**DAILY, "span": SPAN, "training": {**TRAINING, "stride": 4}}
METRO = {
    "window": {"history": 12, "horizon": 4, "days": 14},
    "span": {"start": "2016-02-29", "validation_days": 5, "test_days": 7},
    "training": TRAINING,
}
QUARTERS = {
    "window": {"history": 16, "horizon": 8, "days": 14},
    "span": {"validation_days": 7, "test_days": 14, "test_stride": 3},
    "training": {**TRAINING, "stride": 2},
}
SHORT = {**HOURLY, "window": {"history": 16, "horizon": 8, "days": 14}}
PAIRS = {
    "streets -> bikes": Pair(
        Field("melbourne", "streets", "people", HOURLY),
        Field("seoul", "bikes", "rented", HOURLY),
        14,
    ),
    "dust -> temperature": Pair(
        Field("beijing", "air", "pm25", HOURLY),
        Field("beijing", "weather", "temperature", HOURLY),
        14,
    ),
    "boardings -> exits": Pair(
        Field("beijing", "metro", "boardings", METRO), Field("beijing", "metro", "exits", METRO), 7
    ),
    "water -> power": Pair(
        Field("ferrara", "district-4", "inflow", HOURLY),
        Field("pittsburgh", "power", "load", {**HOURLY, "span": {**SPAN, "start": "2016-01-01"}}),
        14,
    ),
    "parking -> streets": Pair(
        Field("dresden", "parking", "free", QUARTERS),
        Field("auckland", "britomart", "people", SHORT),
        14,
    ),
}
STARTS: Mapping[str, tuple[int, int, bool]] = {
    "h1-h5 frozen": (4, 5, True),
    "h1-h3 tuned": (3, 3, False),
    "h1-h5 tuned": (5, 5, False),
    "h1-h5, head tuned": (6, 6, False),
}
"""Name -> its place among the experts, how many layers it takes, whether they stay frozen."""
EXPERTS = ("network", "typical_day", "yesterday")  # those its table was measured with


def city_path(name: str) -> Path:
    """The file of a city: one of the project's examples, or of the benchmarks."""
    own = OWN / f"{name}.toml"
    return own if own.is_file() else OWN.parents[1] / "cities" / own.name


def service(field: Field, days: float | None) -> Service:
    """The service of one party alone, with all its days or few."""
    city_file = load_city(city_path(field.city))
    agency = next(found for found in city_file.city.agencies if found.name == field.agency)
    member = Member(city_file, agency, field.field)
    service_options = dict(field.service_options)
    span = dict(service_options["span"])  # type: ignore[call-overload]
    if days is not None:
        span["scarce"] = {member.name: days}
    application = "people"  # any will do that is evaluated by the mean absolute error
    settings = ServiceSettings.model_validate(
        {**service_options, "span": span, "name": "transfer", "application": application}
        | {"parties": [member.name], "field": field.field, "experts": EXPERTS}
    )
    return Service(settings, applications()[application], (member,))


@cache
def ready(
    name: str, side: Literal["source", "target"], days: float | None
) -> tuple[Party, ServiceSettings]:
    """A party ready to learn, and its service's settings."""
    pair = PAIRS[name]
    wanted = service(pair.source if side == "source" else pair.target, days)
    (party,) = parties_of(wanted)
    return party, wanted.settings


def train(
    party: Party, settings: ServiceSettings, seed: int, start: Layers, frozen: bool
) -> Learner:
    """A whole training from some layers."""
    held = start if frozen else ()
    learner = Learner(party.data, settings.training, seed, start=start, frozen=held)
    for number in range(settings.training.rounds):
        learner.train_round(number)
        learner.receive({})
    learner.keep_best()
    return learner


def measure(name: str, seed: int, days: float | None, common: Layers) -> dict[str, float]:
    """Test errors of every way at the target."""
    party, settings = ready(name, "target", days)
    alone = train(party, settings, seed, {}, frozen=False)
    learners = {}
    for start_name, (_, count, frozen) in STARTS.items():
        start = {layer: common[layer] for layer in (*HIDDEN_LAYERS, HEAD)[:count]}
        learners[start_name] = train(party, settings, seed, start, frozen)
    joined = [
        JoinedExpert(STARTS[start_name][0], NetworkExpert(learner))
        for start_name, learner in learners.items()
    ]
    choice = weigh_experts(party, NetworkExpert(alone), sorted(joined, key=lambda one: one.level))
    service_options = {"alone": alone.forecast(party.test)}
    service_options |= {
        start_name: learner.forecast(party.test) for start_name, learner in learners.items()
    }
    service_options["automatic"] = choice.forecast(party).forecast_BNH
    found = {
        start_name: float(np.nanmean(np.abs(forecast - party.test.truth_BNH)))
        for start_name, forecast in service_options.items()
    }
    naive = naive_errors(party)
    found["naive"] = float(
        np.nanmin([errors.mae for start_name, errors in naive.items() if "same" in start_name])
    )
    return found


def common_layers(name: str, seed: int) -> Layers:
    """What the source's network holds after all its days."""
    party, settings = ready(name, "source", None)
    return train(party, settings, seed, {}, frozen=False).export((*HIDDEN_LAYERS, HEAD))


Rows = dict[tuple[str, str], list[dict[str, float]]]


def text(rows: Rows, seeds: Sequence[int], cpu: float) -> str:
    """The table."""
    columns = [*STARTS, "automatic", "naive"]
    lines = [
        "## Transfer: layers of one service reused in another",
        "",
        f"`python -m benchmarks.transfer --seeds {','.join(map(str, seeds))}`, {cpu / 60:.0f} CPU "
        "minutes. MAE on test days as a share of learning alone, mean ± standard deviation over "
        "seeds; under 1 is better than alone. The source learns on all its days (12 rounds of 20 "
        "steps of 64 rows, as the target), one party each; stems are private. Frozen: the layers "
        "stay as they came, stem and head are trained. Tuned: all is trained from them. Automatic "
        "weighs these four and alone by the target's own days. Naive: the better of the same hour "
        "yesterday and last week.",
        "",
        "| source -> target | days | alone, MAE | " + " | ".join(columns) + " |",
        "|---|---|---:|" + "---:|" * len(columns),
    ]
    for (name, days), found in rows.items():
        alone = np.array([errors["alone"] for errors in found])
        shares = [
            np.array([errors[start_name] for errors in found]) / alone for start_name in columns
        ]
        cells = [f"{share.mean():.3f} ± {_spread(share):.3f}" for share in shares]
        lines.append(f"| {name} | {days} | {alone.mean():.4g} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_verdict(rows, columns)])


def _spread(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def _verdict(rows: Rows, columns: Sequence[str]) -> list[str]:
    """Mean, worst and count of losses of every way, few days and all apart."""
    lines = ["| days | | " + " | ".join(columns) + " |", "|---|---|" + "---:|" * len(columns)]
    for label, few in (("few", True), ("all", False)):
        cases = [e for (_, days), found in rows.items() if (days != "all") == few for e in found]
        if not cases:
            continue
        shares = {
            start_name: np.array([case[start_name] / case["alone"] for case in cases])
            for start_name in columns
        }
        for what, of in (
            ("mean", lambda s: f"{s.mean():.3f}"),
            ("worst", lambda s: f"{s.max():.3f}"),
            ("worse by over 1 %", lambda s: f"{(s > 1.01).sum()} of {len(s)}"),
        ):
            cells = [of(shares[start_name]) for start_name in columns]
            lines.append(f"| {label} | {what} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Measure, print as it goes, and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--pairs", default=",".join(PAIRS), help="which, with commas")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows: Rows = {}
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    for name in asked.pairs.split(","):
        for seed in seeds:
            common = common_layers(name, seed)
            for days in (PAIRS[name].few, None):
                label = "all" if days is None else f"{days:g}"
                errors = measure(name, seed, days, common)
                rows.setdefault((name, label), []).append(errors)
                shares = {
                    start_name: round(e / errors["alone"], 3) for start_name, e in errors.items()
                }
                print(f"{name}, {label} days, seed {seed}: {shares}", flush=True)
    times = os.times()
    found = text(rows, seeds, times.user + times.system)
    print(found)
    if set(asked.pairs.split(",")) == set(PAIRS):
        record("transfer", found)


if __name__ == "__main__":
    main()
