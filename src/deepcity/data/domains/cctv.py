"""CCTV: what cameras count and recognise, never pictures."""

from deepcity.city.field import Kind, Sensitivity
from deepcity.city.localized_text import LocalizedText
from deepcity.data.domains import Domain

DOMAIN = Domain(
    name="cctv",
    title=LocalizedText("CCTV", "CCTV"),
    purpose=LocalizedText(
        "What cameras count and recognise: people, vehicles, events. Pictures never become fields.",
        "카메라가 집계하고 인식한 사람, 차량, 사건을 다룹니다. 영상 자체는 필드가 되지 않습니다.",
    ),
    kinds=frozenset(
        {
            Kind.COUNT,
            Kind.FLOW,
            Kind.SPEED,
            Kind.LEVEL,
            Kind.SHARE,
        }
    ),
    sensitivity=Sensitivity.PERSONAL,  # camera data concern persons unless shown otherwise
)
