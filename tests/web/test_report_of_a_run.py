"""The report of a real run, small but whole."""

import pytest
from little_map import service, three

from deepcity.maps.city_map import load_map
from deepcity.parties.method_errors import AUTOMATIC, fixed_level_name
from deepcity.runs.run import run_map
from deepcity.web.report.charts.idea import typical
from deepcity.web.report.figures import size
from deepcity.web.report.findings import traffic_of
from deepcity.web.report.headline import tiles
from deepcity.web.report.page import render
from deepcity.web.report.text import translate


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    path = three(folder).write(service(levels=(2,), rounds=2, settings="pooled = false"))
    return run_map(load_map(path), folder / "run")


def test_the_bytes_tile_shows_what_the_deepest_joined_training_sent(results):
    deepest = traffic_of(results.services[0], fixed_level_name(6))
    sent = sum(deepest.bytes_by_layer.values())
    assert sent > sum(traffic_of(results.services[0], fixed_level_name(2)).bytes_by_layer.values())
    (tile,) = [t for t in tiles(results.services) if t.label == translate("tile.bytes")]
    assert tile.value.en == size(sent)
    assert size(sent) in render(results)


def test_the_map_shows_what_each_party_sent(results):
    page, (only,) = render(results), results.services
    for sent in traffic_of(only, AUTOMATIC).bytes_by_party.values():
        assert sent > 0
        assert translate("map.sent", bytes=size(sent)).en in page


def test_the_picture_shows_the_stem_as_it_was(results, tmp_path):
    path = three(tmp_path).write(
        service(levels=(2,), rounds=1, settings="pooled = false", grant='stem = "common"')
    )
    shared = run_map(load_map(path), tmp_path / "run")
    assert _alt("idea.alt", results) in render(results)
    page = render(shared)
    assert _alt("idea.alt_stem", shared) in page


def test_the_picture_shows_the_levels_of_the_run(results):
    page, (only,) = render(results), results.services
    shown = typical(only.parties)
    nodes = sum(min(party.level, 6) for party in shown)
    assert page.count("node common") == nodes
    assert [party.level for party in shown] == sorted(party.level for party in shown)
    for party in shown:
        assert f">{party.title.en[:14]}" in page


def _alt(key, results):
    parties = typical(results.services[0].parties)
    levels = ", ".join(f"{party.title.en}: {party.level}" for party in parties)
    return translate(key, levels=levels).en


def test_a_party_without_others_reads_nothing_of_joining(tmp_path):
    town = three(tmp_path)
    path = town.write(service(levels=(), rounds=1, settings="pooled = false"))
    text = path.read_text(encoding="utf-8").replace('parties = ["*/*"]', 'parties = ["west/*"]')
    path.write_text(text, encoding="utf-8")
    page = render(run_map(load_map(path), tmp_path / "run"))
    assert translate("idea.caption_alone").en in page
    assert translate("map.title").en not in page
    assert 'class="finding"' not in page
