"""Measured values of any kind: what will each place measure in the coming hours?

For fields that no other service forecasts: a river's level in an unknown unit, the weather.
"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.tasks.forecast import ActAtExtreme
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="measurements",
    title=LocalizedText("Measured values", "측정값"),
    question=LocalizedText(
        "What will each place measure in the coming hours?",
        "앞으로 몇 시간 동안 각 지점의 측정값은 얼마일까요?",
    ),
    decision=LocalizedText(
        "Where to look first when values are to rise.",
        "값이 오를 곳 가운데 어디를 먼저 살펴볼지 판단합니다.",
    ),
    task=Task.FORECAST,
    targets=(
        Target(Kind.LEVEL, "m"),
        Target(Kind.LEVEL, "1"),
        Target(Kind.TEMPERATURE, "degC"),
        Target(Kind.PRESSURE, "hPa"),
        Target(Kind.HUMIDITY, "%"),
        Target(Kind.WIND, "m/s"),
        Target(Kind.RAIN, "mm"),
        Target(Kind.SHARE, "1"),
        Target(Kind.COUNT, "count"),
    ),
    reads=("life", "transport", "environment", "resources", "cctv"),
    horizon_hours=24,
    decide=ActAtExtreme("look-first"),
)
