"""What a run says of a choice must be what was compared."""

from deepcity.intercity.automatic import Choice
from deepcity.intercity.words import level_reason


def test_the_reason_tells_the_error_of_the_chosen_level():
    # The gain is told against alone with further steps, so it is not the plain difference.
    choice = Choice(level=2, learner=None, errors={0: 1.0, 2: 0.8}, gain=0.1, doubt=0.01)
    said = level_reason(choice, "L/s")
    assert "from 1 to 0.8 L/s" in said.en
    assert "1에서 0.8 L/s" in said.ko
