"""People on foot: how many will pass each street counter?"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.tasks.forecast import ActAtExtreme
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="people",
    title=LocalizedText("People in the streets", "거리 보행자 수"),
    question=LocalizedText(
        "How many people will pass each street counter in the coming hours?",
        "앞으로 몇 시간 동안 각 거리 계수기를 지나는 사람은 몇 명일까요?",
    ),
    decision=LocalizedText(
        "Where to send guides, cleaners and patrols, and when a street is too full.",
        "안내·청소·순찰 인력을 어디에 보낼지, 거리가 언제 지나치게 붐빌지 판단합니다.",
    ),
    task=Task.FORECAST,
    targets=(Target(Kind.COUNT, "people"), Target(Kind.FLOW, "people/h")),
    reads=("life", "transport", "cctv"),
    horizon_hours=24,
    decide=ActAtExtreme("send-staff"),
)
