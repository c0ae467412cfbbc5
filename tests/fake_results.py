"""Plausible results that no run has made: for tests of the report only."""

import math
import random

from deepcity.city.level import LADDER, layers_up_to
from deepcity.city.localized_text import LocalizedText
from deepcity.parties.example_forecast import ExampleForecast, LearningCurve
from deepcity.parties.method_errors import (
    ALONE,
    AUTOMATIC,
    NAIVE_DAY,
    NAIVE_WEEK,
    POOLED,
    MethodErrors,
    fixed_level_name,
)
from deepcity.runs.note import Note
from deepcity.runs.results import MethodTraffic, PartyResult, RunResults, ServiceResult

START = 1_657_490_400  # a Monday midnight in Rome
LAYER_BYTES = 16_640


def fake_errors(mae: float, horizons: int, dice: random.Random) -> MethodErrors:
    rise = [0.72 + 0.42 * math.log1p(h) / math.log1p(horizons) for h in range(horizons)]
    by_horizon = [mae * r * (1 + dice.uniform(-0.04, 0.04)) for r in rise]
    return MethodErrors(mae=mae, rmse=mae * 1.38, mae_by_horizon=by_horizon, metric_error=mae)


def fake_forecast(
    place: str, level: float, dice: random.Random, zone: str, hours: int
) -> ExampleForecast:
    shape = [
        level * (1 + 0.42 * math.sin((h - 8) * math.tau / 24) + 0.2 * math.sin(h * math.tau / 12))
        for h in range(hours)
    ]
    truth: list[float | None] = [v + dice.gauss(0, level * 0.06) for v in shape]
    for missing in range(40, 45):
        if missing < hours:
            truth[missing] = None
    ours = [v + dice.gauss(0, level * 0.035) for v in shape]
    return ExampleForecast(
        place=place,
        time_zone=zone,
        times=[START + 3600 * h for h in range(hours)],
        truth=truth,
        forecast=ours,
        low=[v - level * 0.11 for v in ours],
        high=[v + level * 0.12 for v in ours],
        alone=[v * 1.03 + dice.gauss(0, level * 0.06) for v in shape],
    )


def fake_party(
    name: str,
    title: LocalizedText,
    *,
    city: str = "ferrara",
    zone: str = "Europe/Rome",
    alone: float = 1.0,
    gain: float = 0.06,
    level: int = 3,
    train_days: float = 420.0,
    scarce: bool = False,
    horizons: int = 24,
    hours: int = 168,
    seed: int = 0,
) -> PartyResult:
    """A party whose automatic choice saves `gain` of the error of learning alone."""
    dice = random.Random(f"{name} {seed}")
    maes = {NAIVE_DAY: alone * 1.62, NAIVE_WEEK: alone * 1.44, ALONE: alone}
    for k in range(1, 7):
        wobble = dice.uniform(-0.02, 0.01) - 0.012 * abs(k - level)
        maes[fixed_level_name(k)] = alone * (1 - gain - wobble)
    maes[AUTOMATIC] = alone * (1 - gain)
    maes[POOLED] = alone * (1 - gain - 0.025)
    figures = {"own": 0.3, "alone": alone}
    reason = Note(code="level_alone", numbers=figures, names={"unit": "L/s"})
    if level:
        figures |= {"level": level, "together": alone * (1 - gain)}
        reason = Note(code="level_reused", numbers=figures, names={"unit": "L/s"})
    return PartyResult(
        name=name,
        title=title,
        city=city,
        places=1,
        train_days=train_days,
        scarce=scarce,
        level=level,
        level_reason=reason,
        weights={ALONE: 0.3, fixed_level_name(max(level, 1)): 0.7},
        weights_after={ALONE: 0.2, fixed_level_name(max(level, 1)): 0.8},
        validation_mae={str(k): 0.97 * maes[fixed_level_name(k) if k else ALONE] for k in range(7)},
        test={m: fake_errors(v, horizons, dice) for m, v in maes.items()},
        band_level=0.9,
        band_coverage=0.9 + dice.uniform(-0.06, 0.04),
        forecast=fake_forecast(f"{name}-1", alone * 12, dice, zone, hours),
        raw_bytes=int(train_days * 24 * 96),
    )


