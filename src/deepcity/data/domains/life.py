"""생활: people on foot, visits, complaints, welfare."""

from deepcity.city.field import Kind, Sensitivity
from deepcity.city.localized_text import LocalizedText
from deepcity.data.domains import Domain

DOMAIN = Domain(
    name="life",
    title=LocalizedText("Life", "생활"),
    purpose=LocalizedText(
        "How people live in the city and move about on foot: visits, crowds, complaints, welfare.",
        "시민의 생활과 보행을 다룹니다. 방문, 혼잡, 민원, 복지 기록이 여기에 속합니다.",
    ),
    kinds=frozenset(
        {
            Kind.COUNT,
            Kind.FLOW,
            Kind.LEVEL,
            Kind.SHARE,
        }
    ),
    sensitivity=Sensitivity.INTERNAL,  # small counts may identify persons
)
