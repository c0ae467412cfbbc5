"""Parking: how many spaces will be free at each car park?"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.tasks.forecast import ActAtExtreme
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="parking",
    title=LocalizedText("Free parking spaces", "주차 가능 대수"),
    question=LocalizedText(
        "How many spaces will be free at each car park in the coming hours?",
        "앞으로 몇 시간 동안 각 주차장에 빈자리는 몇 대일까요?",
    ),
    decision=LocalizedText(
        "Where signs should send drivers, and when to open overflow car parks.",
        "안내판이 운전자를 어디로 보낼지, 임시 주차장을 언제 열지 판단합니다.",
    ),
    task=Task.FORECAST,
    targets=(Target(Kind.LEVEL, "spaces"), Target(Kind.COUNT, "spaces"), Target(Kind.LEVEL, "%")),
    reads=("transport",),
    horizon_hours=2,
    decide=ActAtExtreme("send-elsewhere", low=(Kind.LEVEL, Kind.COUNT)),
)
