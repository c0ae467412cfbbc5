"""What every application must keep, as checks that raise AssertionError: ours and a newcomer's."""

import importlib
import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from deepcity.applications.application import Application, Baseline, Task
from deepcity.applications.decision import Confirm, Decision
from deepcity.applications.state import Past, Request, State
from deepcity.city.arrays import Floats
from deepcity.city.place import Place
from deepcity.city.units import check_unit
from deepcity.data.domains import domains

NOW_S = 1_700_000_000 // 3600 * 3600
STEP_S = 3600


def made_state(
    application: Application, *, seed: int = 0, past: int = 60, places: int = 3
) -> State:
    """A state of the application's task: places in a row, a daily wave, errors of the past.

    Args:
        past: earlier forecasts that are known.
    """
    rng = np.random.default_rng(seed)
    target = application.targets[0]
    steps = min(24, application.horizon_steps(STEP_S))
    wave_H = 60 + 40 * np.sin(np.arange(steps) * np.pi / 12)
    forecast_NH = (wave_H * (1 + np.arange(places)[:, None] / 2)).astype(np.float32)
    before_BNH = forecast_NH * rng.uniform(0.6, 1.4, (past, places, 1))
    truth_BNH = before_BNH + rng.normal(0, 8, before_BNH.shape)
    truth_BNH[rng.uniform(size=truth_BNH.shape) < 0.05] = np.nan
    asked: Iterable[Request] = ()
    if application.task is Task.PLAN:
        asked = [Request(f"r{k}", 51.05, 13.74, k % steps, 1 + k) for k in range(4)]
    return State(
        now_s=NOW_S,
        step_s=STEP_S,
        places=tuple(Place(f"p{n}", 51.05, 13.74 + n / 100, 400.0) for n in range(places)),
        kind=target.kind,
        unit=target.unit,
        forecast_NH=forecast_NH,
        past=Past(before_BNH.astype(np.float32), truth_BNH.astype(np.float32)),
        requests=tuple(asked),
        known_TN=made_known(forecast_NH, rng),
        adjacency_NN=np.eye(places, k=1, dtype=np.float32) + np.eye(places, k=-1, dtype=np.float32),
        time_zone="Europe/Berlin",
    )


def made_known(forecast_NH: Floats, rng: np.random.Generator) -> Floats:
    """A week of measured values like those forecast, with gaps, (T, N)."""
    days_TN = np.tile(forecast_NH, (1, 7 * 24 // forecast_NH.shape[1])).T
    known_TN = days_TN * rng.uniform(0.8, 1.2, days_TN.shape)
    known_TN[rng.uniform(size=known_TN.shape) < 0.05] = np.nan
    return known_TN.astype(np.float32)


def check_words(application: Application) -> None:
    """Title, question and decision in both languages; a module that says what it is."""
    assert re.fullmatch(r"[a-z][a-z0-9-]*", application.name), application.name
    module = importlib.import_module(f"deepcity.applications.{application.name.replace('-', '_')}")
    assert "?" in (module.__doc__ or "")
    for words in (application.title, application.question, application.decision):
        assert words.en.strip()
        assert re.search("[가-힣]", words.ko)
    assert application.question.en.endswith("?")
    assert application.decision.en.endswith(".")


def check_facts(application: Application) -> None:
    """Task, targets that a domain it reads can serve, horizon, and a baseline to beat."""
    assert isinstance(application.task, Task)
    assert application.targets
    assert len(set(application.targets)) == len(application.targets)
    for target in application.targets:
        check_unit(target.unit, target.kind)
    assert application.reads
    assert set(application.reads) <= set(domains())
    served = {kind for name in application.reads for kind in domains()[name].kinds}
    assert set(application.kinds) <= served
    assert 0 < application.horizon_hours <= 24 * 14
    assert application.horizon_steps(900) >= 1
    assert application.baselines
    assert all(isinstance(baseline, Baseline) for baseline in application.baselines)


def check_metric(application: Application) -> None:
    """A perfect forecast is best, missing truths count nowhere, and slopes point to the truth."""
    metric = application.metric
    assert metric.title.en
    assert re.search("[가-힣]", metric.title.ko)
    truth = np.array([[[1.0, 200.0, 90.0, 20.0, np.nan]]], np.float32)
    worse = np.array([[[150.0, 2.0, 80.0, 10.0, 3.0]]], np.float32)
    elsewhere = worse.copy()
    elsewhere[..., -1] = 1e6
    assert metric.error(np.nan_to_num(truth), truth) == 0
    assert metric.error(worse, truth) > 0
    assert metric.error(elsewhere, truth) == metric.error(worse, truth)
    assert np.isnan(metric.error(worse, np.full_like(truth, np.nan)))
    slope = metric.gradient(worse, truth)
    assert slope[..., -1] == 0
    assert (slope[..., :-1] * (worse - truth)[..., :-1] >= 0).all()
    for target in application.targets:
        same = metric.converted(target.unit, target.unit)
        assert np.isclose(same.error(worse, truth), metric.error(worse, truth))


def check_decision(application: Application) -> None:
    """A valid decision on a usual state, and on states that lack what one hopes for."""
    state = made_state(application)
    check_valid(application.decide(state), state)
    assert application.decide(state) == application.decide(state)
    lacking = replace(state, forecast_NH=np.full_like(state.forecast_NH, np.nan))
    nothing = replace(state.past, truth_BNH=np.full_like(state.past.truth_BNH, np.nan))
    first = made_state(application, past=0)
    nowhere = replace(state, places=tuple(Place(place.id) for place in state.places))
    for odd in (lacking, replace(state, past=nothing), first, nowhere, replace(state, requests=())):
        check_valid(application.decide(odd), odd)
    assert state.known_TN is not None
    for odd in (
        replace(state, known_TN=None),
        replace(state, known_TN=state.known_TN[-1:]),
        replace(state, known_TN=np.full_like(state.known_TN, np.nan)),
        replace(state, adjacency_NN=None),
        replace(state, adjacency_NN=np.zeros_like(state.adjacency_NN)),
    ):
        check_valid(application.decide(odd), odd)


def check_valid(decision: Decision, state: State) -> None:
    """Codes, numbers and times that can be acted on (a Decision checks its own form)."""
    assert isinstance(decision, Decision)
    assert isinstance(decision.confirm, Confirm)
    assert decision.valid_until_s > state.now_s
    ids = {place.id for place in state.places}
    assert {reason.place for reason in decision.reasons} <= ids | {""}
    last_s = state.time_s(state.forecast_NH.shape[-1])
    for action in decision.actions:
        assert action.place in ids
        assert state.now_s <= action.at_s < last_s
        assert set(action.route) <= ids
        assert not action.request or action.request in {asked.id for asked in state.requests}


def check(application: Application) -> None:
    """All of it."""
    check_words(application)
    check_facts(application)
    check_metric(application)
    check_decision(application)
