"""Wanted person: the same search under stricter terms, with a warrant and for a day."""

from deepcity.applications.decision import Confirm
from deepcity.applications.tasks.matching.match import RankSightings
from deepcity.applications.tasks.matching.match_application import MatchApplication, SearchTerms
from deepcity.city.localized_text import LocalizedText

APPLICATION = MatchApplication(
    name="wanted-person",
    title=LocalizedText("Wanted person", "범죄자 추적"),
    question=LocalizedText(
        "Which cameras may have seen the person whom a warrant names?",
        "영장에 적힌 사람을 어느 카메라가 보았을까요?",
    ),
    decision=LocalizedText(
        "Which sightings an officer looks at; nobody is stopped because of a score.",
        "담당자가 어느 목격 정보를 볼지 판단합니다. 점수만으로 누구를 세우지 않습니다.",
    ),
    decide=RankSightings(Confirm.AUTHORITY),
    terms=SearchTerms(
        warrant=True,
        most_hours=24,
        back_hours=6,
        most_hits=10,
        least_score=0.5,
        searches_an_hour=60,
        cases_a_day=5,
    ),
)
