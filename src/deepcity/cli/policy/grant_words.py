"""A grant in plain words, under the terms of the GDPR and of Korea's PIPA.

What Articles 13 and 14 GDPR and Article 17(2) PIPA (개인정보 보호법) want to be told: purpose,
recipient, items, period and retention; withdrawal is Article 7(3) GDPR and Article 37 PIPA.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from deepcity.city.korean import with_particles
from deepcity.city.localized_text import LocalizedText
from deepcity.data.config.duration import duration_text
from deepcity.privacy.policy.refusal_words import LAYER_NAMES, day_text
from deepcity.privacy.policy.release import Item, ReleaseGrant

TERMS = {
    "purpose": LocalizedText(
        "Purpose (GDPR 13(1)(c), PIPA 17(2)2)",
        "이용 목적 (개인정보 보호법 17조 2항 2호, GDPR 13(1)(c))",
    ),
    "recipient": LocalizedText(
        "Recipient (GDPR 13(1)(e), PIPA 17(2)1)",
        "제공받는 자 (개인정보 보호법 17조 2항 1호, GDPR 13(1)(e))",
    ),
    "items": LocalizedText(
        "Items (GDPR 14(1)(d), PIPA 17(2)3)",
        "제공 항목 (개인정보 보호법 17조 2항 3호, GDPR 14(1)(d))",
    ),
    "period": LocalizedText(
        "Period (GDPR 13(2)(a), PIPA 17(2)4)",
        "이용 기간 (개인정보 보호법 17조 2항 4호, GDPR 13(2)(a))",
    ),
    "retention": LocalizedText(
        "Retention (GDPR 13(2)(a), PIPA 17(2)4)",
        "보유 기간 (개인정보 보호법 17조 2항 4호, GDPR 13(2)(a))",
    ),
    "limits": LocalizedText("Limits", "한도"),
}
FOOTNOTE = LocalizedText(
    "Whether these are personal data, and on what legal basis they leave, is for the data "
    "protection officer to say; the terms only say which field answers which article. What has "
    "left stays with who received it, also after a grant has ended: no policy reaches their disks. "
    "`deepcity policy revoke --run FOLDER` lists it, with the command that trains without it.",
    "이것이 개인정보인지, 어떤 법적 근거로 제공하는지는 개인정보 보호책임자가 판단합니다. "
    "위 항목은 어느 칸이 어느 조문에 답하는지만 알려 줍니다. 이미 나간 것은 허가가 끝난 뒤에도 "
    "받은 쪽에 남습니다. 정책은 그쪽 디스크에 미치지 않습니다. `deepcity policy revoke --run "
    "FOLDER`가 나간 것과, 이를 빼고 다시 학습하는 명령을 보여 줍니다.",
)


def heading(grant: ReleaseGrant, now: int) -> LocalizedText:
    """A grant's name, and whether it holds."""
    if grant.revoked_at is not None:
        at = day_text(grant.revoked_at)
        return LocalizedText(f"{grant.name}: revoked on {at}", f"{grant.name}: {at} 철회됨")
    if now >= grant.until:
        at = day_text(grant.until)
        return LocalizedText(f"{grant.name}: ended on {at}", f"{grant.name}: {at} 기간 끝남")
    return LocalizedText(f"{grant.name}: in force", f"{grant.name}: 유효함")


def facts(grant: ReleaseGrant, city: str, time_zone: str) -> dict[str, LocalizedText]:
    """A grant's content by the keys of `TERMS`."""
    last_day = datetime.fromtimestamp(grant.until - 1, UTC).astimezone(ZoneInfo(time_zone)).date()
    return {
        "purpose": _korean(
            f"{grant.purpose}, for the service {grant.service} only",
            f"{grant.purpose} ({grant.service} 서비스에 한함)",
        ),
        "recipient": LocalizedText(", ".join(grant.grantees), ", ".join(grant.grantees)),
        "items": _items(grant, city),
        "period": LocalizedText(f"through {last_day}", f"{last_day}까지"),
        "retention": _retention(grant),
        "limits": _limits(grant),
    }


