"""자원: water, power, gas, heat, waste."""

from deepcity.city.agency import DomainName
from deepcity.city.field import Kind, Sensitivity
from deepcity.city.title import Title
from deepcity.data.domains import Domain

DOMAIN = Domain(
    name=DomainName.RESOURCES,
    title=Title("Resources", "자원"),
    purpose=Title(
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
    sensitivity=Sensitivity.INTERNAL,  # consumption tells when somebody is at home
)
