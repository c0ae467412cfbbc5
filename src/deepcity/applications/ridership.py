"""Ridership: how many will take a train, a bus or a city bike?"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.metric import SquaredError
from deepcity.applications.tasks.forecast import ActAtExtreme
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="ridership",
    title=LocalizedText("Riders of trains, buses and bikes", "지하철·버스·자전거 이용자 수"),
    question=LocalizedText(
        "How many people will ride in the coming hours, at each station?",
        "앞으로 몇 시간 동안 각 정류장의 이용자는 몇 명일까요?",
    ),
    decision=LocalizedText(
        "How many trains, buses and bikes to send, and when to close a gate.",
        "열차·버스·자전거를 얼마나 보낼지, 개찰구를 언제 통제할지 판단합니다.",
    ),
    task=Task.FORECAST,
    targets=(Target(Kind.COUNT, "passengers"), Target(Kind.FLOW, "passengers/h")),
    reads=("transport", "life"),
    horizon_hours=24,
    decide=ActAtExtreme("add-vehicles"),
    metric=SquaredError(),  # a full platform is worse than many half-empty ones
)