def fake_curves(rounds: int = 30) -> list[LearningCurve]:
    floors = {
        ALONE: 0.41,
        fixed_level_name(3): 0.39,
        fixed_level_name(6): 0.37,
        AUTOMATIC: 0.365,
        POOLED: 0.35,
    }
    return [
        LearningCurve(
            method=method,
            error_by_round=[floor + (1 - floor) * math.exp(-r / 6) for r in range(rounds)],
        )
        for method, floor in floors.items()
    ]


def fake_traffic(names: list[str], rounds: int = 30) -> list[MethodTraffic]:
    def one(method: str, layers: tuple[str, ...], scale: float) -> MethodTraffic:
        each = int(LAYER_BYTES * rounds * scale)
        return MethodTraffic(
            method=method,
            rounds=rounds,
            bytes_by_layer={layer: each * len(names) for layer in layers},
            bytes_by_party={name: each * len(layers) for name in names},
        )

    fixed_runs = [one(fixed_level_name(k), layers_up_to(k), 1.0) for k in range(1, 7)]
    return [*fixed_runs, one(AUTOMATIC, LADDER, 0.72)]


def fake_service(
    name: str, title: LocalizedText, parties: list[PartyResult], who: LocalizedText | None = None
) -> ServiceResult:
    methods = [ALONE, *(fixed_level_name(k) for k in range(1, 7)), AUTOMATIC, POOLED]
    return ServiceResult(
        name=name,
        title=title,
        question=LocalizedText(
            en="How much will flow or pass in each of the next 24 hours?",
            ko="앞으로 24시간 동안 시간마다 얼마나 흐르거나 지나가겠습니까?",
        ),
        decision=LocalizedText(en="When to pump & how much.", ko="언제 얼마나 퍼 올릴지 정합니다."),
        unit="L/s",
        horizon_steps=24,
        step_minutes=60.0,
        parties=parties,
        curves=fake_curves(),
        traffic=fake_traffic([party.name for party in parties]),
        seconds={method: 11.0 + 3.1 * n for n, method in enumerate(methods)},
        who=who,
    )


def water_parties(count: int = 10) -> list[PartyResult]:
    gains = [0.052, 0.081, -0.012, 0.004, 0.033, 0.118, 0.0, 0.027, 0.064, 0.243]
    levels = [3, 5, 2, 1, 4, 6, 0, 3, 5, 6]
    return [
        fake_party(
            f"dma-{n + 1}",
            LocalizedText(en=f"District {_letters(n)}", ko=f"{_letters(n)} 구역"),
            alone=[0.61, 1.24, 0.88, 2.31, 4.7, 0.52, 1.9, 0.73, 1.12, 1.48][n % 10],
            gain=gains[n % 10],
            level=levels[n % 10],
            train_days=14.0 if n == 9 else 420.0,
            scarce=n == 9,
        )
        for n in range(count)
    ]


def _letters(n: int) -> str:
    return chr(65 + n % 26) + (str(n // 26 + 1) if n >= 26 else "")


def street_parties() -> list[PartyResult]:
    areas = [
        ("Queen Street", "퀸 스트리트"),
        ("Waterfront", "워터프런트"),
        ("Karangahape Road", "카랑가하페 로드"),
        ("High Street", "하이 스트리트"),
        ("Aotea and Albert", "아오테아·앨버트"),
    ]
    return [
        fake_party(
            f"area-{n}", LocalizedText(en=en, ko=ko), city="auckland", zone="Pacific/Auckland",
            alone=40.0 + 17 * n, gain=0.03 * n - 0.02, level=(0, 2, 3, 5, 6)[n],
        )
        for n, (en, ko) in enumerate(areas)
    ]  # fmt: skip


def fake_results(water: int = 10, *, streets: bool = True) -> RunResults:
    services = [
        fake_service(
            "water",
            LocalizedText(en="Water demand", ko="물 수요"),
            water_parties(water),
            LocalizedText(en="water districts of Ferrara", ko="페라라의 급수 구역"),
        )
    ]
    if streets:
        walkers = LocalizedText(en="People on foot", ko="보행자 수")
        areas = LocalizedText(en="street areas of Auckland", ko="오클랜드의 거리 구역")
        streets_service = fake_service("footfall", walkers, street_parties(), areas)
        services.append(streets_service.model_copy(update={"unit": "people/h"}))
    return RunResults(
        map="demo",
        title=LocalizedText(
            en="Water and footsteps, forecast together", ko="함께 예측하는 물과 발걸음"
        ),
        version="0.1.0",
        seed=7,
        seconds=214.0,
        services=services,
    )
