import numpy as np
import pytest

from benchmarks.time_to_find.plausible import AGAINST, EARLIER, KnownSightings, ranked

LOST = KnownSightings(np.array([1000.0]), np.array([[0.0, 0.0]]))


def value(time_s, east_m, known=LOST):
    found_H = ranked(np.zeros(1), np.array([time_s]), np.array([[east_m, 0.0]]), known)
    return float(found_H[0])


@pytest.mark.parametrize(("seconds", "metres", "against"), [
    (600, 800, AGAINST[0]),
    (600, 2500, AGAINST[1]),
    (600, 7000, AGAINST[2]),
    (600, 20_000, AGAINST[3]),
    (0, 120, AGAINST[0]),
])  # fmt: skip
def test_what_speaks_against_a_hit_is_the_speed_that_it_needs(seconds, metres, against):
    assert value(1000.0 + seconds, metres) == pytest.approx(-against)


def test_a_confirmed_sighting_makes_near_hits_likely_and_earlier_ones_less_so():
    far_2 = np.array([6000.0, 0.0])
    known = LOST.with_one(1600.0, far_2)
    assert value(1700.0, 6050.0, known) == 0
    assert value(1700.0, 100.0, known) == pytest.approx(-AGAINST[3])
    # on the way between both a car is needed before and after
    assert value(1300.0, 3000.0, known) == pytest.approx(-2 * AGAINST[2] - EARLIER)


def test_known_sightings_stay_in_order_of_time():
    known = LOST.with_one(3000.0, np.ones(2)).with_one(2000.0, np.zeros(2))
    assert known.time_s_A.tolist() == [1000.0, 2000.0, 3000.0]
    assert known.place_A2[:, 0].tolist() == [0.0, 0.0, 1.0]
