"""Plausible meetings that nobody held: for tests of their page only."""

import random

from fake_results import fake_errors, fake_forecast

from deepcity.city.localized_text import LocalizedText
from deepcity.parties.example_forecast import LearningCurve
from deepcity.vertical.results import (
    AgencyFacts,
    ModeCost,
    VerticalPartyResult,
    VerticalResults,
    VerticalServiceResult,
)

HOURS, HORIZON = 168, 24
MESSAGES = {"one-shot": 8, "block-wise": 152, "per-batch": 6000}
SENT = {"one-shot": 1_800_000, "block-wise": 9_300_000, "per-batch": 310_000_000}
METRIC = LocalizedText(en="mean absolute error", ko="평균 절대 오차")


def fake_agency(name, title=None, **more):
    title = title or LocalizedText(en=f"{name.capitalize()} office", ko=f"{name} 관청")
    facts = {
        "fields": [("rain", "mm"), ("temperature", "degC")],
        "level": 3,
        "width": 16,
        "cells": 2,
        "step_minutes": 60.0,
        "ahead": 24,
        "least_level": 3,
        "widest": 16,
        "sent": 4_200_000,
        "received": 2_900_000,
        "raw_bytes": 840_000,
    }
    return AgencyFacts(name=name, title=title, **{**facts, **more})


def fake_party(name="bikes", *, gain=0.09, agencies=("weather",), modes=("block-wise",), **more):
    """A party whose meeting in the first of the modes saves `gain` of the error alone."""
    dice = random.Random(name)
    alone = more.pop("alone", 40.0)
    metric_errors = {"same_hour_yesterday": alone * 1.6, "same_hour_last_week": alone * 1.5}
    metric_errors |= {"alone": alone, "together": alone * (1 - gain), "pooled": alone * 0.93}
    metric_errors["automatic"] = alone * (1 - max(gain, 0.0) * 0.95)
    for number, mode in enumerate(modes[1:], 1):
        metric_errors[f"mode:{mode}"] = alone * (1 - gain + 0.01 * number)
    facts = [one if isinstance(one, AgencyFacts) else fake_agency(one) for one in agencies]
    for number, agency in enumerate(facts):
        metric_errors[f"without:{agency.name}"] = alone * (1 - gain / 2 + 0.02 * number)
    costs = {mode: fake_cost(mode) for mode in modes}
    seeds = more.pop("seeds", 1)
    by_seed = {m: [e * (1 + 0.01 * s) for s in range(seeds)] for m, e in metric_errors.items()}
    party = {
        "title": LocalizedText(en=name.capitalize(), ko=f"{name} 기관"),
        "unit": "bikes",
        "metric_unit": "bikes",
        "agencies": [agency.name for agency in facts],
        "facts": facts,
        "test": {method: fake_errors(e, HORIZON, dice) for method, e in metric_errors.items()},
        "metric_errors": metric_errors,
        "by_seed": by_seed,
        "metric": METRIC,
        "cost": costs[modes[0]],
        "costs": costs,
        "curves": [
            LearningCurve(method=method, error_by_round=[1.0, 0.8, 0.7])
            for method in metric_errors
            if method in {"alone", "together", "pooled"} or method.startswith("mode:")
        ],
        "failures": [],
        "places": 1,
        "train_days": 300.0,
        "horizon_steps": HORIZON,
        "step_minutes": 60.0,
        "band_coverage": 0.91,
        "forecast": fake_forecast(f"{name}-1", alone * 10, dice, "Europe/Rome", HOURS),
    }
    return VerticalPartyResult(name=f"town/{name}", **{**party, **more})


def fake_cost(mode):
    size = SENT[mode]
    kinds = {"deep": size // 2, "gradients": size // 4, "times": size // 8, "header": size // 8}
    return ModeCost(messages=MESSAGES[mode], bytes=size, by_kind=kinds, seconds=90.0)


def fake_vertical_results(*parties, seeds=1, **more):
    service = {
        "name": "bikes",
        "title": LocalizedText(en="Bikes", ko="자전거"),
        "mode": "block-wise",
        "level": 3,
        "question": LocalizedText(en="How many bikes?", ko="몇 대일까요?"),
        "decision": LocalizedText(en="Where to bring bikes & when.", ko="어디로 옮길지 정합니다."),
        "parties": list(parties),
    }
    return VerticalResults(
        map="bikes",
        title=LocalizedText(en="Bikes and weather", ko="자전거와 날씨"),
        version="0.1.0",
        seed=3,
        seeds=[3 + number for number in range(seeds)],
        seconds=321.0,
        services=[VerticalServiceResult(**{**service, **more})],
    )
