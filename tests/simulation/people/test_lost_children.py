import numpy as np
import pytest
from street_world import child_world

from deepcity.simulation.people.lost_children import KINDS, ChildWorld
from deepcity.simulation.people.passes import BETWEEN_CAR_MPS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cross", [True, False])
def test_a_child_goes_on_until_long_after_the_report_and_crosses_only_where_asked(kind, cross):
    world = child_world()
    rng = np.random.default_rng([1, cross])
    children = [world.lose(7, kind, rng, cross=cross) for _ in range(20)]
    for child in children:
        assert (child.passes.person_P == 7).all()
        assert 1200 <= child.report_s - child.lost_s <= 3600
        assert child.time_s_K[-1] > child.report_s + 3000
        assert (np.diff(child.time_s_K) >= 0).all()
        start_2 = world.streets.place_N2[child.lost_node]
        np.testing.assert_allclose(child.place_at(child.lost_s), start_2)
        moves_m = np.linalg.norm(np.diff(child.place_K2, axis=0), axis=1)
        seconds = np.maximum(np.diff(child.time_s_K), 1e-9)
        assert (moves_m / seconds)[moves_m > 0].max() <= BETWEEN_CAR_MPS + 1e-6
    crossed = np.mean([child.crossed for child in children])
    assert crossed > 0.7 if cross else crossed == 0


def test_a_child_between_two_crossings_is_between_them():
    child = child_world().lose(1, "foot", np.random.default_rng(3), cross=False)
    moves = np.flatnonzero(np.linalg.norm(np.diff(child.place_K2, axis=0), axis=1) > 50)
    row = moves[0]
    middle_s = child.time_s_K[row : row + 2].mean()
    np.testing.assert_allclose(child.place_at(middle_s), child.place_K2[row : row + 2].mean(axis=0))


def test_an_unknown_way_to_get_lost_is_refused():
    world: ChildWorld = child_world()
    with pytest.raises(ValueError, match="'balloon'; give one of foot, bus, car"):
        world.lose(1, "balloon", np.random.default_rng(0), cross=False)
