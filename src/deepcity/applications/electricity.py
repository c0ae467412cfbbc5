"""Electricity: how much will a grid have to carry?"""

from deepcity.applications.application import Application
from deepcity.city.agency import DomainName
from deepcity.city.field import Kind
from deepcity.city.title import Title

APPLICATION = Application(
    name="electricity",
    title=Title("Electricity demand", "전력 수요"),
    question=Title(
        "How much electricity will each part of the grid need in the coming hours?",
        "앞으로 몇 시간 동안 전력망 각 구역의 수요는 얼마일까요?",
    ),
    decision=Title(
        "Which plants to start, what to buy, and when to ask people to save.",
        "어느 발전기를 켜고 얼마나 사들이며 언제 절전을 부탁할지 판단합니다.",
    ),
    domains=(DomainName.RESOURCES,),
    kinds=(
        Kind.LOAD,
        Kind.ENERGY,
    ),
    unit="MW",
    horizon_hours=24,
)