def _items(grant: ReleaseGrant, city: str) -> LocalizedText:
    lowest, highest = LAYER_NAMES[grant.lowest], LAYER_NAMES[grant.highest]
    en = lowest if lowest == highest else f"{lowest} to {highest}"
    ko = lowest if lowest == highest else f"{lowest}~{highest}"
    whose = f"{city}/{grant.agency}"
    if grant.item is Item.LAYERS:
        return LocalizedText(
            f"parameters of the layers {en} that {whose} ({grant.domain}) trained; no raw rows",
            f"{whose}({grant.domain})이 학습한 {ko} 층의 매개변수. 원시 기록은 없음",
        )
    if grant.item is Item.COUNTS:
        return LocalizedText(
            f"counts of {whose} ({grant.domain}) by area and time, with noise; no raw rows",
            f"{whose}({grant.domain})의 지역·시간별 집계, 잡음을 더함. 원시 기록은 없음",
        )
    if grant.item is Item.SIGHTINGS:
        return LocalizedText(
            f"sightings by {whose} ({grant.domain}): camera, time and score of tracks that "
            "resemble the person looked for; no pictures, no embeddings",
            f"{whose}({grant.domain})의 목격 정보: 찾는 사람과 닮은 궤적의 카메라, 시각, 점수. "
            "사진과 임베딩은 없음",
        )
    return LocalizedText(
        f"deep data of {whose} ({grant.domain}): activations cut at {en}; no raw rows",
        f"{whose}({grant.domain})의 딥 데이터: {ko}에서 자른 활성값. 원시 기록은 없음",
    )


def _retention(grant: ReleaseGrant) -> LocalizedText:
    if grant.item is Item.LAYERS:
        return LocalizedText(
            "what was fused into common layers stays there until they are trained again without it",
            "공통 층에 합쳐진 것은 이를 빼고 다시 학습할 때까지 남음",
        )
    if grant.item is Item.SIGHTINGS:
        return LocalizedText(
            "until the case is closed at the receiver, which deletes them; nothing here can",
            "받은 쪽에서 사건을 종결할 때까지. 삭제는 받은 쪽이 하며, 여기서는 할 수 없음",
        )
    if grant.keep_days is None:
        return LocalizedText("not bounded by the grant", "허가가 정하지 않음")
    days = grant.keep_days
    if grant.item is Item.COUNTS:
        return LocalizedText(
            f"{days} days at the receiver, who must delete them: nothing here can",
            f"받은 쪽에서 {days}일. 삭제는 받은 쪽이 해야 하며, 여기서는 할 수 없음",
        )
    return LocalizedText(
        f"{days} days here, then deleted; copies that readers made are theirs to delete",
        f"여기서는 {days}일 뒤 삭제. 읽은 쪽이 만든 사본은 그쪽이 삭제해야 함",
    )


def _limits(grant: ReleaseGrant) -> LocalizedText:
    found = []
    if grant.max_stream_r2 is not None:
        r2 = f"{grant.max_stream_r2:g}"
        found.append((f"measured leakage R² at most {r2}", f"측정된 누출 R² {r2} 이하"))
    if grant.max_above_forecast is not None:
        more = f"{grant.max_above_forecast:g}"
        found.append(
            (
                f"in daily use a leakage at most {more} over that of the forecast",
                f"일상 운영에서 예측의 누출보다 {more} 넘게 누출하지 않음",
            )
        )
    if grant.cadence_s is not None:
        every = duration_text(grant.cadence_s)
        found.append((f"at most once in {every}", f"{every}에 한 번 이하"))
    if grant.least_k is not None and grant.item is Item.COUNTS:
        found.append(
            (
                f"counts under {grant.least_k}, with their noise, are withheld",
                f"잡음을 더한 값이 {grant.least_k} 미만인 집계는 감춤",
            )
        )
    elif grant.least_k is not None:
        found.append(
            (f"only in sums of {grant.least_k} or more", f"{grant.least_k}곳 이상의 합으로만")
        )
    if grant.epsilon is not None:
        found.append((f"epsilon {grant.epsilon:g} in all", f"엡실론 합계 {grant.epsilon:g}"))
    if not found:
        return LocalizedText("none beside these", "그 밖에 없음")
    return LocalizedText("; ".join(en for en, _ in found), "; ".join(ko for _, ko in found))


def _korean(english: str, korean: str) -> LocalizedText:
    return LocalizedText(english, with_particles(korean))
