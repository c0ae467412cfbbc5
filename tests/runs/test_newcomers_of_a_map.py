"""Newcomers as a map says them: they send nothing and start from what the others learned."""

import pytest
from little_map import service, three

from deepcity.city.errors import ConfigError
from deepcity.maps.city_map import load_map
from deepcity.runs.run import load_results, run_map
from deepcity.web.report.notes import note
from deepcity.web.report.page import render

LATE = 'newcomers = ["west/office"]\npooled = false'


def written(folder, settings=LATE, **how):
    return three(folder).write(service(levels=(2,), rounds=2, settings=settings, **how))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("newcomers")
    path = written(folder, grant='stem = "common"', span='scarce = { "west/office" = 10 }')
    return run_map(load_map(path), folder / "run"), folder


def test_a_newcomer_sends_nothing_and_is_in_no_fusion(done):
    (only,) = done[0].services
    by_name = {party.name: party for party in only.parties}
    assert [by_name[name].newcomer for name in sorted(by_name)] == [False, False, True]
    for traffic in only.traffic:
        if traffic.method != "alone":
            assert set(traffic.bytes_by_party) == {"east/north", "east/south"}


def test_a_newcomer_is_evaluated_by_the_same_methods_as_the_others(done):
    (only,) = done[0].services
    late = next(party for party in only.parties if party.newcomer)
    assert set(late.test) == set(only.parties[0].test)
    assert set(late.validation_mae) == set("0123456")
    assert late.scarce
    (one,) = late.notes
    said = note(one).en
    assert "started from layers that 2 others had learned" in said
    assert "before any training of its own" in said
    assert not only.parties[0].notes


def test_what_it_starts_from_is_what_the_others_learn_without_it(done, tmp_path):
    (only,) = done[0].services
    little = three(tmp_path)
    del little.parties["west/office"]
    path = little.write(
        service(levels=(2,), rounds=2, settings="pooled = false", grant='stem = "common"')
    )
    (without,) = run_map(load_map(path), tmp_path / "run").services
    for party in without.parties:
        same = next(own for own in only.parties if own.name == party.name)
        assert same.test["level_6"] == party.test["level_6"]


def test_the_report_says_who_is_new(done):
    page = render(load_results(done[1] / "run"))
    assert "newcomer" in page
    assert "새로 참여한 곳" in page


def test_with_a_private_stem_there_is_no_first_day_without_training(tmp_path):
    (only,) = run_map(load_map(written(tmp_path)), tmp_path / "run").services
    late = next(party for party in only.parties if party.newcomer)
    assert "as they came" not in note(late.notes[0]).en


@pytest.mark.parametrize(
    ("settings", "key", "reason"),
    [
        ('newcomers = ["west/offic"]', "newcomers", "not a party"),
        ('newcomers = ["west/office"]\nautomatic = false', "newcomers", "no layers to start from"),
        ('newcomers = ["west/office", "east/north", "east/south"]', "newcomers", "all parties"),
        (
            'newcomers = ["west/office"]\nparticipation = { joins = { "west/office" = 2 } }',
            "newcomers",
            "takes part in no round",
        ),
    ],
)
def test_newcomers_that_cannot_be_are_refused(tmp_path, settings, key, reason):
    with pytest.raises(ConfigError) as error:
        load_map(written(tmp_path, settings))
    found = [problem for problem in error.value.problems if key in problem.key]
    assert reason in found[0].reason
