"""What the traffic benchmark is made of: directions of roads, and planted jams."""

import numpy as np
import pytest

from benchmarks.traffic_causes.directions import adjacency_of, directed
from benchmarks.traffic_causes.forecasts import CITY, LEARNED, freeways
from benchmarks.traffic_causes.mixed import HEAVY_MM, TRUE, Setting, jams
from benchmarks.traffic_causes.planted import planted
from benchmarks.traffic_causes.rain import rainy_week
from deepcity.applications.traffic.jams import Speeds
from deepcity.applications.traffic.roads import Roads, roads_of
from deepcity.city.place import Place

RECORDS = CITY.parents[3] / "shared" / "data" / "traffic_losloop"
WIDTH_M = 2500.0
M_PER_DEG = 111_320.0


def carriageways(apart_m):
    """Two rows of loops 800 m apart, one north of the other, joined both ways at their ends."""
    north = [Place(f"n{k}", apart_m / M_PER_DEG, k * 800 / M_PER_DEG) for k in range(6)]
    south = [Place(f"s{k}", 0.0, k * 800 / M_PER_DEG) for k in range(6)]
    pairs = [(k, k + 1) for k in (*range(5), *range(6, 11))] + [(0, 6), (5, 11)]
    ends = np.array([*pairs, *(pair[::-1] for pair in pairs)])
    metres = np.array([800.0] * 10 + [1800.0] * 2)
    roads = Roads(12, *ends.T, np.tile(metres, 2), directed=False)
    return (*north, *south), roads


def test_people_drive_on_the_right():
    places, roads = carriageways(30.0)
    found = directed(places, roads)
    pairs = set(zip(found.tail_E.tolist(), found.head_E.tolist(), strict=True))
    assert {(k + 1, k) for k in range(5)} <= pairs  # the northern one leads west
    assert {(k, k + 1) for k in range(6, 11)} <= pairs
    assert len(pairs) == 10 + 4  # the ends stay open both ways
    assert found.directed


def test_without_an_opposite_carriageway_roads_stay_open_both_ways():
    places, roads = carriageways(500.0)
    assert len(directed(places, roads).tail_E) == len(roads.tail_E)


def test_roads_come_back_from_their_matrix():
    places, roads = carriageways(30.0)
    one_way = directed(places, roads)
    found = roads_of(places, adjacency_of(one_way, WIDTH_M))
    assert found.directed
    np.testing.assert_array_equal(found.tail_E, one_way.tail_E[np.lexsort(_ends(one_way))])


def _ends(roads):
    return roads.head_E, roads.tail_E


@pytest.mark.real
@pytest.mark.skipif(not RECORDS.exists(), reason="needs shared/data/traffic_losloop")
def test_a_planted_jam_changes_only_what_is_seen_and_grows_upstream():
    rng = np.random.default_rng(0)
    measured_TN = freeways().panel.values_TNF[:, :, 0]
    jam = planted(rng, 0.3)
    changed_TN = jam.values_TN != measured_TN
    steps = np.flatnonzero(changed_TN.any(axis=1))
    assert steps.min() >= LEARNED
    assert steps.max() == jam.now - 1
    slowed = set(np.flatnonzero(changed_TN.any(axis=0)).tolist())
    assert {jam.seed, jam.asked} <= slowed
    assert slowed <= set(freeways().roads.metres_from(jam.seed, upstream=True))
    assert (jam.values_TN <= measured_TN).all()


@pytest.mark.real
@pytest.mark.skipif(not RECORDS.exists(), reason="needs shared/data/traffic_losloop")
def test_jams_of_known_causes_are_what_they_are_said_to_be():
    measured_TN = freeways().panel.values_TNF[:, :, 0]
    found = {jam.cause: jam for jam in jams(np.random.default_rng(1), 1, Setting(5, (5, 6)))}
    assert tuple(found) == TRUE
    for cause, jam in found.items():
        assert jam.now >= LEARNED
        rained_TN = measured_TN * (1 - jam.week.lost_TN)
        steps = np.flatnonzero((jam.values_TN < 0.999 * rained_TN).any(axis=1))
        if cause == "weather":
            assert not len(steps)  # nothing but the rain
            assert jam.week.rain_T[jam.now - 1] >= HEAVY_MM
        else:
            assert steps.max() == jam.now - 1
            assert (steps < LEARNED).any() == (cause == "recurring")
        state = jam.state()
        np.testing.assert_allclose(
            state.weather["rain"][-1], jam.week.rain_T[jam.now - 1], atol=1e-5
        )
        assert Speeds.of(state).jammed_N[jam.asked]


@pytest.mark.real
@pytest.mark.skipif(not RECORDS.exists(), reason="needs shared/data/traffic_losloop")
def test_a_weather_office_that_counts_by_the_hour_knows_an_hour_when_it_is_over():
    week = rainy_week(np.random.default_rng(3), 5, hourly=True)
    assert week.panel.clock.step_s == 3600
    assert len(week.panel.time_T) == 168
    np.testing.assert_allclose(
        week.panel.values_TNF[:, 0, 0], week.rain_T.reshape(168, 12).mean(axis=1), rtol=1e-5
    )
    assert (week.lost_TN[week.rain_T <= 0.1] == 0).all()
