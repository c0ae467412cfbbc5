"""Who was set aside is named with the evidence: in results, in the report and in the terminal."""

from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from fake_results import fake_results

from deepcity.cli.summary import extra_lines
from deepcity.exchange.coordinator import Training
from deepcity.exchange.exchange import Failure
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.rounds import Progress
from deepcity.exchange.strategies import StrategyState
from deepcity.exchange.trust.refusals import RefusedUpdate
from deepcity.learning.ensemble.loss_allowance import FORECASTS
from deepcity.learning.ensemble.multi_view_ensemble import (
    EnsembleForecast,
    init_ensemble,
    run_ensemble,
)
from deepcity.runs.notes import service_notes
from deepcity.runs.results import AllowanceSpent, LevelSetAside
from deepcity.runs.set_aside import levels_set_aside, spans_spent
from deepcity.web.report.notes import allowance_spent, note, notes_of, set_aside

HOUR = 3600
START = int(datetime(2024, 3, 1, tzinfo=UTC).timestamp())
JOINED = np.array([False, True, True])


def evidence(*rows):
    """An ensemble's forecast with these (error, bound) of its second expert, third the same."""
    error_B, bound_B = (np.array(column, float) for column in zip(*rows, strict=True))
    error_BE = np.stack([np.zeros_like(error_B), error_B, error_B], axis=1)
    bound_BE = np.stack([np.full_like(bound_B, np.inf), bound_B, bound_B], axis=1)
    return EnsembleForecast(None, None, None, error_BE, bound_BE)


def spans(validation, tested, levels=(0, 1, 3)):
    known, later = len(validation), len(tested)
    party = SimpleNamespace(
        validation_origins=np.arange(known),
        test_origins=np.arange(known, known + later),
        panel=SimpleNamespace(time_T=START + HOUR * np.arange(known + later)),
    )
    choice = SimpleNamespace(
        experts=[(level, None) for level in levels], validation=evidence(*validation)
    )
    return levels_set_aside(party, choice, evidence(*tested))


GOOD, BAD, WORSE = (1.0, 2.0), (3.0, 2.0), (5.0, 2.0)


def test_spans_with_their_worst_evidence_and_levels_of_one_span_together():
    found = spans([GOOD, GOOD], [GOOD, BAD, WORSE, GOOD, BAD])
    assert found == [
        LevelSetAside(
            levels=[1, 3], since=START + 3 * HOUR, back=START + 5 * HOUR, error=5.0, bound=2.0
        ),
        LevelSetAside(levels=[1, 3], since=START + 6 * HOUR, back=None, error=3.0, bound=2.0),
    ]


def test_what_ended_before_the_test_days_is_left_out_and_what_lasts_began_before_them():
    assert spans([BAD, GOOD], [GOOD, GOOD]) == []
    (one,) = spans([GOOD, BAD], [BAD, GOOD])
    assert (one.since, one.back) == (START + HOUR, START + 3 * HOUR)
    (one,) = spans([BAD, GOOD], [GOOD, BAD])
    assert (one.since, one.back) == (START + 3 * HOUR, None)


def test_without_experts_that_can_be_set_aside_there_is_no_evidence():
    nothing = EnsembleForecast(None, None, None)
    assert levels_set_aside(None, SimpleNamespace(validation=nothing), nothing) == []


def test_an_ensemble_keeps_the_evidence_of_a_turncoat_at_each_origin():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(300, 1, 1)).astype(np.float32)
    own = truth + rng.choice([-1.0, 1.0], truth.shape).astype(np.float32)
    turned, honest = truth.copy(), truth.copy()
    turned[200:240] += 6
    experts = np.stack([own, turned, honest])
    parts = np.zeros((300, 1), int)
    begun = init_ensemble([0.4, 0.3, 0.3], 1, JOINED)
    found = run_ensemble(experts, truth, np.arange(300), parts, begun)
    aside_BE = found.error_BE > found.bound_BE
    assert not aside_BE[:, [0, 2]].any()
    assert not aside_BE[:201, 1].any()  # the first bad truth is known one step later
    assert aside_BE[201:242, 1].all()
    assert not aside_BE[-1, 1]
    assert (
        run_ensemble(experts, truth, np.arange(300), parts, init_ensemble([1, 1, 1], 1)).error_BE
        is None
    )


def spent(validation, tested):
    known, later = len(validation), len(tested)
    party = SimpleNamespace(
        validation_origins=np.arange(known),
        test_origins=np.arange(known, known + later),
        panel=SimpleNamespace(time_T=START + HOUR * np.arange(known + later)),
    )
    before, after = (
        EnsembleForecast(None, None, None, lost_B=np.array(lost_B) if lost_B else None)
        for lost_B in (validation, tested)
    )
    return spans_spent(party, SimpleNamespace(validation=before), after)


