"""The report as a file: whole, escaped, honest about losses, and content with missing parts."""

import math
import re
import string
from itertools import pairwise
from pathlib import Path

import pytest
from fake_results import fake_party, fake_results, fake_service
from hypothesis import given, settings
from hypothesis import strategies as st
from page_outline import outline

from deepcity.city.localized_text import LocalizedText
from deepcity.parties.method_errors import AUTOMATIC, POOLED
from deepcity.runs.results import MethodTraffic, PartyResult, RunResults
from deepcity.web.report import write_report
from deepcity.web.report.charts.canvas import Axis, path, spread, ticks
from deepcity.web.report.findings import Verdict, bytes_left, raw_bytes, verdict
from deepcity.web.report.headline import lead, tiles
from deepcity.web.report.page import render
from deepcity.web.report.tables import error_table
from deepcity.web.report.text import LANGUAGES, Text, words
from deepcity.web.report.validation import validation_table

MEGABYTES = 3_000_000


def with_parties(*parties: PartyResult) -> RunResults:
    results = fake_results(1, streets=False)
    service = fake_service("s", LocalizedText(en="Service", ko="서비스"), list(parties))
    return results.model_copy(update={"services": [service]})


def party(name: str = "p", **settings_: object) -> PartyResult:
    return fake_party(name, LocalizedText(en=f"Party {name}", ko=f"기관 {name}"), **settings_)  # type: ignore[arg-type]


def headline_text(results: RunResults) -> Text:
    """All words of the headline tiles."""
    found = tiles(results.services)
    parts = [(t.value, t.label, t.note) for t in found]
    return Text(*(" | ".join(getattr(x, la) for t in parts for x in t) for la in LANGUAGES))


def test_every_sentence_is_there_in_both_languages() -> None:
    assert set(words("en")) == set(words("ko"))
    assert all(isinstance(text, str) for language in LANGUAGES for text in words(language).values())


