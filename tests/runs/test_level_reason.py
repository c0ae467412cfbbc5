"""What a run says of a choice must be what was compared."""

import numpy as np
import pytest

from deepcity.intercity.level_choice import LevelChoice
from deepcity.learning.ensemble.multi_view_ensemble import EnsembleForecast, init_ensemble
from deepcity.runs.level_reason import level_reason
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
