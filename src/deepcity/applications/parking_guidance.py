"""Parking guidance: which car park will still have a space when a driver gets there?"""

from deepcity.applications.application import Application, Baseline, Target, Task
from deepcity.applications.tasks.plan import LeastExpectedTime
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="parking-guidance",
    title=LocalizedText("Parking guidance", "주차 안내"),
    question=LocalizedText(
        "Which car park near my destination will still have a space when I arrive?",
        "도착할 때 목적지 근처 어느 주차장에 빈자리가 남아 있을까요?",
    ),
    decision=LocalizedText(
        "To which car park to send each driver, so that nobody circles for a space.",
        "빈자리를 찾아 헤매지 않도록 운전자를 어느 주차장으로 보낼지 정합니다.",
    ),
    task=Task.PLAN,
    targets=(Target(Kind.LEVEL, "spaces"), Target(Kind.COUNT, "spaces")),
    reads=("transport",),
    horizon_hours=2,
    decide=LeastExpectedTime("park"),
    baselines=(Baseline.PERSISTENCE, Baseline.SAME_HOUR_LAST_WEEK),
)
