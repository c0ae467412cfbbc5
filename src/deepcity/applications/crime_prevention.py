"""Crime prevention: how many offences a day in each part of a city?"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.tasks.patrol import REMEMBERED_DAYS, PatrolCells
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="crime-prevention",
    title=LocalizedText("Crime prevention", "범죄 예방"),
    question=LocalizedText(
        "How many offences will each part of the city see on the next day?",
        "다음 날 도시의 각 구역에서 범죄가 몇 건 일어날까요?",
    ),
    decision=LocalizedText(
        "Where patrols and street lights do most good; never whom to suspect.",
        "순찰과 가로등을 어디에 둘지 판단하며, 사람을 의심하는 데 쓰지 않습니다.",
    ),
    task=Task.PLAN,
    targets=(Target(Kind.COUNT, "offences"),),
    reads=("life", "cctv"),
    horizon_hours=24,
    decide=PatrolCells("send-patrol"),
    known_days=REMEMBERED_DAYS,
)
