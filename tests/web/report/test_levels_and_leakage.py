"""Beside each party's level stand what set it, and what its layers leak, as measured."""

from fake_results import fake_results
from house_records import PARTY, SERVICE, audit

from deepcity.audit.audit_file import audits_of_run
from deepcity.cli.summary import extra_lines, tables
from deepcity.runs.note import Note
from deepcity.web.report.page import render
from deepcity.web.report.tables import level_rows

BOUND = Note(code="level_by_leakage", numbers={"r2": 0.62, "most_r2": 0.5})


def bounded(bound=BOUND):
    """The results, with what set the first party's level."""
    results = fake_results()
    first = results.services[0]
    parties = [first.parties[0].model_copy(update={"level_bound": bound}), *first.parties[1:]]
    services = [first.model_copy(update={"parties": parties}), *results.services[1:]]
    return results.model_copy(update={"services": services})


def test_the_report_tells_what_set_a_level_in_both_languages():
    page = render(bounded())
    assert "The leakage limit set the level, not accuracy" in page
    assert "정확도가 아니라 누출 한도가 단계를 정했습니다" in page
    assert "not accuracy" not in render(fake_results())


def test_the_terminal_names_a_level_that_a_limit_set_and_no_other():
    assert any("R² of 0.62 is over the 0.5" in line for line in extra_lines(bounded()))
    accuracy = bounded(Note(code="level_by_accuracy", numbers={"offered": 6}))
    assert not any("Accuracy" in line for line in extra_lines(accuracy))
    (column,) = [one for one in tables(bounded(), 200)[0].columns if str(one.header) == "set by"]
    assert [*column.cells][:2] == ["leakage", ""]
    assert "set by" not in {str(one.header) for one in tables(accuracy, 200)[0].columns}


def test_measured_leakage_stands_beside_a_level_or_how_to_measure_it(tmp_path):
    audit(tmp_path, {"h1": 0.954, "h2": 0.5, "forecast": -0.1})
    service = bounded().services[0]
    first, other = level_rows(service, audits_of_run(tmp_path))[:2]
    assert first.leakage.en == (
        "Measured leakage (R² from 24 releases): h1 0.95, h2 0.50, forecast alone 0.00."
    )
    assert first.leakage.ko == "측정한 누출(잇따른 24번의 R²): h1 0.95, h2 0.50, 예측만 0.00."
    name = service.parties[1].name
    assert other.leakage.en == f"Leakage not measured: “deepcity audit RUN --party {name}”."
    assert "“deepcity audit RUN” measures it" in render(bounded())
    assert "“deepcity audit RUN” measures it" not in render(bounded(), audits_of_run(tmp_path))
    assert (SERVICE.name, PARTY.name) == (service.name, service.parties[0].name)
