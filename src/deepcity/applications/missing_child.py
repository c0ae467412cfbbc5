"""Missing child: which cameras of which cities may have seen the child, and where is it next?"""

from deepcity.applications.tasks.matching.match import RankSightings
from deepcity.applications.tasks.matching.match_application import MatchApplication, SearchTerms
from deepcity.city.localized_text import LocalizedText

APPLICATION = MatchApplication(
    name="missing-child",
    title=LocalizedText("Missing child", "미아 찾기"),
    question=LocalizedText(
        "Which cameras may have seen the child since, and which way did it go?",
        "아이가 그 뒤로 어느 카메라를 지났고 어느 길로 갔을까요?",
    ),
    decision=LocalizedText(
        "Which sightings to look at first, which cameras to watch, which city to ask next.",
        "어느 목격 정보를 먼저 보고, 어느 카메라를 지켜보고, 어느 도시에 더 물을지 판단합니다.",
    ),
    decide=RankSightings(),
    terms=SearchTerms(),
)
