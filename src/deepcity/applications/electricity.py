"""Electricity: how much will a grid have to carry, and when is its peak?"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.tasks.peak import PeakOfDay
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="electricity",
    title=LocalizedText("Electricity demand", "전력 수요"),
    question=LocalizedText(
        "How much electricity will each part of the grid need in the coming hours?",
        "앞으로 몇 시간 동안 전력망 각 구역의 수요는 얼마일까요?",
    ),
    decision=LocalizedText(
        "Which plants to start, what to buy, and when to ask people to save.",
        "어느 발전기를 켜고 얼마나 사들이며 언제 절전을 부탁할지 판단합니다.",
    ),
    task=Task.FORECAST,
    targets=(Target(Kind.LOAD, "MW"), Target(Kind.ENERGY, "MWh")),
    reads=("resources",),
    horizon_hours=24,
    decide=PeakOfDay("cover-peak"),
    recent=True,  # demand turns with the season: in summer May's errors mislead
)
