"""A newcomer on its first day, at 24 hours from 24 hours: no window of its own is whole."""

from dataclasses import replace

import numpy as np
import pytest
from little_map import LittleMap, service

from deepcity.city.errors import DataError
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.runs.run import load_results, run_map
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.runs.update.request import UpdateRequest
from deepcity.runs.update.results import UpdateOutcome
from deepcity.runs.update.run import refine_map
from deepcity.store.run_folder import site_folder
from deepcity.web.report.notes import note
from deepcity.web.report.page import render

DAY, LATE = 24, "west/office"
LATER = 10  # days that come after the run


def flows(days, places, seed):
    """(T, N) hourly: weekends half as high, which one Wednesday cannot know, and slow swings."""
    rng = np.random.default_rng(seed)
    hours = np.arange(days * DAY)
    law = (10 + 3 * np.sin(2 * np.pi * hours / 24)) * np.where(hours // DAY % 7 >= 5, 0.5, 1.0)
    swing = np.zeros((len(hours), places))
    for hour in hours[1:]:
        swing[hour] = 0.9 * swing[hour - 1] + 0.4 * rng.normal(size=places)
    return law[:, None] * (1 + np.arange(places)) + swing


def town(folder, *, late=None, days=36):
    """Three parties of 36 days; the newcomer's records may be others, and may begin late."""
    folder.mkdir(parents=True, exist_ok=True)
    little = LittleMap(folder)
    for seed, name in enumerate(("east/north", "east/south")):
        little.party(name, flows(46, 1 + seed, seed)[: days * DAY])
    return little.party(LATE, flows(46, 1, 2)[: days * DAY] if late is None else late)


def written(little, *, own="1", stem="common", newcomer=True):
    content = f'newcomers = ["{LATE}"]\npooled = false' if newcomer else "pooled = false"
    text = service(
        levels=(),
        horizon=24,
        rounds=3,
        local_steps=10,
        refit_steps=6,
        settings=content,
        span=f'scarce = {{ "{LATE}" = {own} }}',
        grant=f'stem = "{stem}"',
    )
    return little.write(text.replace("history = 6", "history = 24"))


def run(path):
    """The newcomer's result, and the page about all."""
    (only,) = run_map(load_map(path), path.parent / "run").services
    page = render(load_results(path.parent / "run"))
    return next(party for party in only.parties if party.newcomer), page


def refine(path):
    found, trouble = refine_map(
        load_map(path), path.parent / "run", asked=UpdateRequest(parties=(LATE,))
    )
    assert trouble is None
    return found.parties[0]


def is_finite(late):
    content = (late.forecast.forecast, late.forecast.low, late.forecast.high)
    return all(np.isfinite(values).all() for values in content) and np.isfinite(
        late.test["automatic"].mae
    )


@pytest.fixture(scope="module")
def first_day(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first-day")
    path = written(town(folder))
    return *run(path), path


def test_what_came_beats_what_one_day_teaches(first_day):
    late, _, _ = first_day
    assert is_finite(late)
    assert late.train_days == pytest.approx(16 / 24)
    assert late.test["level_6"].mae < late.test["alone"].mae
    assert late.test["automatic"].mae < late.test["alone"].mae


def test_its_band_is_open_from_the_first_hour(first_day):
    late, _, _ = first_day
    assert late.band_coverage > 0.5
    assert (np.subtract(late.forecast.high, late.forecast.low) > 0).all()


def test_the_report_tells_of_it_without_a_word_that_is_no_figure(first_day):
    late, page, _ = first_day
    assert "newcomer" in page
    assert "doubt inf" not in note(late.level_reason).en
    assert ">nan<" not in page.lower()
    assert ">inf<" not in page.lower()


def test_it_is_refined_when_its_days_have_come(first_day, tmp_path):
    _, _, path = first_day
    before = BundleStore.of(site_folder(path.parent / "run", LATE)).load("water", LATE)
    written(town(path.parent, days=36 + LATER))
    found = refine(path)
    assert found.number == 1
    assert found.outcome in (UpdateOutcome.REFINED, UpdateOutcome.KEPT)
    assert np.isfinite([found.kept, found.refined, found.last_week]).all()
    after = BundleStore.of(site_folder(path.parent / "run", LATE)).load("water", LATE)
    assert after.times.seen_to > before.times.seen_to
    assert len(after.days) > len(before.days)


@pytest.mark.parametrize("stem", ["common", "private"])
def test_records_may_begin_on_that_day_with_none_to_choose_by(tmp_path, stem):
    """Six hours, the last two of them not measured; there is nothing in the panel before."""
    whole = flows(46, 1, 2)
    own = whole[(31 * DAY - 6) : 36 * DAY].copy()
    own[4:6] = np.nan
    path = written(town(tmp_path, late=own), own="0.25", stem=stem)
    late, page = run(path)
    assert is_finite(late)
    assert not late.validation_mae
    assert "No value was measured on its validation days" in note(late.level_reason).en
    assert late.weights["alone"] == pytest.approx(0.5)
    assert late.weights_after["alone"] != pytest.approx(0.5)  # it learned as truths came in
    assert ">nan<" not in page.lower()
    own = whole[(31 * DAY - 6) :].copy()
    own[4:6] = np.nan
    written(town(tmp_path, late=own, days=46), own="0.25", stem=stem)
    assert refine(path).number == 1


def test_whoever_is_no_newcomer_is_refused_with_a_hint_at_newcomers(tmp_path):
    for own, key in ((1, "training steps"), (2.9, "training steps")):
        path = written(town(tmp_path), own=own, newcomer=False)
        with pytest.raises(DataError) as refused:
            parties_of(load_map(path).services[0])
        (problem,) = refused.value.problems
        assert (problem.file, problem.key) == (LATE, key)
        assert "newcomers" in problem.right


def test_days_without_one_step_are_refused(tmp_path):
    path = written(town(tmp_path), own=0.01)
    with pytest.raises(DataError, match="leave no step to train on"):
        parties_of(load_map(path).services[0])


def test_who_has_days_enough_learns_the_same_rows_as_a_newcomer(tmp_path):
    (one,) = load_map(written(town(tmp_path), own=9, newcomer=False)).services
    plain = parties_of(one)[-1]
    settings = one.settings.model_copy(update={"newcomers": (LATE,)})
    new = parties_of(replace(one, settings=settings))[-1]
    for part in ("train", "validation"):
        before, after = getattr(plain.data, part), getattr(new.data, part)
        for name in ("features_BNF", "linear_BNHS", "baseline_BNH", "truth_BNH", "scale_N1"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
    np.testing.assert_array_equal(plain.data.ridge_skip_HS, new.data.ridge_skip_HS)
    np.testing.assert_array_equal(plain.test.features_BNF, new.test.features_BNF)
