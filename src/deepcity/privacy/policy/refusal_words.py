"""Refusals in words, English and Korean, each with the next step."""

from collections.abc import Mapping
from datetime import UTC, datetime

from deepcity.city.korean import with_particles
from deepcity.city.localized_text import LocalizedText
from deepcity.city.printable import printable
from deepcity.privacy.policy.refusal import Denial
from deepcity.privacy.policy.release import DEPTHS

LAYER_NAMES = {depth: name for name, depth in DEPTHS.items()}

REFUSAL_WORDS: Mapping[str, tuple[str, str]] = {
    "failed": (
        "the policy could not be evaluated, and that denies; see the log, and `deepcity policy "
        "check`",
        "정책을 평가하지 못했으므로 거부합니다. 기록과 `deepcity policy check`을(를) 확인하세요",
    ),
    "denied": (
        "no grant covers it; see `deepcity policy grants`",
        "이를 허용하는 허가가 없습니다. `deepcity policy grants`을(를) 확인하세요",
    ),
    "forbidden": (
        "the city's rule {rule} forbids it; see the policy's rules file",
        "도시의 규칙 {rule}이(가) 금지합니다. 정책의 규칙 파일을 확인하세요",
    ),
    "no_agency": (
        "the city has no agency {agency!r}; name one of the city file",
        "도시에 기관 {agency!r}이(가) 없습니다. 도시 파일에 있는 기관을 쓰세요",
    ),
    "no_grant": (
        "{agency} grants nothing of this kind; have {agency} grant {service} a [[grant]]",
        "{agency}이(가) 이런 것을 허가한 적이 없습니다. {agency}에 {service}용 [[grant]]을(를) "
        "요청하세요",
    ),
    "revoked": (
        "grant {grant} was revoked on {at}; ask its agency for a new one",
        "허가 {grant}은(는) {at}에 철회되었습니다. 기관에 새 허가를 요청하세요",
    ),
    "expired": (
        "grant {grant} held until {until}; have its agency renew it",
        "허가 {grant}의 기간이 {until}에 끝났습니다. 기관에 갱신을 요청하세요",
    ),
    "other_domain": (
        "grant {grant} is for the domain {granted}, and the agency's is {asked}; correct one",
        "허가 {grant}의 영역은 {granted}인데 기관의 영역은 {asked}입니다. 하나를 고치세요",
    ),
    "other_service": (
        "grant {grant} is for the service {granted}, not {asked}; ask for a grant of its own",
        "허가 {grant}은(는) {granted} 서비스용이며 {asked}용이 아닙니다. 별도의 허가를 요청하세요",
    ),
    "other_purpose": (
        "grant {grant} is for the purpose {granted!r}, not {asked!r}; use it for that, or ask for "
        "a grant of its own",
        "허가 {grant}의 목적은 {granted!r}이며 {asked!r}이(가) 아닙니다. 그 목적으로만 쓰거나 "
        "별도의 허가를 요청하세요",
    ),
    "other_recipient": (
        "{asked} is no grantee of {grant}; leave {asked} out, or have the agency add it",
        "{asked}은(는) 허가 {grant}의 받는 자가 아닙니다. 빼거나 기관에 추가를 요청하세요",
    ),
    "too_low": (
        "{asked} is lower than {granted}, the lowest layer of grant {grant}; keep it private",
        "{asked}은(는) 허가 {grant}의 가장 낮은 층 {granted}보다 낮습니다. 내보내지 마세요",
    ),
    "too_high": (
        "{asked} is higher than {granted}, the highest layer of grant {grant}; share less deep",
        "{asked}은(는) 허가 {grant}의 가장 높은 층 {granted}보다 높습니다. 더 얕게 공유하세요",
    ),
    "leakage_unknown": (
        "its leakage was not measured, and grant {grant} allows R² {limit} at most; run `deepcity "
        "audit` on the run's folder",
        "누출을 측정하지 않았는데 허가 {grant}의 한도는 R² {limit}입니다. 실행 폴더에 `deepcity "
        "audit`을(를) 실행하세요",
    ),
    "leakage_over": (
        "its measured leakage R² {value} is over the {limit} of grant {grant}; share less deep, "
        "or less often",
        "측정된 누출 R² {value}이(가) 허가 {grant}의 한도 {limit}을(를) 넘습니다. 더 얕게 또는 더 "
        "드물게 공유하세요",
    ),
    "forecast_unknown": (
        "its leakage was not measured, and grant {grant} allows {limit} more than the forecast "
        "leaks; run `deepcity audit` on the run's folder, or have the agency write "
        'leakage = "any" in the grant',
        "누출을 측정하지 않았는데 허가 {grant}은(는) 예측이 누출하는 것보다 {limit} 더까지만 "
        "허용합니다. 실행 폴더에 `deepcity audit`을(를) 실행하거나, 기관이 허가에 leakage = "
        '"any"라고 쓰게 하세요',
    ),
    "forecast_over": (
        "its stream leaks R² {stream}, {value} more than the {forecast} of the forecast, over the "
        "{limit} of grant {grant}; choose stronger defences and train again, or have the agency "
        "write what it accepts: max_stream_r2 = …",
        "스트림이 R² {stream}을(를) 누출하여 예측의 {forecast}보다 {value} 많고, 허가 {grant}의 "
        "한도 {limit}을(를) 넘습니다. 더 강한 방어를 골라 다시 학습하거나, 기관이 받아들이는 값을 "
        "max_stream_r2 = …로 쓰게 하세요",
    ),
    "epsilon_unknown": (
        "its epsilon is not accounted for, and grant {grant} allows {limit}; train layers with "
        "[service.privacy] in the map, or ask for a grant without epsilon",
        "엡실론을 계산하지 않았는데 허가 {grant}의 한도는 {limit}입니다. 층을 맵의 "
        "[service.privacy]로 학습하거나 엡실론이 없는 허가를 요청하세요",
    ),
    "epsilon_over": (
        "epsilon {value} would be spent, over the {limit} of grant {grant}; stop, or ask for more",
        "엡실론 {value}을(를) 쓰게 되어 허가 {grant}의 한도 {limit}을(를) 넘습니다. 멈추거나 "
        "한도를 늘려 달라고 요청하세요",
    ),
    "cadence_unknown": (
        "how often it is released is unknown, and grant {grant} asks for {limit} s between two; "
        "release on a grid of times",
        "얼마나 자주 내보내는지 알 수 없는데 허가 {grant}의 최소 간격은 {limit}초입니다. 일정한 "
        "간격으로 내보내세요",
    ),
    "cadence_under": (
        "{value} s between two releases are less than the {limit} s of grant {grant}; release "
        "less often",
        "내보내는 간격 {value}초가 허가 {grant}의 최소 간격 {limit}초보다 짧습니다. 더 드물게 "
        "내보내세요",
    ),
    "least_count_unknown": (
        "under which number counts are withheld is unknown, and grant {grant} asks for {limit}; "
        "release them with --k {limit}",
        "몇 미만의 집계를 감추는지 알 수 없는데 허가 {grant}의 최소는 {limit}입니다. --k {limit}로 "
        "내보내세요",
    ),
    "least_count_under": (
        "counts under {value} are withheld, and grant {grant} asks for {limit}; release them with "
        "--k {limit} or more",
        "{value} 미만의 집계만 감추는데 허가 {grant}의 최소는 {limit}입니다. --k {limit} 이상으로 "
        "내보내세요",
    ),
    "joined_unknown": (
        "how many updates are joined is unknown, and grant {grant} asks for {limit}; write "
        'aggregation = "secure" in the map',
        "몇 개의 갱신을 합치는지 알 수 없는데 허가 {grant}의 최소는 {limit}입니다. 맵에 "
        'aggregation = "secure"라고 쓰세요',
    ),
    "joined_under": (
        "updates of {value} are joined, fewer than the {limit} of grant {grant}; write "
        'aggregation = "secure" in the map, with larger groups',
        "갱신 {value}개만 합치므로 허가 {grant}의 최소 {limit}개보다 적습니다. 맵에 aggregation = "
        '"secure"라고 쓰고 무리를 키우세요',
    ),
}


def refusal_sentence(refusal: Denial) -> LocalizedText:
    """A refusal in both languages, without a full stop."""
    values = {name: _shown(refusal.code, name, one) for name, one in refusal.numbers.items()}
    names = {name: printable(one) for name, one in refusal.names.items()}
    filled = {**values, **names, "grant": refusal.grant}
    english, korean = REFUSAL_WORDS[refusal.code]
    return LocalizedText(english.format(**filled), with_particles(korean.format(**filled)))


def day_text(seconds: float) -> str:
    """UTC seconds as people read them.

    >>> day_text(0)
    '1970-01-01 00:00 UTC'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _shown(code: str, name: str, value: float) -> str:
    if code in {"too_low", "too_high"}:
        return LAYER_NAMES.get(int(value), f"layer {value:g}")
    if name in {"until", "at"}:
        return day_text(value)
    return f"{value:g}"
