"""Air quality warning: will fine dust go above the level at which a city warns?"""

from deepcity.applications.application import Application
from deepcity.applications.metric import Warnings
from deepcity.city.agency import DomainName
from deepcity.city.field import Kind
from deepcity.city.title import Title

APPLICATION = Application(
    name="air-warning",
    title=Title("Air quality warning", "대기질 경보"),
    question=Title(
        "Will fine dust go above the level at which the city warns, and when?",
        "미세먼지가 경보 기준을 넘을까요? 넘는다면 언제일까요?",
    ),
    decision=Title(
        "Whether to warn today, so that people and schools can plan tomorrow.",
        "시민과 학교가 내일을 준비할 수 있도록 오늘 경보를 낼지 판단합니다.",
    ),
    domains=(DomainName.ENVIRONMENT, DomainName.TRANSPORT),
    kinds=(Kind.CONCENTRATION,),
    unit="ug/m3",
    horizon_hours=24,
    metric=Warnings(
        75.0
    ),  # PM2.5: "lightly polluted" from here on (HJ 633-2012); Korea's alert too
)
