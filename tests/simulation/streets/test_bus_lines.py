import numpy as np
from street_world import child_world

from deepcity.simulation.streets.bus_lines import best_bus


def test_the_next_bus_leaves_after_one_is_ready_and_within_a_headway():
    line = child_world().lines[0]
    ready_s_T = np.random.default_rng(1).uniform(2e4, 8e4, 300)
    stop_T = np.arange(300) % len(line.stop_S)
    wait_s_T = line.next_s(stop_T, ready_s_T) - ready_s_T
    assert (wait_s_T >= 0).all()
    assert (wait_s_T < line.headway_s).all()
    assert wait_s_T.max() > 0.9 * line.headway_s


def test_the_best_bus_is_the_best_of_all_lines_by_hand():
    world = child_world()
    rng = np.random.default_rng(2)
    from_T, to_T = rng.integers(0, len(world.streets.place_N2), (2, 50))
    found = best_bus(world.lines, from_T, to_T, 1.3)
    for trip in range(50):
        seconds = []
        for line in world.lines:
            on = world.routes.metres_NN[from_T[trip], line.stop_S]
            off = world.routes.metres_NN[to_T[trip], line.stop_S]
            ride_s = line.after_s_S[off.argmin()] - line.after_s_S[on.argmin()]
            whole_s = (on.min() + off.min()) / 1.3 + line.headway_s / 2 + ride_s
            seconds.append(whole_s if ride_s > 0 else np.inf)
        np.testing.assert_allclose(found.seconds_T[trip], min(seconds))
        if np.isfinite(min(seconds)):
            np.testing.assert_allclose(seconds[found.line_T[trip]], min(seconds))
        else:
            assert found.line_T[trip] == -1


def test_each_two_cities_are_joined_by_a_line_both_ways():
    world = child_world()
    ends = [tuple(world.streets.city_N[line.stop_S[[0, -1]]]) for line in world.lines]
    assert {(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)} <= set(ends)
