"""What a run says of a choice must be what was compared."""

import numpy as np
import pytest

from deepcity.intercity.level_choice import LevelChoice
from deepcity.learning.ensemble.multi_view_ensemble import EnsembleForecast, init_ensemble
from deepcity.runs.level_reason import LEVEL_BOUNDS, level_bound, level_reason
from deepcity.runs.note import Note
from deepcity.runs.releases.level_limit import LevelLimit, LimitCause
from deepcity.web.report.notes import note


def choice(*weights, errors, gain=0.1):
    """A choice whose experts are alone and then levels."""
    found = EnsembleForecast(
        np.zeros((1, 1, 1), np.float32), np.zeros((1, 1)), init_ensemble(list(weights), 1)
    )
    return LevelChoice(
        [(level, None) for level in errors], errors, found, gain=gain, standard_error=0.01
    )


def test_the_reason_tells_the_weights_and_the_errors_compared():
    found = choice(0.2, 0.7, 0.1, errors={0: 1.0, 2: 0.8, 3: 0.9})
    assert found.level == 2
    said = note(level_reason(found, "L/s"))
    assert "h1 to h2" in said.en
    assert "h1부터 h2까지" in said.ko
    for text in (said.en, said.ko):
        assert "20%" in text
        assert "0.9 L/s" in text


def test_a_party_whose_own_weigh_most_is_at_level_0():
    found = choice(0.6, 0.4, errors={0: 1.0, 6: 1.1})
    assert found.level == 0
    assert "60%" in note(level_reason(found, "L/s")).en


@pytest.mark.parametrize("errors", [{0: 1.0}])
def test_a_party_that_tried_nothing_says_so(errors):
    found = choice(1.0, errors=errors)
    assert found.level == 0
    assert "No level was tried" in note(level_reason(found, "L/s")).en


OVER = LevelLimit(3, LimitCause.LEAKAGE, 0.62, 0.5)
DEEPEST = choice(0.2, 0.1, 0.1, 0.6, errors={0: 1.0, 1: 0.9, 2: 0.9, 3: 0.8})


def test_a_level_for_lack_of_leakage_budget_is_told_apart_from_one_for_accuracy():
    shallower = choice(0.2, 0.6, 0.1, 0.1, errors={0: 1.0, 1: 0.7, 2: 0.9, 3: 0.9})
    assert level_bound(DEEPEST, OVER, 6).code == "level_by_leakage"
    assert level_bound(shallower, OVER, 6).code == "level_by_accuracy"
    bound = note(level_bound(DEEPEST, OVER, 6))
    for text in (bound.en, bound.ko):
        assert "0.62" in text
        assert "0.5" in text


@pytest.mark.parametrize(
    ("limit", "granted", "code"),
    [
        (LevelLimit(3, LimitCause.UNMEASURED, None, 0.5), 6, "level_by_unmeasured"),
        (LevelLimit(3, LimitCause.POLICY), 6, "level_by_policy"),
        (LevelLimit(3), 3, "level_by_grant"),
        (LevelLimit(6), 6, "level_by_others"),
        (LevelLimit(4, LimitCause.LEAKAGE, 0.6, 0.5), 6, "level_by_others"),
    ],
)
def test_what_bounds_the_offer_sets_the_deepest_level(limit, granted, code):
    assert level_bound(DEEPEST, limit, granted).code == code


def test_where_nothing_could_be_offered_the_limit_or_nothing_is_named():
    alone = choice(1.0, errors={0: 1.0})
    nothing = LevelLimit(0, LimitCause.UNMEASURED, None, 0.5)
    assert level_bound(alone, nothing, 6).code == "level_by_unmeasured"
    assert level_bound(alone, LevelLimit(0), 0).code == "level_by_grant"
    assert level_bound(alone, LevelLimit(6), 6) is None


def test_a_newcomer_shares_nothing_so_no_limit_bounds_what_it_uses():
    assert level_bound(DEEPEST, OVER, 3, newcomer=True).code == "level_by_grant"


@pytest.mark.parametrize("code", LEVEL_BOUNDS)
def test_everything_that_sets_a_level_has_a_sentence(code):
    text = note(Note(code=code, numbers=dict.fromkeys(LEVEL_BOUNDS[code], 1.0)))
    assert text.en
    assert text.ko
    assert "{" not in text.en + text.ko
