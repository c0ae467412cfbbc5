"""Traffic: how fast will each road be, why is it jammed, and which way leads around?"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.tasks.forecast import ActAtExtreme
from deepcity.applications.traffic.decide import ActOnJams
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="traffic",
    title=LocalizedText("Road traffic", "도로 교통"),
    question=LocalizedText(
        "How fast will each road flow in the coming two hours, and why is one jammed?",
        "앞으로 두 시간 동안 각 도로의 흐름은 얼마나 빠르고, 왜 막힐까요?",
    ),
    decision=LocalizedText(
        "Which signals to retime, and which way to send drivers.",
        "신호 시간을 조정하고 운전자에게 우회로를 안내합니다.",
    ),
    task=Task.FORECAST,
    targets=(
        Target(Kind.SPEED, "km/h"),
        Target(Kind.FLOW, "vehicles/h"),
        Target(Kind.COUNT, "vehicles"),
    ),
    reads=("transport", "cctv"),
    horizon_hours=2,
    decide=ActOnJams(ActAtExtreme("retime-signals", low=(Kind.SPEED,))),
)
