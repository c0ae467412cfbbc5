"""Traffic: how fast, or how full, will each road be?"""

from deepcity.applications.application import Application
from deepcity.city.agency import DomainName
from deepcity.city.field import Kind
from deepcity.city.title import Title

APPLICATION = Application(
    name="traffic",
    title=Title("Road traffic", "도로 교통"),
    question=Title(
        "How fast will each road flow in the coming hour?",
        "앞으로 한 시간 동안 각 도로의 흐름은 얼마나 빠를까요?",
    ),
    decision=Title(
        "Which signals to retime, and which way to send drivers.",
        "신호 시간을 조정하고 운전자에게 우회로를 안내합니다.",
    ),
    domains=(DomainName.TRANSPORT, DomainName.CCTV),
    kinds=(Kind.SPEED, Kind.FLOW, Kind.COUNT),
    unit="km/h",
    horizon_hours=1,
)
