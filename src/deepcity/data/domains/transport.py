"""교통: roads, signals, parking, buses, metro, shared bikes."""

from deepcity.city.field import Kind, Sensitivity
from deepcity.city.localized_text import LocalizedText
from deepcity.data.domains import Domain

DOMAIN = Domain(
    name="transport",
    title=LocalizedText("Transport", "교통"),
    purpose=LocalizedText(
        "How vehicles and passengers move: roads, signals, parking, buses, metro, shared bikes.",
        "차량과 승객의 이동을 다룹니다. 도로, 신호, 주차, 버스, 지하철, 자전거 기록이 속합니다.",
    ),
    kinds=frozenset(
        {
            Kind.SPEED,
            Kind.FLOW,
            Kind.COUNT,
            Kind.LEVEL,
            Kind.SHARE,
        }
    ),
    sensitivity=Sensitivity.INTERNAL,  # sums over many travellers, but few at night
)
