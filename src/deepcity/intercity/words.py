"""Sentences of a run, in English and Korean."""

from math import isfinite

from deepcity.city.level import ALONE, HEAD, HIDDEN_LAYERS
from deepcity.intercity.automatic import Choice
from deepcity.intercity.results import Words


def level_reason(choice: Choice, unit: str) -> Words:
    """Why a party ended at its level, with the figures it decided by."""
    if len(choice.errors) == 1:
        return Words(
            en="No level was tried here, so it learned alone.",
            ko="시험해 본 단계가 없어 혼자 학습하였습니다.",
        )
    own, before = choice.weights[ALONE], choice.errors[ALONE]
    after = before - choice.gain
    if not isfinite(before):
        return Words(
            en="No validation truth was known, so every level began with its weight before any "
            "truth. Weights move every day.",
            ko="검증에 쓸 관측값이 없어 모든 단계가 처음 가중치로 시작했습니다. "
            "가중치는 날마다 바뀝니다.",
        )
    if choice.level == ALONE:
        return Words(
            en=f"On its validation days its own network and typical day earned "
            f"{own:.0%} of the weight "
            f"(error alone {before:.3g} {unit}). What it learned with others keeps the rest; "
            f"weights move every day.",
            ko=f"자체 검증 기간에 자기 신경망과 평소 하루가 가중치의 {own:.0%}를 얻었습니다"
            f"(혼자일 때 오차 {before:.3g} {unit}). 나머지는 함께 배운 신경망의 몫이며, "
            f"가중치는 날마다 바뀝니다.",
        )
    layers = layer_words(choice.level)
    doubt = Words(en="", ko="")
    if isfinite(choice.doubt):  # one day alone tells none
        doubt = Words(en=f" (doubt {choice.doubt:.2g})", ko=f"(불확실성 {choice.doubt:.2g})")
    return Words(
        en=f"Reusing {layers.en} earned most weight on its validation days; its own network "
        f"and typical day keep {own:.0%}. Weighed together they err by {after:.3g} {unit} there, "
        f"alone by {before:.3g}{doubt.en}. Weights move every day.",
        ko=f"{layers.ko} 재사용하는 것이 자체 검증 기간에 가장 큰 가중치를 얻었고, 자기 신경망과 "
        f"평소 하루는 {own:.0%}를 지닙니다. 함께 쓰면 오차가 {after:.3g} {unit}, 혼자일 때는 "
        f"{before:.3g}입니다{doubt.ko}. 가중치는 날마다 바뀝니다.",
    )


def layer_words(level: int) -> Words:
    """Layers up to a level over 0; in Korean as an object."""
    if level == 1:
        return Words(en="h1", ko="h1을")
    if level <= len(HIDDEN_LAYERS):
        return Words(en=f"h1 to h{level}", ko=f"h1부터 h{level}까지")
    return Words(en=f"h1 to h5 and the {HEAD}", ko="h1부터 h5까지와 출력층(head)을")
