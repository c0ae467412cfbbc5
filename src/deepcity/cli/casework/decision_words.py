"""What a search's decision says, in English and Korean, line by line."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from deepcity.applications.decision import Action, Decision
from deepcity.applications.tasks.matching.match_state import Hit, HitVerdict
from deepcity.city.localized_text import LocalizedText
from deepcity.web.control.cases.case_words import case_sentences, chance_text, clock_text

_VERDICTS = {
    HitVerdict.NONE: LocalizedText("not reviewed", "판단 전"),
    HitVerdict.CONFIRMED: LocalizedText("confirmed", "확인됨"),
    HitVerdict.REJECTED: LocalizedText("rejected", "아님"),
}


def decision_lines(decision: Decision, zone: ZoneInfo) -> Iterator[LocalizedText]:
    """All of a decision: what came back, what to look at, the path, where to watch, whom to ask."""
    for sentence in case_sentences(decision, zone):
        yield LocalizedText(sentence.en, sentence.ko)
    looks = [one for one in decision.actions if one.code == "look"]
    if looks:
        yield LocalizedText("Look at these, likeliest first:", "가능성이 큰 것부터 확인하십시오:")
    for action in decision.actions:
        if action.code != "follow":  # a sentence above
            yield _action(action, zone)
    yield LocalizedText(
        "A score is no proof: somebody looks at each before anything is done.",
        "점수는 증거가 아닙니다. 무엇을 하기 전에 사람이 하나하나 확인합니다.",
    )


def hit_line(hit: Hit, zone: ZoneInfo) -> LocalizedText:
    """A sighting, as it is named in `deepcity case confirm` and `reject`."""
    words = _VERDICTS[hit.verdict]
    name = f"{hit.place}@{int(hit.time_s)}"
    return LocalizedText(
        f"  {name}  {clock_text(hit.time_s, zone)}  score {hit.score:.2f}  {words.en}",
        f"  {name}  {clock_text(hit.time_s, zone)}  점수 {hit.score:.2f}  {words.ko}",
    )


def _action(one: Action, zone: ZoneInfo) -> LocalizedText:
    at, numbers = clock_text(one.at_s, zone), one.numbers
    if one.code == "look":
        name, chance = f"{one.place}@{one.at_s}", chance_text(numbers["probability"])
        score = f"{numbers['score']:.2f}"
        return LocalizedText(
            f"  {name}  {at}  score {score}, {chance} likely",
            f"  {name}  {at}  점수 {score}, 가능성 {chance}",
        )
    share = f"{100 * numbers['share']:.0f} %"
    if one.code == "watch":
        return LocalizedText(
            f"Watch {one.place}: {share} of what cameras may see in the next ten minutes",
            f"{one.place} 카메라 주시: 다음 10분 동안 카메라에 보일 가능성의 {share}",
        )
    return LocalizedText(
        f"Ask {one.place} too, by a new case: {share} of where the person may get to is there",
        f"새 사건으로 {one.place}에도 물으십시오: 갈 수 있는 곳의 {share}가 그곳입니다",
    )
