"""Sentences of a refining, in English and Korean."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from deepcity.intercity.refine_results import Outcome, PartyRefined
from deepcity.intercity.results import Words


def reason_words(outcome: Outcome, seen_to: int, told: PartyRefined) -> Words:
    """Why a party's networks were refined, or stayed as they were.

    Args:
        seen_to: until when rows were known before, UTC seconds.
    """
    if outcome is Outcome.NOTHING_NEW:
        when = datetime.fromtimestamp(seen_to, ZoneInfo(told.time_zone))
        return Words(
            en=f"Nothing new: no value since {when:%Y-%m-%d %H:%M}. Nothing was changed.",
            ko=f"새로운 것 없음: {when:%Y-%m-%d %H:%M} 이후의 값이 없어 바꾼 것이 없습니다.",
        )
    if outcome is Outcome.REFINED:
        return Words(
            en=f"Refined: the error on the newest days falls by {_fall(told)}.",
            ko=f"새로 배움: 가장 최근 날들의 오차가 {_fall(told)} 줄어듭니다.",
        )
    if told.moved == 0:
        return Words(
            en=f"Kept as it was: every step towards the new rows forgets more than the bound "
            f"({told.bound:.0%}), or all its layers are common.",
            ko=f"그대로 둠: 새 자료 쪽으로 옮기면 허용한 망각({told.bound:.0%})을 넘거나, "
            f"모든 층이 공통입니다.",
        )
    return Words(
        en="Kept as it was: refined networks would err no less on the newest days, so the step "
        "was undone. Weights moved on; the rows are learned with the next.",
        ko="그대로 둠: 새로 배운 신경망이 가장 최근 날들에서 더 낫지 않아 되돌렸습니다. "
        "가중치는 옮겨졌고, 이 자료는 다음에 함께 배웁니다.",
    )


def corrected_words() -> Words:
    """Old rows are not what they were."""
    return Words(
        en="Old rows were corrected since: forgetting counts anew from here.",
        ko="예전 자료가 그 사이에 고쳐졌습니다. 망각은 여기서부터 다시 셉니다.",
    )


def places_words(names: Sequence[str]) -> Words:
    """Places that came after the run."""
    listed = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
    return Words(
        en=f"{len(names)} new places are left out until the map is run anew: {listed}.",
        ko=f"새 지점 {len(names)}곳은 지도를 새로 실행할 때까지 빼 둡니다: {listed}.",
    )


def skipped_words(reason: str) -> Words:
    """A newer package was damaged."""
    return Words(
        en=f"A newer package was passed over: {reason}.",
        ko=f"더 새로운 묶음은 손상되어 건너뛰었습니다: {reason}.",
    )


def _fall(told: PartyRefined) -> str:
    return f"{1 - told.refined / told.kept:.1%}"
