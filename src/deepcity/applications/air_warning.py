"""Air quality warning: will fine dust go above the level at which a city warns?"""

from deepcity.applications.application import Application, Baseline, Target, Task
from deepcity.applications.metric import Warnings
from deepcity.applications.tasks.alert import WarnAbove
from deepcity.applications.tasks.crossing import Costs
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

_LIMIT = 75.0  # PM2.5: "lightly polluted" from here on (HJ 633-2012); Korea's alert too
_UNIT = "ug/m3"

APPLICATION = Application(
    name="air-warning",
    title=LocalizedText("Air quality warning", "대기질 경보"),
    question=LocalizedText(
        "Will fine dust go above the level at which the city warns, and when?",
        "미세먼지가 경보 기준을 넘을까요? 넘는다면 언제일까요?",
    ),
    decision=LocalizedText(
        "Whether to warn today, so that people and schools can plan tomorrow.",
        "시민과 학교가 내일을 준비할 수 있도록 오늘 경보를 낼지 판단합니다.",
    ),
    task=Task.ALERT,
    targets=(Target(Kind.CONCENTRATION, _UNIT),),
    reads=("environment", "transport"),
    horizon_hours=24,
    decide=WarnAbove(
        _LIMIT,
        _UNIT,
        Costs(miss=2.0, false_alarm=1.0),  # a missed hour harms lungs, a false one spoils a plan
        relative=True,
    ),
    metric=Warnings(_LIMIT),
    baselines=(Baseline.PERSISTENCE, Baseline.TYPICAL_DAY),
)
