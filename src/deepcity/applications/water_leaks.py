"""Water leaks: does a district draw more at night than its own past nights explain?"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.tasks.night_flow import NightFlowRise
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="water-leaks",
    title=LocalizedText("Water leaks", "누수 감시"),
    question=LocalizedText(
        "Does a district draw more at night than its own past nights explain?",
        "어느 구역이 지난 밤들로 설명되지 않을 만큼 밤에 물을 더 쓰고 있을까요?",
    ),
    decision=LocalizedText(
        "In which district to look for a leak first.",
        "어느 구역에서 먼저 누수를 찾을지 판단합니다.",
    ),
    task=Task.ALERT,
    targets=(Target(Kind.FLOW, "L/s"), Target(Kind.FLOW, "kg/s")),
    reads=("resources",),
    horizon_hours=24,
    decide=NightFlowRise("inspect-leak"),
)