def test_both_languages_fill_in_the_same_values() -> None:
    def holes(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, text in words("en").items():
        korean = holes(words("ko")[key]) - {"n"}  # English may say "one" where Korean counts
        assert holes(text) - {"n"} == korean, key


def test_no_sentence_is_left_unused() -> None:
    package = Path(render.__code__.co_filename).parent
    source = "".join(
        file.read_text(encoding="utf-8")
        for file in [*package.rglob("*.py"), *package.rglob("*.html")]
    )
    literal = set(re.findall(r"""["']([a-z]+\.[a-z_0-9]*)["']""", source))
    made = {"errors", "glossary", "idea", "lead", "level", "limits", "method", "numeral"}
    made |= {
        "case",  # see tests/web/control/test_case_sentences.py
        "control",  # see tests/web/control/test_control_words.py
        "jams",  # see tests/web/report/test_jam_words.py
        "house",  # see tests/web/report/test_what_left.py
        "leakage",  # see tests/forecasting/test_audit_run.py
        "data_check",  # see the test after the next
        "forecast",
        "decision",  # see tests/web/report/test_decision_section.py
        "vertical_result",
        "note",  # see the next test
        "reading",  # see tests/web/report/sentences/test_faulty_row_words.py
        "records",
        "service",
        "tile",
        "traffic",
    }  # keys put together from numbers
    unused = [
        key
        for key in words("en")
        if key not in literal
        and key.rsplit("_", 1)[0] not in literal
        and key.partition(".")[0] not in made
    ]
    assert unused == []


def test_every_note_of_a_run_has_a_sentence_and_every_sentence_a_note() -> None:
    report = Path(render.__code__.co_filename).parent
    rooms = (report.parents[1] / name for name in ("runs", "live"))
    runs = "".join(file.read_text("utf-8") for room in rooms for file in room.rglob("*.py"))
    named = "".join(file.read_text("utf-8") for file in report.rglob("*.py"))
    codes = set(re.findall(r'code="([a-z_]+)"', runs)) | {"grouped_stem", "grouped_head"}
    assert len(codes) > 15
    assert {f"note.{code}" for code in codes} <= set(words("en"))
    known = {key.partition(".")[2] for key in words("en") if key.startswith("note.")}
    unused = {name for name in known if f'"{name}"' not in runs and f'"note.{name}"' not in named}
    assert unused == {"grouped_stem", "grouped_head"}  # their layer is put in


def test_every_warning_of_the_data_check_has_a_sentence_and_every_sentence_a_warning() -> None:
    data = Path(render.__code__.co_filename).parents[2] / "data"
    source = "".join(file.read_text("utf-8") for file in data.rglob("*.py"))
    made = set(re.findall(r'(?:warn|_each|Finding)\([^")]*"([a-z-]+)"', source))
    assert {"running-total", "gap", "all-missing", "unexpected-kind", "infinite"} <= made
    notes = set(re.findall(r'(?:NOTE,|note\()\s*"([a-z-]+)"', source)) | {"stuck"}
    named = {key.partition(".")[2] for key in words("en") if key.startswith("data_check.")}
    kinds = {kind.replace("-", "_") for kind in made - notes}
    assert kinds <= named
    assert named - kinds == {"unseen_places", "quiet_cells", "stuck"}  # of a running city's checks


def test_the_page_is_whole_and_asks_for_nothing() -> None:
    page = render(fake_results())
    read = outline(page)
    assert all(address.startswith(("#", "data:")) for address in read.addresses)
    assert "url(" not in page
    assert "@import" not in page
    assert not re.search(r"https?://(?!www\.w3\.org/(?:2000/svg|1999/xhtml|1998/Math))", page)


def test_the_same_results_give_the_same_page() -> None:
    assert render(fake_results()) == render(fake_results())


def test_sixty_parties_stay_light() -> None:
    page = render(fake_results(60))
    assert len(page.encode()) < MEGABYTES
    outline(page)


def test_a_hostile_title_is_escaped() -> None:
    bad = '"><script>alert(1)</script>{x}'
    evil = party().model_copy(update={"title": LocalizedText(en=bad, ko=bad), "city": bad})
    page = render(with_parties(evil, party("q")))
    assert page.count("<script>") == 2
    assert "&lt;script&gt;alert(1)" in page
    outline(page)


def test_a_loss_is_called_a_loss_in_both_languages() -> None:
    words_ = headline_text(with_parties(party("a", gain=0.1), party("b", gain=-0.05)))
    assert "5.0% | larger error: the worst loss, at Party b" in words_.en
    assert "손실이 가장 큰 기관 b에서는 오차가 늘었습니다" in words_.ko
    assert "nobody lost" not in words_.en


def test_nobody_lost_is_written_only_when_true() -> None:
    assert (
        "nobody lost" in headline_text(with_parties(party("a", gain=0.1), party("b", gain=0.0))).en
    )
    assert "손해를 본 곳은 없습니다" in headline_text(with_parties(party("a", gain=0.1))).ko


@pytest.mark.parametrize(
    ("gain", "en", "ko"),
    [
        (0.08, "smaller error on average", "평균 오차가 줄었습니다"),
        (0.001, "too small to tell from chance", "너무 작아 판단할 수 없습니다"),
        (-0.08, "larger error on average", "평균 오차가 늘었습니다"),
    ],
)
def test_the_mean_is_worded_by_its_number(gain: float, en: str, ko: str) -> None:
    words_ = headline_text(with_parties(party(gain=gain)))
    assert en in words_.en
    assert ko in words_.ko


@given(st.floats(-2, 1))
def test_a_verdict_never_turns_a_loss_into_a_gain(gain: float) -> None:
    word = verdict(gain)
    assert (word is Verdict.GAIN) <= (gain > 0)
    assert (word is Verdict.LOSS) <= (gain < 0)


def test_the_scarce_party_speaks_for_itself() -> None:
    lost = with_parties(party("new", gain=-0.2, scarce=True, train_days=14.0), party("old"))
    assert (
        "20% | larger error at Party new | the one with little data: 14 days"
        in headline_text(lost).en
    )


def test_bytes_are_those_of_the_automatic_run() -> None:
    results = fake_results(2, streets=False)
    sent = next(t for t in results.services[0].traffic if t.method == AUTOMATIC)
    assert bytes_left(results.services) == sum(sent.bytes_by_layer.values())
    no_raw = [party(), party("q").model_copy(update={"raw_bytes": None})]
    assert raw_bytes(with_parties(*no_raw).services) is None


def test_the_lead_names_who_took_part() -> None:
    first, second, _ = lead(fake_results())
    assert first.en == (
        "Ten water districts of Ferrara and five street areas of Auckland "
        "each kept their own records."
    )
    assert first.ko.startswith("페라라의 급수 구역 10곳과 오클랜드의 거리 구역 5곳은")
    assert "shared only parts" in second.en
    alone = lead(with_parties(party("a", level=0), party("b", level=0)))
    assert "what each had learned alone weighed most" in alone[1].en
    assert "기록 자체는 내보내지 않고" in alone[1].ko
    two = with_parties(party("a", level=0), party("b", level=0))
    unsaid = two.services[0].model_copy(update={"traffic": []})
    untried = lead(two.model_copy(update={"services": [unsaid]}))
    assert "did not choose" in untried[1].en
    assert "nobody to learn with" in lead(with_parties(party()))[1].en


def test_the_best_allowed_error_is_marked_and_pooled_never() -> None:
    (_, cells), *_ = error_table(fake_results().services[0]).rows
    best = [cell.style for cell in cells if cell.best]
    assert best == [AUTOMATIC]
    assert next(cell for cell in cells if cell.style == POOLED).value < cells[0].value


def test_pooled_bytes_are_not_shown_as_weights() -> None:
    results = fake_results(2, streets=False)
    raw = MethodTraffic(method=POOLED, rounds=1, bytes_by_layer={"raw": 10**12}, bytes_by_party={})
    service = results.services[0]
    pooled = service.model_copy(update={"traffic": [*service.traffic, raw]})
    page = render(results.model_copy(update={"services": [pooled]}))
    assert "raw: 1.0 TB" not in page


def without(party_: PartyResult, *methods: str) -> PartyResult:
    left = {m: e for m, e in party_.test.items() if m not in methods}
    return party_.model_copy(update={"test": left})


def empty_forecast(party_: PartyResult) -> PartyResult:
    none: list[float] = []
    blank = dict.fromkeys(("times", "truth", "forecast", "low", "high", "alone"), none)
    return party_.model_copy(update={"forecast": party_.forecast.model_copy(update=blank)})


def odd_numbers(party_: PartyResult) -> PartyResult:
    odd = {
        m: e.model_copy(update={"mae": math.nan, "mae_by_horizon": [math.inf, math.nan]})
        for m, e in party_.test.items()
    }
    return party_.model_copy(update={"test": odd, "band_coverage": math.nan})


def perfect(party_: PartyResult) -> PartyResult:
    zero = {
        m: e.model_copy(update={"mae": 0.0, "mae_by_horizon": [0.0]})
        for m, e in party_.test.items()
    }
    return party_.model_copy(update={"test": zero})


MISSING = {
    "no services": fake_results().model_copy(update={"services": []}),
    "no parties": with_parties(),
    "one party": with_parties(party()),
    "no pooled": with_parties(without(party(), POOLED), party("q")),
    "no automatic": with_parties(without(party(), AUTOMATIC)),
    "no errors": with_parties(without(party(), *party().test)),
    "only automatic": with_parties(without(party(), *set(party().test) - {AUTOMATIC})),
    "no forecast": with_parties(empty_forecast(party()), party("q")),
    "not numbers": with_parties(odd_numbers(party()), party("q")),
    "no error at all": with_parties(perfect(party())),
    "one step ahead": with_parties(party(horizons=1, hours=2)),
    "half a day": with_parties(party(hours=12)),
    "unknown zone": with_parties(party(zone="Mars/Olympus")),
}


@pytest.mark.parametrize("case", MISSING)
def test_missing_parts_cost_only_themselves(case: str) -> None:
    page = render(MISSING[case])
    outline(page)
    assert not re.search(
        r"\b(nan|inf|None|Undefined)\b",
        re.sub(r"<script>.*?</script>|<style>.*?</style>", "", page, flags=re.S),
    )


def test_no_curves_traffic_or_seconds() -> None:
    results = fake_results()
    bare = [
        s.model_copy(update={"curves": [], "traffic": [], "seconds": {}}) for s in results.services
    ]
    page = render(results.model_copy(update={"services": bare}))
    outline(page)
    assert "Learning curves" not in page


def test_a_party_in_two_services_gets_a_row_in_the_grid() -> None:
    results = with_parties(party(), party("q"))
    twice = [*results.services, results.services[0].model_copy(update={"name": "again"})]
    page = render(results.model_copy(update={"services": twice}))
    assert "Parties and services at a glance" in page
    assert "Parties and services at a glance" not in render(results)


@settings(max_examples=15, deadline=None)
@given(
    title=st.text(max_size=40),
    gain=st.floats(-3, 0.99),
    level=st.integers(0, 6),
    alone=st.floats(1e-6, 1e9),
    zone=st.sampled_from(["UTC", "Asia/Seoul", "Asia/Kathmandu", "", "../etc"]),
)
def test_any_party_can_be_shown(
    title: str, gain: float, level: int, alone: float, zone: str
) -> None:
    odd = party(gain=gain, level=level, alone=alone, zone=zone, hours=30)
    outline(
        render(with_parties(odd.model_copy(update={"title": LocalizedText(en=title, ko=title)})))
    )


def test_an_older_report_stays_when_writing_fails(tmp_path: Path) -> None:
    path_ = tmp_path / "deep" / "report.html"
    write_report(fake_results(1), path_)
    before = path_.read_bytes()
    broken = with_parties(party()).model_copy(update={"title": None})
    with pytest.raises(Exception):  # noqa: B017, PT011 - any failure will do
        write_report(broken, path_)
    assert path_.read_bytes() == before
    assert [p.name for p in path_.parent.iterdir()] == ["report.html"]
    assert path_.stat().st_mode & 0o044


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_lie_inside_and_are_few(low: float, width: float) -> None:
    found = ticks(low, low + width)
    assert len(found) <= 6
    assert all(low - width * 1e-3 <= tick <= low + width * 1.001 for tick in found)


@given(st.lists(st.floats(0, 300), min_size=1, max_size=8))
def test_labels_never_overlap(wanted: list[float]) -> None:
    placed = sorted(spread(wanted, 15, 0, 300))
    assert all(b - a >= 15 - 1e-6 for a, b in pairwise(placed))


def test_a_gap_lifts_the_pen() -> None:
    axis = Axis(0, 10, 0, 100)
    assert path((axis(i), None if i == 1 else float(i)) for i in range(4)) == "M0 0M20 2L30 3"


def test_the_decision_and_the_errors_chosen_by_are_reported() -> None:
    page = render(with_parties(party("a", level=3), party("b", level=0)))
    assert "What the forecast is used for:" in page
    assert "When to pump &amp; how much." in page
    assert "언제 얼마나 퍼 올릴지 정합니다." in page
    found = validation_table(with_parties(party("a", level=3)).services[0])
    assert found is not None
    assert [head.en for head in found.heads][:3] == ["alone", "h1", "h1–h2"]
    (_, cells), *_ = found.rows
    assert [cell.chosen for cell in cells].index(True) == 3
    assert f"<strong>{cells[3].value}</strong>" in page


def test_nothing_tried_is_no_table_and_an_unknown_name_stays() -> None:
    untried = party().model_copy(update={"validation_mae": {"0": 1.0}})
    assert validation_table(with_parties(untried).services[0]) is None
    blended = party("q").model_copy(update={"validation_mae": {"0": 1.0, "blend": 0.5}})
    found = validation_table(with_parties(untried, blended).services[0])
    assert found is not None
    assert [head.en for head in found.heads] == ["alone", "blend"]
    assert found.rows[0][1][1].value == "–"
