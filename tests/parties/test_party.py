"""From records to parties: spans, scarce parties, bad records, and the pooled bound."""

import numpy as np
import pytest
from little_map import LittleMap, flows, service, three

from deepcity.city.errors import DataError
from deepcity.data.windows import Span
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.parties.pooling import can_pool, place_slices, pooled_party

DAY = 24


def loaded(path):
    (only,) = load_map(path).services
    return only, parties_of(only)


def test_spans_follow_one_another_and_the_test_span_is_common(tmp_path):
    _, parties = loaded(three(tmp_path).write())
    for party in parties:
        assert party.split.train == Span(0, 26 * DAY)
        assert party.split.validation == Span(26 * DAY, 31 * DAY)
        assert party.split.test == Span(31 * DAY, 36 * DAY)
        assert party.test_origins[0] == 31 * DAY
        assert party.test_origins[-1] == 36 * DAY - 6
        assert party.validation_origins[-1] + 6 <= 31 * DAY
        assert party.train_days == 26
        assert not party.scarce


def test_validation_origins_may_be_thinned_as_test_origins_are(tmp_path):
    span = f"validation_stride = {DAY}\ntest_stride = {DAY}"
    _, parties = loaded(three(tmp_path).write(service(span=span)))
    for party in parties:
        evenings = [day * DAY - 6 for day in range(27, 37)]  # six hours before a midnight
        assert party.validation_origins.tolist() == evenings[:5]
        assert len(party.data.validation) == 5
        assert party.test_origins.tolist() == evenings[5:]


def test_a_scarce_party_knows_nothing_of_earlier_days(tmp_path):
    little, only = three(tmp_path), service(span='scarce = { "west/office" = 9 }')
    _, parties = loaded(little.write(only))
    scarce = parties[-1]
    assert scarce.scarce
    assert scarce.split.train == Span(22 * DAY, 28 * DAY)  # its last third validates
    assert scarce.split.validation == Span(28 * DAY, 31 * DAY)
    changed = little.parties["west/office"].copy()
    changed[: 22 * DAY] = 999.0
    _, again = loaded(little.party("west/office", changed).write(only))
    other = again[-1]
    for before, after in ((scarce.data.train, other.data.train), (scarce.test, other.test)):
        np.testing.assert_array_equal(before.baseline_BNH, after.baseline_BNH)
        np.testing.assert_array_equal(before.features_BNF, after.features_BNF)
        np.testing.assert_array_equal(before.truth_BNH, after.truth_BNH)
    np.testing.assert_array_equal(scarce.inputs.scale_N1, other.inputs.scale_N1)
    np.testing.assert_array_equal(scarce.data.ridge_skip_HS, other.data.ridge_skip_HS)


def test_every_party_whose_records_do_not_suffice_is_reported(tmp_path):
    little = LittleMap(tmp_path).party("a/good", flows(places=1))
    little.party("a/tiny", flows(places=1)[:10])
    missing = flows(places=1)
    missing[26 * DAY : 31 * DAY] = np.nan
    little.party("b/gap", missing)
    with pytest.raises(DataError) as refused:
        loaded(little.write())
    reported = {problem.file: problem for problem in refused.value.problems}
    assert set(reported) == {"a/tiny", "b/gap"}
    assert "0.4 days leave none to train on" in reported["a/tiny"].reason
    assert "validation span holds no measured value" in reported["b/gap"].reason
    assert all(problem.right for problem in reported.values())


def test_a_span_too_short_for_one_window_is_reported(tmp_path):
    little = LittleMap(tmp_path).party("a/x", flows(days=11, places=3)).party("a/y", flows())
    path = little.write(service(horizon=30))
    with pytest.raises(DataError, match="the training span has 24 steps; one window needs 36"):
        loaded(path)


