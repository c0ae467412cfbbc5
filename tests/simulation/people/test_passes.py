import numpy as np
from street_world import child_world

from deepcity.simulation.people.passers_by import WALK_MPS, send_out
from deepcity.simulation.people.passes import CAR_IN_OUT_S, VIEW_M, Trips, drive, ride, walk
from deepcity.simulation.streets.bus_lines import best_bus


def trips(from_T, to_T, mps=WALK_MPS):
    size = len(from_T)
    zeros = np.zeros(size, np.int64)
    start_s_T = np.full(size, 36_000.0)
    return Trips(np.arange(size), from_T, to_T, start_s_T, zeros, np.full(size, mps))


def test_a_walker_is_in_view_of_every_crossing_for_the_length_of_the_view():
    routes = child_world().routes
    passes, arrive_s_T = walk(routes, trips(np.array([0]), np.array([30])))
    np.testing.assert_allclose(passes.until_s_P - passes.since_s_P, VIEW_M / WALK_MPS)
    middle_s_P = (passes.since_s_P + passes.until_s_P) / 2
    np.testing.assert_allclose(middle_s_P[[0, -1]], [36_000.0, arrive_s_T[0]])
    steps_m = routes.street_m_NN[passes.node_P[:-1], passes.node_P[1:]]
    np.testing.assert_allclose(np.diff(middle_s_P), steps_m / WALK_MPS)


def test_a_rider_is_seen_at_the_stops_and_not_between():
    world = child_world()
    line = world.lines[-1]  # from city to city
    some = trips(line.stop_S[:1], line.stop_S[-1:])
    bus = best_bus(world.lines, some.from_T, some.to_T, WALK_MPS)
    passes, arrive_s_T = ride(world.routes, world.lines, some, bus)
    assert set(passes.node_P) == {line.stop_S[0], line.stop_S[-1]}
    waits_s = passes.until_s_P - passes.since_s_P
    assert 0 <= waits_s[1] < line.headway_s
    assert arrive_s_T[0] - passes.until_s_P[1] > line.after_s_S[-1]


def test_a_driver_is_seen_getting_in_and_out_and_drives_faster_between_cities():
    world = child_world()
    own = np.flatnonzero(world.streets.city_N == 0)
    other = np.flatnonzero(world.streets.city_N == 1)
    some = trips(own[:2], np.array([own[-1], other[-1]]))
    passes, arrive_s_T = drive(world.routes, some, world.streets.city_N)
    assert len(passes.node_P) == 4
    np.testing.assert_allclose(passes.until_s_P - passes.since_s_P, CAR_IN_OUT_S)
    metres_T = world.routes.metres_NN[some.from_T, some.to_T]
    mps_T = metres_T / (arrive_s_T - 36_000.0 - 2 * CAR_IN_OUT_S - 60.0)
    np.testing.assert_allclose(mps_T, [8.0, 14.0])


def test_a_day_of_passers_by_goes_out_and_comes_home_by_all_three_ways():
    world = child_world()
    crowd = send_out(800, world.streets, world.routes, world.lines, np.random.default_rng(0))
    assert sum(crowd.trips_by_mode) > 2 * 800
    assert min(crowd.trips_by_mode) > 50
    passes = crowd.passes
    assert (passes.until_s_P >= passes.since_s_P).all()
    assert np.unique(passes.person_P).tolist() == list(range(800))
    order = np.lexsort([passes.since_s_P, passes.person_P])
    person_P, node_P = passes.person_P[order], passes.node_P[order]
    first = np.flatnonzero(np.diff(person_P, prepend=-1))
    last = np.append(first[1:], len(person_P)) - 1
    assert (node_P[first] == node_P[last]).all()
    at_night = (passes.since_s_P < 5 * 3600).mean()
    assert at_night < 0.01
    assert 0.05 < (crowd.height_m_Q < 1.4).mean() < 0.12
