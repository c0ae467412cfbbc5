"""The page tells the number that matters first, shows the ridge, and fits a phone."""

import re
from pathlib import Path

import pytest
from little_map import service, three

import deepcity
from deepcity.parties.method_errors import ALONE, AUTOMATIC, RIDGE
from deepcity.web.report import page as page_module
from deepcity.web.report.charts.curves import method_name
from deepcity.web.report.headline import tiles
from deepcity.web.report.page import render
from deepcity.web.report.tables import METHODS, error_table
from deepcity.web.report.text import translate


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    path = three(folder).write(service(levels=(2,), rounds=1, settings="pooled = false"))
    return deepcity.Federation(path, folder / "run").fit().results


def test_the_first_number_is_what_joining_saved(results):
    first = tiles(results.services)[0]
    assert first.label in {translate(f"tile.mean_{tone}") for tone in ("gain", "same", "loss")}


def test_every_method_that_was_computed_has_a_column(results):
    (only,) = results.services
    table = error_table(only)
    assert [words for words, _ in table.heads] == [
        method_name(method) for method in METHODS if method in only.parties[0].test
    ]
    assert RIDGE in table.styles


def test_cells_are_hidden_with_their_headings(results):
    (only,) = results.services
    table = error_table(only)
    heads = [style for _, style in table.heads]
    assert "fixed" in heads
    assert [cell.style for cell in table.means] == heads
    assert all([cell.style for cell in cells] == heads for _, cells in table.rows)


def test_on_a_phone_only_the_main_methods_are_shown_at_first(results):
    page = render(results)
    assert 'class="all-methods"' in page
    css = (Path(page_module.__file__).parent / "templates" / "style.css").read_text()
    (hidden,) = re.findall(
        r"\.all-methods:has\(input:not\(:checked\)\) \+ \.scroll :is\((.*?)\)", css
    )
    columns = set(re.findall(r'<th scope="col" class="m-([^"]+)"', page))
    left = columns - set(hidden.replace(".m-", "").split(", "))
    assert left == {ALONE, AUTOMATIC, "same_hour_last_week"}
