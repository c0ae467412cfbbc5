"""Crowding warning: at which stations will more people come than they usually hold?"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.metric import SquaredError
from deepcity.applications.tasks.crossing import Costs
from deepcity.applications.tasks.crowding import WarnAboveOwnLimit
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="crowding-warning",
    title=LocalizedText("Crowding warning", "혼잡 경보"),
    question=LocalizedText(
        "At which stations will more people come than they hold, or than in 19 steps of 20?",
        "어느 정류장에 수용 인원이나 평소의 95 %보다 많은 사람이 몰릴까요?",
    ),
    decision=LocalizedText(
        "Where to send staff and vehicles, and where to hold people at the gates, in time.",
        "어디에 직원과 차량을 미리 보내고 어느 개찰구에서 입장을 조절할지 판단합니다.",
    ),
    task=Task.ALERT,
    targets=(Target(Kind.COUNT, "passengers"), Target(Kind.FLOW, "passengers/h")),
    reads=("transport", "life"),
    horizon_hours=1,
    decide=WarnAboveOwnLimit(
        "warn-crowding",
        costs=Costs(miss=2.0, false_alarm=1.0),  # a crush harms people, idle staff cost an hour
    ),
    metric=SquaredError(),  # a full platform is worse than many half-empty ones
)
