"""Water: how much will each district draw?"""

from deepcity.applications.application import Application
from deepcity.city.agency import DomainName
from deepcity.city.field import Kind
from deepcity.city.title import Title

APPLICATION = Application(
    name="water",
    title=Title("Water demand", "물 수요"),
    question=Title(
        "How much water will each district draw in the coming hours?",
        "앞으로 몇 시간 동안 각 구역은 물을 얼마나 쓸까요?",
    ),
    decision=Title(
        "When to pump, how full to keep tanks, and which draw looks like a leak.",
        "펌프 가동 시각과 배수지 수위를 정하고, 누수로 보이는 사용량을 찾아냅니다.",
    ),
    domains=(DomainName.RESOURCES, DomainName.ENVIRONMENT),
    kinds=(Kind.FLOW, Kind.COUNT, Kind.LEVEL),
    unit="L/s",
    horizon_hours=24,
)
