"""환경: weather, air, noise, water levels."""

from deepcity.city.field import Kind, Sensitivity
from deepcity.city.localized_text import LocalizedText
from deepcity.data.domains import Domain

DOMAIN = Domain(
    name="environment",
    title=LocalizedText("Environment", "환경"),
    purpose=LocalizedText(
        "What surrounds everyone: weather, air, noise, water levels.",
        "모두를 둘러싼 날씨, 대기, 소음, 수위를 다룹니다.",
    ),
    kinds=frozenset(
        {
            Kind.CONCENTRATION,
            Kind.TEMPERATURE,
            Kind.PRESSURE,
            Kind.HUMIDITY,
            Kind.WIND,
            Kind.RAIN,
            Kind.LEVEL,
            Kind.FLOW,
            Kind.SHARE,
        }
    ),
    sensitivity=Sensitivity.PUBLIC,  # weather and air reveal nothing about persons
)
