"""A small world of drawn people: what exchange finds, and what networks learned apart do not."""

import re
from functools import cache

import numpy as np
import pytest
from street_world import small_day

from benchmarks.time_to_find.case import measure, reachable
from benchmarks.time_to_find.networks import APART, GIVEN, CityNetworks
from benchmarks.time_to_find.service_desk import fitted_scores, service_owner
from benchmarks.time_to_find.tables import text
from benchmarks.time_to_find.ways import (
    ALIGNED,
    AS_IS,
    EACH,
    HOME,
    PICTURE,
    POOLED,
    PRESET,
    WAYS,
    DayAtCities,
    Way,
    ways_of,
)
from deepcity.applications.missing_child import APPLICATION
from deepcity.simulation.pictures import synthetic_pictures

PICTURES = synthetic_pictures(80, 6, 0, noise=0.3)
ANCHORS = synthetic_pictures(100, 1, 9).embedding_IE


def drawn_networks(kind, seed):
    """One for all, or the same ones turned at random: as if learned apart."""
    if kind == GIVEN:
        return CityNetworks((PICTURES.embedding_IE,) * 3, (ANCHORS,) * 3)
    turns = [
        np.linalg.qr(np.random.default_rng([seed, city]).normal(size=(32, 32)))[0].astype(
            np.float32
        )
        for city in range(3)
    ]
    return CityNetworks(
        tuple(PICTURES.embedding_IE @ turn for turn in turns),
        tuple(ANCHORS @ turn for turn in turns),
    )


@cache
def at():
    day = small_day(children=36, cameras=90)
    return DayAtCities(day, 0, PICTURES, drawn_networks)


@cache
def case(exchange, network=GIVEN, query=AS_IS):
    return measure(at(), Way(f"{exchange}, {network}, {query}", network, exchange, query))


def found(some, *, crossed):
    return sum(
        time is not None for time, one in zip(some.found_s, some.crossed, strict=True)
        if one == crossed
    )  # fmt: skip


def test_exchange_finds_children_over_the_border_where_home_alone_finds_none():
    assert found(case(HOME), crossed=True) == 0
    assert found(case(HOME), crossed=False) > 5
    assert found(case(EACH), crossed=True) >= 3
    assert found(case(EACH), crossed=True) >= 0.8 * found(case(POOLED), crossed=True)


def test_networks_learned_apart_need_alignment_or_the_picture():
    as_is, aligned, picture = (case(EACH, APART, query) for query in (AS_IS, ALIGNED, PICTURE))
    assert found(as_is, crossed=True) < found(aligned, crossed=True)
    assert found(as_is, crossed=True) < found(picture, crossed=True)
    # a network turned around sees the same: nothing is lost by the turn itself
    assert picture.found_s == case(EACH).found_s


def test_nobody_is_found_whom_no_camera_could_show():
    bound = reachable(small_day(children=36, cameras=90), 0)
    for time, possible in zip(case(POOLED).sighted_s, bound.sighted_s, strict=True):
        assert time is None or (possible is not None and time >= possible)


def test_passers_by_are_counted():
    home = case(HOME)
    assert max(home.shown) <= 60
    assert sum(home.wrongly) < 0.05 * sum(home.shown)
    assert np.mean(home.shown) > np.mean(case(EACH).shown)


def test_the_same_case_ends_the_same_way_again():
    way = Way("again", GIVEN, EACH)
    assert measure(at(), way).found_s == case(EACH).found_s


def test_the_table_has_a_row_a_way_and_the_goals_by_it():
    cases = [measure(at(), way) for way in WAYS[:3]] + [reachable(at().day, 0)]
    page = text(cases)
    assert all(f"| {one.way} |" in page for one in cases)
    share = (
        100
        * len([one for one in cases[2].found_s if one is not None])
        / len([one for one in cases[1].found_s if one is not None])
    )
    assert f"At least 90 % of pooling: {share:.0f} %" in page
    assert "not all three ways" in text(cases[:1])


def test_an_unknown_way_is_refused_by_name():
    assert ways_of([WAYS[0].name]) == [WAYS[0]]
    with pytest.raises(ValueError, match=re.escape("no way by pigeon; there are")):
        ways_of(["by pigeon"])


def test_the_service_finds_children_over_the_border_by_its_own_answers_and_paths():
    way = Way("service", GIVEN, EACH, service=PRESET)
    service = measure(at(), way)
    assert found(service, crossed=True) >= 3
    day = at().day
    for time, possible in zip(service.sighted_s, reachable(day, 0).sighted_s, strict=True):
        assert time is None or possible is not None
    assert max(service.shown) <= 60


def test_an_owner_of_the_service_answers_within_its_terms():
    [*owners] = map(service_owner, at().owners(Way("service", GIVEN, EACH), 1))
    for owner in owners:
        rows = owner.hits(86_400.0)
        assert len(rows) <= APPLICATION.terms.most_hits
        assert (owner.score_R[rows] >= APPLICATION.terms.least_score).all()
        np.testing.assert_allclose(owner.score_R * 100, np.round(owner.score_R * 100), atol=1e-9)


def test_scores_are_fitted_to_pictures_by_different_cameras():
    model = fitted_scores(PICTURES)
    own_I, camera_I = PICTURES.person_I, PICTURES.camera_I
    like_II = PICTURES.embedding_IE @ PICTURES.embedding_IE.T
    same_II = (own_I[:, None] == own_I) & (camera_I[:, None] != camera_I)
    assert model.same == pytest.approx(like_II[same_II].mean(), abs=0.01)
    assert model.other == pytest.approx(like_II[own_I[:, None] != own_I].mean(), abs=0.01)
    assert model.same > model.other + 3 * model.other_sd
