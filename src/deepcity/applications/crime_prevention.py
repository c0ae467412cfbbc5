"""Crime prevention: how many offences a day in each part of a city?"""

from deepcity.applications.application import Application
from deepcity.city.agency import DomainName
from deepcity.city.field import Kind
from deepcity.city.title import Title

APPLICATION = Application(
    name="crime-prevention",
    title=Title("Crime prevention", "범죄 예방"),
    question=Title(
        "How many offences will each part of the city see on the next day?",
        "다음 날 도시의 각 구역에서 범죄가 몇 건 일어날까요?",
    ),
    decision=Title(
        "Where patrols and street lights do most good; never whom to suspect.",
        "순찰과 가로등을 어디에 둘지 판단하며, 사람을 의심하는 데 쓰지 않습니다.",
    ),
    domains=(
        DomainName.LIFE,
        DomainName.CCTV,
    ),
    kinds=(Kind.COUNT,),
    unit="offences",
    horizon_hours=24,
)
