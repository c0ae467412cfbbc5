"""The page of `deepcity train-vertical`: whole, in both languages, honest and legible."""

import math
import re

import pytest
from fake_vertical_results import fake_agency, fake_party, fake_vertical_results
from hypothesis import given, settings
from hypothesis import strategies as st
from page_outline import outline
from release_ledgers import key_of, release

from deepcity.city.localized_text import LocalizedText
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.release import GrantScope, ReleaseForm
from deepcity.store.run_folder import site_folder
from deepcity.web.report.charts.fit import fit, wide
from deepcity.web.report.house.vertical import vertical_houses
from deepcity.web.report.text import same
from deepcity.web.report.vertical_headline import findings, lead, tiles
from deepcity.web.report.vertical_page import render_vertical
from deepcity.web.report.vertical_tables import errors, feature_parties

MODES = ("block-wise", "one-shot", "per-batch")
LONG = LocalizedText(
    en="Metropolitan Administration for Meteorology, Hydrology and Seismic Observation",
    ko="수도권 광역 기상 수문 지진 관측 종합 행정 관리 본부 및 부속 연구소",
)
SIZES = {"idea": 13.5, "plot": 12.5, "wide": 12.5}


def bare(page):
    """Without script and style."""
    return re.sub(r"<script>.*?</script>|<style>.*?</style>", "", page, flags=re.S)


def page_text(results, language="en"):
    shown = [(t.value, t.label, t.note) for t in tiles(results)]
    return " | ".join(getattr(words, language) for tile in shown for words in tile)


def whole():
    long = fake_agency("sky", LONG, fields=[(f"field_{n}", "ug/m3") for n in range(12)])
    agencies = (*(f"a{n}" for n in range(5)), long)
    return fake_party("metro", agencies=agencies, modes=MODES, seeds=3, title=LONG)


PAGES = {
    "one agency": fake_vertical_results(fake_party()),
    "no agency": fake_vertical_results(fake_party(agencies=(), gain=0.0)),
    "six agencies, three modes and seeds, long names": fake_vertical_results(whole(), seeds=3),
    "eight agencies": fake_vertical_results(fake_party(agencies=tuple("abcdefgh"), gain=-0.04)),
    "several parties": fake_vertical_results(
        *(fake_party(name) for name in ("bikes", "metro", "power"))
    ),
    "nobody's application": fake_vertical_results(fake_party(), labels_stay=True, own_width=16),
    "no services": fake_vertical_results().model_copy(update={"services": []}),
    "no parties": fake_vertical_results(),
    "no forecast": fake_vertical_results(fake_party(forecast=None, curves=[])),
    "no pooled": fake_vertical_results(
        fake_party().model_copy(
            update={"metric_errors": {"alone": 4.0, "together": 3.0}, "by_seed": {}}
        )
    ),
    "not measured": fake_vertical_results(
        fake_party(
            metric_errors=dict.fromkeys(("alone", "together", "pooled"), math.nan),
            by_seed={},
            band_coverage=math.nan,
        )
    ),
    "a share as metric": fake_vertical_results(fake_party(alone=0.4, metric_unit=None)),
    "as an older version wrote it": fake_vertical_results(
        fake_party(facts=[], costs={}, by_seed={}, curves=[], forecast=None, horizon_steps=0)
    ).model_copy(update={"title": None, "seeds": []}),
}


@pytest.mark.parametrize("case", PAGES)
def test_the_page_is_whole_and_asks_for_nothing(case):
    page = render_vertical(PAGES[case])
    read = outline(page)
    assert all(address.startswith(("#", "data:")) for address in read.addresses)
    assert not re.search(r"https?://(?!www\.w3\.org/(?:2000/svg|1999/xhtml|1998/Math))", page)
    assert not re.search(r"\b(nan|inf|None|Undefined)\b", bare(page))
    assert "&lt;span" not in page


@pytest.mark.parametrize("case", PAGES)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_label_of_a_chart_is_clipped(case, language):
    page = render_vertical(PAGES[case])
    for kind, width, inside in re.findall(
        r'<svg class="chart (\w+)"[^>]*viewBox="0 0 ([\d.]+) [^>]*>(.*?)</svg>', page, re.S
    ):
        for x, anchor, lang, words in re.findall(
            r'<text x="([-\d.]+)"[^>]*text-anchor="(\w+)"( lang="\w+")?>([^<]*)</text>', inside
        ):
            if lang and f'"{language}"' not in lang:
                continue
            room = wide(words, SIZES[kind])
            left = float(x) - {"start": 0, "middle": room / 2, "end": room}[anchor]
            assert left >= -14, (words, left)  # the page has that much margin
            assert left + room <= float(width) + 14, (words, left + room)