def test_when_the_allowance_was_spent_is_told_with_the_most_that_was_lost():
    some, over = FORECASTS / 2, FORECASTS + 1
    assert spent([over, some], [some, FORECASTS]) == []
    assert spent([some], []) == []
    assert spent([some, over], [over + 1, some, over]) == [
        AllowanceSpent(since=START + HOUR, back=START + 3 * HOUR, lost=over + 1, allowed=FORECASTS),
        AllowanceSpent(since=START + 4 * HOUR, back=None, lost=over, allowed=FORECASTS),
    ]


def test_an_ensemble_tells_what_was_lost_at_each_origin():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(300, 1, 6)).astype(np.float32)
    own = truth + rng.choice([-1.0, 1.0], truth.shape).astype(np.float32)
    turned = truth.copy()
    turned[200:, :, 1:] += 100  # right in the step that is watched
    parts, begun = np.zeros((300, 6), int), init_ensemble([0.5, 0.5], 1, JOINED[:2])
    found = run_ensemble(np.stack([own, turned]), truth, np.arange(300), parts, begun)
    assert not found.lost_B[:201].any()
    assert found.lost_B[201:].max() > FORECASTS
    alone = run_ensemble(own[None], truth, np.arange(300), parts, init_ensemble([1], 1))
    assert alone.lost_B is None


def test_a_spent_allowance_in_both_languages_and_in_the_terminal():
    first = AllowanceSpent(since=START, back=START + HOUR, lost=4.25, allowed=2.5)
    last = AllowanceSpent(since=START, back=None, lost=3.0, allowed=2.5)
    whole = with_found(allowance_spent=[first, last])
    party = whole.services[0].parties[0]
    (text,) = allowance_spent(party)
    assert "since 1 Mar 2024" in text.en
    assert "as much as 3 whole forecasts" in text.en
    assert "Earlier spans in results.json: 1." in text.en
    assert "허용된 2.5번분" in text.ko
    assert text in notes_of(party)
    assert [line for line in extra_lines(whole) if "had lost what they may since" in line]
    (back,) = allowance_spent(with_found(allowance_spent=[first]).services[0].parties[0])
    assert "from 1 Mar 2024" in back.en
    assert allowance_spent(fake_results(2).services[0].parties[0]) == []


def with_spans(*found):
    return with_found(set_aside=list(found))


def with_found(**found):
    whole = fake_results(2)
    service = whole.services[0]
    party = service.parties[0].model_copy(update=found)
    service = service.model_copy(update={"parties": [party, *service.parties[1:]]})
    return whole.model_copy(update={"services": [service, *whole.services[1:]]})


def test_the_sentences_in_both_languages_and_in_the_terminal():
    first = LevelSetAside(levels=[2], since=START, back=START + HOUR, error=9.0, bound=4.0)
    last = LevelSetAside(levels=[1, 6], since=START, back=None, error=4.25, bound=2.0)
    whole = with_spans(first, last)
    party = whole.services[0].parties[0]
    (text,) = set_aside(party)
    assert text.en.startswith("Level 1, 6 set aside since 1 Mar 2024,")
    assert "erred by 4.25" in text.en
    assert "over the bound of 2" in text.en
    assert "Earlier spans in results.json: 1." in text.en
    assert "단계 1, 6" in text.ko
    assert "2024년 3월 1일" in text.ko
    assert text in notes_of(party)
    assert [line for line in extra_lines(whole) if "Level 1, 6 set aside since" in line]
    (back,) = set_aside(with_spans(first).services[0].parties[0])
    assert "from 1 Mar 2024" in back.en
    assert set_aside(fake_results(2).services[0].parties[0]) == []


@pytest.mark.parametrize(
    ("back", "english", "korean"),
    [
        (
            None,
            "counts in no average since (1 of 3 good updates so far)",
            "좋은 갱신 3번 가운데 1번",
        ),
        (8, "after 3 good ones it counts again from round 8", "라운드 8부터 다시"),
    ],
)
def test_a_refused_party_is_named_once_with_the_evidence(back, english, korean):
    refusal = RefusedUpdate("west/office", "h1/weight has 6 values that are not finite", 4, 1, back)
    failures = ((),) * 3 + ((Failure("west/office", "not finite"),),) * 4
    progress = Progress(
        7, StrategyState({}), {}, {"west/office": 1.0}, failures=failures, refusals=(refusal,)
    )
    settings = SimpleNamespace(
        grant=SimpleNamespace(level=6, stem_of=lambda _: "private"),
        automatic=False,
        levels=(),
        newcomers=(),
        strategy=SimpleNamespace(weighting="rows"),
    )
    profile = SimpleNamespace(stem_group="1", head_group="1")
    profiles = {"west/office": profile, "east/north": profile}
    training = Training({"west/office": 6}, progress, Ledger())
    (one,) = service_notes(settings, profiles, None, training)
    text = note(one)
    assert english in text.en
    assert "west/office's update was refused in round 4" in text.en
    assert "6 values that are not finite" in text.en
    assert korean in text.ko
