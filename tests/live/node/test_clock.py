"""The time that a node goes by."""

import math

import pytest

from deepcity.live.node.clock import LiveClock, ReplayClock


class Wall:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_replay_goes_on_at_its_speed():
    wall = Wall()
    clock = ReplayClock(7200, 3600, 600, monotonic=wall)
    assert clock.now() == 7200
    clock.done(7200)
    wall.now += 3
    assert clock.now() == 7200 + 1800


def test_a_replay_never_passes_a_step_that_is_not_done():
    wall = Wall()
    clock = ReplayClock(7200, 3600, 600, monotonic=wall)
    clock.done(7200)
    wall.now += 60
    assert clock.now() == 10_800
    clock.done(10_800)
    assert clock.now() == 10_800  # the time lost is not made up in a jump
    wall.now += 1
    assert clock.now() == 11_400


def test_without_a_limit_it_steps_as_soon_as_a_step_is_done():
    clock = ReplayClock(7200, 3600, math.inf, monotonic=Wall())
    seen = []
    for _ in range(3):
        seen.append(clock.now())
        clock.done(seen[-1])
    assert seen == [7200, 10_800, 14_400]


def test_steps_are_counted_from_its_start():
    wall = Wall()
    clock = ReplayClock(7300, 3600, 3600, monotonic=wall)
    assert clock.now() == 7300
    clock.done(7300)
    wall.now += 60
    assert clock.now() == 10_900


@pytest.mark.parametrize("speed", [600, math.inf])
def test_paused_it_stays_at_its_step_and_goes_on_from_there(speed):
    wall = Wall()
    clock = ReplayClock(7200, 3600, speed, monotonic=wall)
    clock.pause()
    for _ in range(3):
        clock.done(clock.now())
        wall.now += 60
    assert clock.now() == 7200
    clock.go_on()
    assert clock.now() == 7200  # what is due at it is done once more
    clock.done(7200)
    wall.now += 6
    assert clock.now() == 10_800


def test_time_goes_forward():
    with pytest.raises(ValueError, match="over 0"):
        ReplayClock(0, 3600, 0)


def test_a_live_clock_is_the_machines():
    assert LiveClock(wall=lambda: 12.9).now() == 12
