"""Sentences of a run, in English and Korean."""

from deepcity.city.level import ALONE, HEAD, HIDDEN_LAYERS
from deepcity.intercity.automatic import Choice
from deepcity.intercity.results import Words


def level_reason(choice: Choice, unit: str) -> Words:
    """Why a party ended at its level, with the figures it decided by."""
    before, after = choice.errors[ALONE], choice.errors[choice.level]
    if len(choice.errors) == 1:
        return Words(
            en="No level was tried here, so it learned alone.",
            ko="시험해 본 단계가 없어 혼자 학습하였습니다.",
        )
    if choice.level == ALONE and choice.gain <= 0:
        return Words(
            en=f"No level beat learning alone on its own validation days "
            f"({before:.3g} {unit}), so it keeps its own network.",
            ko=f"자체 검증 기간에서 혼자 학습한 오차({before:.3g} {unit})보다 나은 단계가 없어 "
            f"자기 신경망을 그대로 씁니다.",
        )
    if choice.level == ALONE:
        return Words(
            en="It has too few validation days to tell whether joining helps, "
            "so it keeps its own network.",
            ko="함께 배우는 것이 나은지 판단하기에는 검증 기간이 너무 짧아 "
            "자기 신경망을 그대로 씁니다.",
        )
    layers = _layers(choice.level)
    return Words(
        en=f"Reusing {layers.en} lowered the error on its own validation days from {before:.3g} "
        f"to {after:.3g} {unit} (doubt {choice.doubt:.2g}).",
        ko=f"{layers.ko} 재사용하면 자체 검증 기간의 오차가 {before:.3g}에서 {after:.3g} {unit}로 "
        f"줄었습니다(불확실성 {choice.doubt:.2g}).",
    )


def _layers(level: int) -> Words:
    if level == 1:
        return Words(en="h1", ko="h1을")
    if level <= len(HIDDEN_LAYERS):
        return Words(en=f"h1 to h{level}", ko=f"h1부터 h{level}까지")
    return Words(en=f"h1 to h5 and the {HEAD}", ko="h1부터 h5까지와 출력층(head)을")
