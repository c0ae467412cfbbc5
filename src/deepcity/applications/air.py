"""Air quality: how much of what is in the air, and when to warn?"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.decision import Confirm
from deepcity.applications.tasks.forecast import ActAtExtreme
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="air",
    title=LocalizedText("Air quality", "대기질"),
    question=LocalizedText(
        "How much fine dust will each monitor measure in the coming hours?",
        "앞으로 몇 시간 동안 각 측정소의 미세먼지 농도는 얼마일까요?",
    ),
    decision=LocalizedText(
        "When to warn people with weak lungs, and when to slow traffic and plants.",
        "호흡기 질환자에게 언제 경보를 내고 차량과 공장을 언제 줄일지 판단합니다.",
    ),
    task=Task.FORECAST,
    targets=(Target(Kind.CONCENTRATION, "ug/m3"), Target(Kind.CONCENTRATION, "ppm")),
    reads=("environment",),
    horizon_hours=24,
    decide=ActAtExtreme("prepare-warning", Confirm.AUTHORITY),
)