def test_the_same_results_give_the_same_page():
    assert render_vertical(fake_vertical_results(whole())) == render_vertical(
        fake_vertical_results(whole())
    )


def test_a_hostile_title_is_escaped():
    bad = '"><script>alert(1)</script>{x}'
    title = LocalizedText(en=bad, ko=bad)
    evil = fake_party(
        title=title,
        agencies=(fake_agency("sky", title, fields=[(bad, bad)]),),
        failures=[bad],
        unit=bad,
        metric_unit=bad,
    )
    page = render_vertical(fake_vertical_results(evil, fake_party()))
    outline(page)
    assert page.count("<script>") == 2
    assert "&lt;script&gt;alert(1)" in page


def test_the_headline_tells_the_worth_in_per_cent_and_in_the_unit():
    english, korean = (
        page_text(fake_vertical_results(fake_party(gain=0.09)), la) for la in ("en", "ko")
    )
    gain = "9.0% | smaller error than alone: gain from other agencies’ activations"
    assert f"{gain} | from 40.0 alone to 36.4" in english
    assert "3.60 bikes | less mean absolute error" in english
    assert "9.0% | 다른 기관의 활성값을 쓰면 단독보다 오차가 작습니다" in korean
    assert "3.60 bikes | 평균 절대 오차 감소" in korean


def test_a_loss_is_called_a_loss_in_both_languages():
    lost = fake_vertical_results(fake_party(gain=-0.05))
    assert "5.0% | larger error than alone with other agencies’ activations" in page_text(lost)
    assert "more mean absolute error" in page_text(lost)
    assert "5.0% | 다른 기관의 활성값을 쓰면 단독보다 오차가 큽니다" in page_text(lost, "ko")
    first, *_ = findings(lost.services[0].parties[0], "block-wise")
    assert "5.0% larger: 40.0 → 42.0 bikes" in first.en


def test_a_small_difference_is_not_called():
    assert "too small to tell from chance" in page_text(
        fake_vertical_results(fake_party(gain=0.001))
    )


def test_several_parties_are_counted_and_the_worst_is_named():
    parties = [fake_party("bikes", gain=0.1), fake_party("metro", gain=-0.02)]
    english = page_text(fake_vertical_results(*parties))
    assert "1 of 2 | have smaller errors with other agencies’ activations" in english
    assert "2.0% | larger error: the worst loss, at Metro" in english
    assert "4.0% | smaller error than alone: gain from other agencies’ activations" in english


def test_the_lead_names_agencies_and_counts_the_rest():
    one = lead(fake_vertical_results(fake_party(agencies=("weather", "calendar"))))[0].en
    assert one.startswith("Bikes trained its forecast with activations from agencies of its own")
    assert one.endswith("Weather office and Calendar office.")
    many = lead(fake_vertical_results(fake_party(agencies=tuple("abcdef"))))[0].en
    assert many.endswith("A office, B office, C office and 3 more.")


def test_modes_stand_in_the_table_from_the_cheapest_to_the_dearest_and_seeds_with_spread():
    table = errors(fake_vertical_results(whole()).services[0])
    names = [name.en for name, _ in table.heads]
    assert names == [
        "yesterday", "last week", "alone", "one-shot", "block-wise", "per-batch", "ensemble",
        "pooled",
    ]  # fmt: skip
    assert [name.ko for name, _ in table.heads][3:6] == ["원샷", "블록 단위", "배치마다"]
    (_, cells), *_ = table.rows
    best = [name for name, cell in zip(names, cells, strict=True) if cell.best]
    assert best == ["block-wise"]
    assert cells[2].value == "40.4"  # the mean of three seeds
    assert cells[2].spread == "±0.40"
    assert cells[4].change == "−9.0%"


def test_the_agency_table_shows_grants_widths_and_bytes():
    (feature_party,) = feature_parties(
        fake_party(agencies=(fake_agency("weather", width=8, cells=3),))
    )
    assert feature_party.grants.en == "from h3 on, at most 16 activations"
    assert feature_party.activations.en == "8 activations of h3"
    assert feature_party.daily == "576"  # 8 numbers, 3 cells, 24 hours
    assert feature_party.sent == "4.2 MB"


