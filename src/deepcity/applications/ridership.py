"""Ridership: how many will take a train, a bus or a city bike?"""

from deepcity.applications.application import Application
from deepcity.applications.metric import SquaredError
from deepcity.city.agency import DomainName
from deepcity.city.field import Kind
from deepcity.city.title import Title

APPLICATION = Application(
    name="ridership",
    title=Title("Riders of trains, buses and bikes", "지하철·버스·자전거 이용자 수"),
    question=Title(
        "How many people will ride in the coming hours, at each station?",
        "앞으로 몇 시간 동안 각 정류장의 이용자는 몇 명일까요?",
    ),
    decision=Title(
        "How many trains, buses and bikes to send, and when to close a gate.",
        "열차·버스·자전거를 얼마나 보낼지, 개찰구를 언제 통제할지 판단합니다.",
    ),
    domains=(
        DomainName.TRANSPORT,
        DomainName.LIFE,
    ),
    kinds=(
        Kind.COUNT,
        Kind.FLOW,
    ),
    unit="passengers",
    horizon_hours=1,
    metric=SquaredError(),  # a full platform is worse than many half-empty ones
)