def test_too_few_days_of_a_scarce_party_are_reported_as_such(tmp_path):
    path = three(tmp_path).write(service(horizon=24, span='scarce = { "west/office" = 2 }'))
    with pytest.raises(DataError, match=r"span.scarce = '2': the last third of these days"):
        loaded(path)


def test_a_span_beyond_the_records_is_reported(tmp_path):
    path = three(tmp_path).write(service(span="start = 2031-01-01"))
    with pytest.raises(DataError, match=r"0\.0 days leave none"):
        loaded(path)


def test_pooling_needs_one_clock_and_company(tmp_path):
    _, parties = loaded(three(tmp_path).write())
    assert can_pool(parties)
    assert not can_pool(parties[:1])
    longer = LittleMap(tmp_path / "b")
    (tmp_path / "b").mkdir()
    longer.party("a/x", flows()).party("a/y", flows(days=40))
    assert not can_pool(loaded(longer.write())[1])


def test_the_pooled_party_is_the_parties_side_by_side(tmp_path):
    path = three(tmp_path).write(service(span='scarce = { "west/office" = 9 }'))
    only, parties = loaded(path)
    pooled = pooled_party(only, parties)
    slices = place_slices(parties)
    assert [s.stop - s.start for s in slices] == [1, 2, 1]
    for party, places in zip(parties, slices, strict=True):
        np.testing.assert_array_equal(pooled.test.truth_BNH[:, places], party.test.truth_BNH)
        own = pooled.panel.values_TNF[:, places, 0]
        begin = party.split.train.start
        assert np.isnan(own[:begin]).all()
        np.testing.assert_array_equal(own[begin:], party.panel.values_TNF[begin:, :, 0])
    # trained on and chosen by only in each place's own spans
    horizon = pooled.test.truth_BNH.shape[-1]
    known = np.isfinite(pooled.data.train.truth_BNH).all(axis=-1)
    counts = [known[:, places].sum(axis=0).max() for places in slices]
    full = 26 * DAY - horizon + 1 - 6
    late = 6 * DAY - horizon + 1
    assert counts == [full, full, late]
    chosen_by = np.isfinite(pooled.data.validation.truth_BNH).all(axis=-1)
    for party, places in zip(parties, slices, strict=True):
        used = pooled.validation_origins[chosen_by[:, places].any(axis=1)]
        assert used.min() >= party.split.validation.start
        assert used.max() + horizon <= party.split.validation.end


def test_constant_and_empty_places_do_not_stop_a_party(tmp_path):
    values = flows(places=3)
    values[:, 1] = 7.0
    values[:, 2] = np.nan
    _, parties = loaded(LittleMap(tmp_path).party("a/x", values).write())
    (party,) = parties
    assert np.isfinite(party.test.features_BNF).all()
    assert (party.test.baseline_BNH[:, 1] == 7.0).all()
    assert np.isnan(party.test.truth_BNH[:, 2]).all()


def test_a_party_listens_along_the_graph_that_its_city_file_names(tmp_path):
    """p0 beside p1 only: the first view of p0's surroundings is p1 as it is, and p2 hears none."""
    path = LittleMap(tmp_path).party("town/water", flows(places=3)).write(service())
    (tmp_path / "graph.csv").write_text("from,to\np0,p1\np1,p0\n", encoding="utf-8")
    city = tmp_path / "town.toml"
    named = 'adjacency = { source = "graph", from = "from", to = "to" }\nplaces ='
    text = city.read_text(encoding="utf-8").replace("places =", named)
    graph = '[[source]]\nname = "graph"\nformat = "csv"\npath = "graph.csv"\n'
    city.write_text(text + graph, encoding="utf-8")
    (_, (party,)) = loaded(path)
    mixed_TN, own_TN = party.inputs.mixed_TN[0], party.inputs.deviation_TN
    np.testing.assert_allclose(mixed_TN[:, [0, 1]], own_TN[:, [1, 0]], rtol=1e-5)
    assert not mixed_TN[:, 2].any()