def test_every_outage_is_drawn_and_the_most_costly_is_a_headline():
    party = fake_party(agencies=("weather", "calendar"), gain=0.02)
    page = render_vertical(fake_vertical_results(party))
    assert "All agencies available −2.0%; Missing: Weather office −1.0%" in page
    assert "Missing: Calendar office +1.0%" in page
    assert "1.0% | larger error than alone with Calendar office missing" in page_text(
        fake_vertical_results(party)
    )
    worse = " ".join(words.en for words in findings(party, "block-wise"))
    assert "error is larger than alone: Calendar office" in worse


def points(page, number):
    """x of the dots of one of the two charts of accuracy against bytes and messages."""
    charts = [c for c in re.findall(r"<svg.*?</svg>", page, re.S) if "data-tip-en" in c]
    return [float(x) for x in re.findall(r'class="point \w+" cx="([\d.]+)"', charts[number])]


def test_bytes_and_messages_stand_on_a_logarithmic_axis():
    party = fake_party(modes=MODES)
    costs = {
        mode: cost.model_copy(update={"bytes": size, "messages": size})
        for (mode, cost), size in zip(party.costs.items(), (10**4, 10**5, 10**6), strict=True)
    }
    page = render_vertical(fake_vertical_results(party.model_copy(update={"costs": costs})))
    for number in (0, 1):
        first, second, third = points(page, number)
        assert second - first == pytest.approx(third - second, abs=0.2)
    assert "10 kB" in page
    assert "1 MB" in page


def test_a_cheap_mode_that_is_as_good_is_reported():
    party = fake_party(modes=MODES)
    even = {**party.by_seed, "mode:one-shot": party.by_seed["together"]}
    party = party.model_copy(update={"by_seed": even})
    text = " ".join(words.en for words in findings(party, "block-wise"))
    assert "With 5 times fewer bytes, one-shot is as good as block-wise." in text


def test_one_mode_says_how_to_see_others():
    assert "setting compare adds others" in render_vertical(fake_vertical_results(fake_party()))
    assert "setting compare" not in render_vertical(fake_vertical_results(fake_party(modes=MODES)))


def test_failures_of_training_are_remarks():
    party = fake_party(failures=["weather: it named no cells"])
    assert "weather: it named no cells" in bare(render_vertical(fake_vertical_results(party)))


def test_eight_agencies_are_counted_below_the_picture():
    page = render_vertical(fake_vertical_results(fake_party(agencies=tuple("abcdefgh"))))
    assert "and 2 more agencies of the same form" in page


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60), st.floats(20, 400))
def test_words_are_cut_to_the_room(words, room):
    shown = fit(same(words), room).en
    assert wide(shown) <= max(room, wide("…"))
    assert shown == words or shown.endswith("…")


@settings(max_examples=15, deadline=None)
@given(
    title=st.text(max_size=40),
    gain=st.floats(-3, 0.99),
    alone=st.floats(1e-6, 1e9),
    agencies=st.integers(0, 7),
    seeds=st.integers(1, 3),
)
def test_any_meeting_can_be_shown(title, gain, alone, agencies, seeds):
    names = tuple(f"a{n}" for n in range(agencies))
    words = LocalizedText(en=title, ko=title)
    party = fake_party(gain=gain, alone=alone, agencies=names, seeds=seeds, title=words)
    outline(render_vertical(fake_vertical_results(party, seeds=seeds)))


def test_what_leaves_each_party_and_agency_is_there(tmp_path):
    results = fake_vertical_results(fake_party("bikes"))
    deep = release(
        party="town/weather",
        receiver="town/bikes",
        service=results.services[0].name,
        layer="h3",
        form=ReleaseForm.DEEP_DATA,
        grant=GrantScope(level=3, stem="private"),
    )
    site = site_folder(tmp_path, "town/weather")
    ReleaseLedger(site / "releases.jsonl", "town/weather", key_of("weather")).record([deep])
    found = {one.party.name: one for one in vertical_houses(results, tmp_path)}
    assert list(found) == ["town/bikes", "town/weather"]
    (row,) = found["town/weather"].rows
    assert (row.what.en, row.receiver.en) == ("deep data of layer h3", "town/bikes")
    assert row.grant.en == "cut level 3"
    assert row.leakage.en.startswith("Not measured: run “deepcity audit RUN")
    outline(render_vertical(results, (), list(found.values())))
