"""What a search's decision says, in English and Korean, line by line."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from deepcity.applications.decision import Action, Decision, Reason
from deepcity.applications.tasks.matching.match_state import Hit, HitVerdict
from deepcity.city.localized_text import LocalizedText

_VERDICTS = {
    HitVerdict.NONE: LocalizedText("not judged", "판단 전"),
    HitVerdict.CONFIRMED: LocalizedText("confirmed", "확인됨"),
    HitVerdict.REJECTED: LocalizedText("rejected", "아님"),
}


def decision_lines(decision: Decision, zone: ZoneInfo) -> Iterator[LocalizedText]:
    """All of a decision: what came back, what to look at, the path, where to watch, whom to ask."""
    for reason in decision.reasons:
        yield _reason(reason)
    looks = [one for one in decision.actions if one.code == "look"]
    if looks:
        yield LocalizedText("Look at these, likeliest first:", "가능성이 큰 것부터 확인하십시오:")
    for action in decision.actions:
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


def clock_text(time_s: float, zone: ZoneInfo) -> str:
    """A time as the city's clocks show it."""
    return datetime.fromtimestamp(time_s, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _action(one: Action, zone: ZoneInfo) -> LocalizedText:
    at, numbers = clock_text(one.at_s, zone), one.numbers
    if one.code == "look":
        name, chance = f"{one.place}@{one.at_s}", f"{100 * numbers['probability']:.0f} %"
        score = f"{numbers['score']:.2f}"
        return LocalizedText(
            f"  {name}  {at}  score {score}, {chance} likely",
            f"  {name}  {at}  점수 {score}, 가능성 {chance}",
        )
    if one.code == "follow":
        way, count = " → ".join(one.route), f"{numbers['sightings']:.0f}"
        return LocalizedText(
            f"Likeliest way ({count} sightings): {way}, last at {at}",
            f"가장 그럴듯한 경로(목격 {count}건): {way}, 마지막 {at}",
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


def _reason(one: Reason) -> LocalizedText:
    numbers = {key: f"{value:.0f}" for key, value in one.numbers.items()}
    if one.code == "sightings":
        return LocalizedText(
            f"{numbers['hits']} sightings by {numbers['cities']} cities that answered; "
            f"{numbers['confirmed']} confirmed, {numbers['rejected']} rejected.",
            f"답한 도시 {numbers['cities']}곳에서 목격 {numbers['hits']}건. 확인 "
            f"{numbers['confirmed']}건, 아님 {numbers['rejected']}건.",
        )
    if one.code == "nobody":
        chance = f"{100 * one.numbers['probability']:.0f} %"
        return LocalizedText(
            f"That none of them is the person: {chance}.",
            f"모두 찾는 사람이 아닐 가능성: {chance}.",
        )
    if one.code == "city-silent":
        return LocalizedText(
            f"{one.place} gave no answer; `deepcity ledger show` on the folder of cases has why.",
            f"{one.place}에서 답이 없습니다. 이유는 사건 폴더의 `deepcity ledger show`에 있습니다.",
        )
    return LocalizedText(
        f"{numbers['hits']} sightings are of cameras whose place is not known here; add them to "
        f"the file of --cities.",
        f"목격 {numbers['hits']}건은 위치를 모르는 카메라의 것입니다. --cities 파일에 더하십시오.",
    )
