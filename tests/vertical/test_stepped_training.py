"""A training that goes on a step at a time: as far as it is allowed to, and no step twice."""

import time

import pytest

from deepcity.vertical.machines.stepped_training import SteppedTraining

LONG_S = 30.0


def stepped(steps, log, fails_at=None):
    def train(after_step):
        for number in range(1, steps + 1):
            log.append(number)
            if number == fails_at:
                raise ZeroDivisionError("by zero")
            after_step(number)
        return "done"

    return SteppedTraining(train)


def test_it_waits_after_each_step_that_it_may_not_pass():
    log = []
    one = stepped(3, log)
    assert not one.advance(1, LONG_S)
    assert (one.done, log) == (1, [1])
    assert not one.advance(1, LONG_S)  # asked again: an answer was lost
    assert (one.done, log) == (1, [1])
    assert not one.advance(3, LONG_S)
    assert one.done == 3
    assert one.advance(4, LONG_S)
    assert (one.result, one.error, log) == ("done", None, [1, 2, 3])


def test_whoever_asks_waits_no_longer_than_it_said():
    one = SteppedTraining(lambda _after: time.sleep(0.5))
    assert not one.advance(1, 0.01)
    assert one.done == -1
    assert one.advance(1, LONG_S)


def test_an_error_ends_it_and_is_kept():
    one = stepped(3, [], fails_at=2)
    assert not one.advance(1, LONG_S)
    assert one.advance(2, LONG_S)
    assert isinstance(one.error, ZeroDivisionError)


@pytest.mark.parametrize("begun", [1, 0])
def test_it_can_be_stopped_between_steps(begun):
    log = []
    one = stepped(9, log)
    if begun:
        one.advance(begun, LONG_S)
    one.stop()
    if one._thread is not None:
        one._thread.join(LONG_S)
        assert not one._thread.is_alive()
    assert log == [1] * begun
    assert one.error is None
