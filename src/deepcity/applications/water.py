"""Water: how much will each district draw?"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.tasks.forecast import ActAtExtreme
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="water",
    title=LocalizedText("Water demand", "물 수요"),
    question=LocalizedText(
        "How much water will each district draw in the coming hours?",
        "앞으로 몇 시간 동안 각 구역은 물을 얼마나 쓸까요?",
    ),
    decision=LocalizedText(
        "When to pump, how full to keep tanks, and which draw looks like a leak.",
        "펌프 가동 시각과 배수지 수위를 정하고, 누수로 보이는 사용량을 찾아냅니다.",
    ),
    task=Task.FORECAST,
    targets=(
        Target(Kind.FLOW, "L/s"),
        Target(Kind.FLOW, "kg/s"),
        Target(Kind.COUNT, "count"),
        Target(Kind.LEVEL, "m"),
        Target(Kind.LEVEL, "%"),
    ),
    reads=("resources", "environment"),
    horizon_hours=24,
    decide=ActAtExtreme("fill-tanks", low=(Kind.LEVEL,)),
)
