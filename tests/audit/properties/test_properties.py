"""A property that updates hold is told; one that they do not hold is guessed."""

import numpy as np
import pytest

from deepcity.audit.properties.attack import audit_property, property_area
from deepcity.audit.properties.properties import GROWTH, RecordsProperty, with_property
from deepcity.data.windows import Span

STEP_S, DAY = 3600, 24
TRAIN = Span(2 * DAY, 72 * DAY)
WEEKEND_T = (np.arange(80 * DAY) // DAY) % 7 >= 5
VALUES_TN = np.ones((80 * DAY, 3), np.float32)


def planted(strength):
    """Updates of two layers, of which h2 alone holds the property."""

    def update_of(_which, has, seed):
        rng = np.random.default_rng(seed)
        layers = {
            name: {"w": rng.normal(size=(12, 10)).astype(np.float32)} for name in ("h1", "h2")
        }
        layers["h2"]["w"][:3] += strength * has
        return {1: layers}

    return update_of


def test_a_property_is_told_where_it_is_and_not_above():
    found = audit_property(RecordsProperty.SIZE, planted(1.5), 32, 1)
    areas = {one.level: one.area for one in found}
    assert 0.25 < areas[1] < 0.75
    assert areas[2] > 0.95


@pytest.mark.parametrize("seed", range(5))
def test_what_is_not_there_is_guessed(seed):
    found = audit_property(RecordsProperty.SIZE, planted(0.0), 32, seed)
    assert all(0.15 < one.area < 0.85 for one in found)
    assert len({one.level for one in found}) == len(found)


def test_too_few_shadows_are_refused_with_the_number():
    with pytest.raises(ValueError, match="7 shadow networks"):
        audit_property(RecordsProperty.SIZE, planted(0.0), 7, 0)


def test_what_is_told_does_not_depend_on_the_scale_of_updates():
    rng, has_M = np.random.default_rng(0), np.arange(16) % 2 == 0
    update_MD = rng.normal(size=(16, 40)) + has_M[:, None] * 0.5
    assert property_area(update_MD, has_M) == property_area(1e3 * update_MD, has_M)


def test_updates_that_are_nearly_alike_and_hold_nothing_are_guessed():
    """Leaving out single ones would give 0 here."""
    common_D, has_M = np.random.default_rng(1).normal(size=400), np.arange(32) % 2 == 0
    areas = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        areas.append(property_area(common_D + 0.05 * rng.normal(size=(32, 400)), has_M))
    assert 0.4 < np.mean(areas) < 0.6


def days_known(values_TN):
    inside = values_TN[TRAIN.start : TRAIN.end]
    return np.isfinite(inside[:, 0]).reshape(-1, DAY).all(axis=1)


def records(which, has, seed=3):
    return with_property(which, VALUES_TN, WEEKEND_T, TRAIN, STEP_S, has=has, seed=seed)


def test_records_have_the_property_and_as_many_days_where_it_is_not_their_number():
    weekend = WEEKEND_T[TRAIN.start : TRAIN.end].reshape(-1, DAY)[:, 0]
    without, within = (days_known(records(RecordsProperty.WEEKENDS, has)) for has in (False, True))
    assert not without[weekend].any()
    assert within[weekend].any()
    assert abs(int(without.sum()) - int(within.sum())) <= 4
    short, whole = (days_known(records(RecordsProperty.SIZE, has)).mean() for has in (False, True))
    assert (short, whole) == (0.5, 0.9)
    grown, level = (records(RecordsProperty.GROWTH, has) for has in (True, False))
    assert np.nanmax(grown) == pytest.approx(1 + GROWTH, rel=0.01)
    assert np.nanmax(level) == 1


def test_steps_that_are_not_learned_from_and_the_records_themselves_stay():
    for which in RecordsProperty:
        found = records(which, has=False)
        assert np.isfinite(found[: TRAIN.start]).all()
        assert np.isfinite(found[TRAIN.end :]).all()
    assert (VALUES_TN == 1).all()
