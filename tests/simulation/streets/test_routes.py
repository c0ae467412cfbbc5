import numpy as np
from street_world import child_world

from deepcity.simulation.streets.routes import TASTES, follow


def test_ways_follow_streets_from_start_to_end_and_are_hardly_longer_than_the_shortest():
    routes = child_world().routes
    rng = np.random.default_rng(4)
    from_T, to_T = rng.integers(0, len(routes.metres_NN), (2, 200))
    ways = follow(routes, from_T, to_T, rng.integers(0, TASTES, 200))
    for trip in range(200):
        own = ways.trip_P == trip
        node, along_m = ways.node_P[own], ways.along_m_P[own]
        assert (node[0], node[-1]) == (from_T[trip], to_T[trip])
        steps_m = routes.street_m_NN[node[:-1], node[1:]]
        assert (steps_m > 0).all()
        np.testing.assert_allclose(np.diff(along_m), steps_m)
        assert along_m[0] == 0
        np.testing.assert_allclose(along_m[-1], ways.length_m_T[trip])
    shortest_m = routes.metres_NN[from_T, to_T]
    assert (ways.length_m_T >= shortest_m - 1e-6).all()
    assert ways.length_m_T.sum() < 1.1 * shortest_m.sum()


def test_tastes_differ():
    routes = child_world().routes
    last = len(routes.metres_NN) - 1
    ways = [
        follow(routes, np.array([0]), np.array([last]), np.array([taste])).node_P.tolist()
        for taste in range(TASTES)
    ]
    assert len({tuple(one) for one in ways}) > 1
