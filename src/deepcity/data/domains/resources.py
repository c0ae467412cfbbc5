"""자원: water, power, gas, heat, waste."""

from deepcity.city.field import Kind, Sensitivity
from deepcity.city.localized_text import LocalizedText
from deepcity.data.domains import Domain

DOMAIN = Domain(
    name="resources",
    title=LocalizedText("Resources", "자원"),
    purpose=LocalizedText(
        "What the city consumes and supplies: water, power, gas, heat, waste.",
        "도시가 소비하고 공급하는 물, 전력, 가스, 열, 폐기물을 다룹니다.",
    ),
    kinds=frozenset(
        {
            Kind.FLOW,
            Kind.LOAD,
            Kind.ENERGY,
            Kind.LEVEL,
            Kind.PRESSURE,
            Kind.TEMPERATURE,
            Kind.COUNT,
            Kind.SHARE,
        }
    ),
    sensitivity=Sensitivity.INTERNAL,  # consumption reveals when somebody is at home
)
