"""What leaves a party's house: its ledger and its audit in words that a mayor understands."""

from pathlib import Path

import pytest
from house_records import PARTY, RESULTS, SERVICE, audit, left, record
from page_outline import outline

import deepcity
from deepcity.store.release_ledger.release import CountsScope, GrantScope, Leakage, ReleaseForm
from deepcity.store.run_folder import site_folder
from deepcity.web.report.house.view import houses
from deepcity.web.report.page import render
from deepcity.web.report.text import words as all_words

WEB = Path(deepcity.__file__).parent / "web" / "report"
LAYERS = ("stem", "h1", "h2", "head", "claim", "result", "gradients", "other")


def shown(folder):
    return houses(RESULTS.services, folder)[0]


def words(folder):
    """All that stands there of the first party, in both languages."""
    view = shown(folder)
    texts = [view.never, *view.more]
    for row in view.rows:
        texts += [row.what, row.receiver, row.purpose, row.grant, row.leakage]
    return " ".join(one.en for one in texts), " ".join(one.ko for one in texts)


def test_a_row_tells_what_left_to_whom_how_often_and_what_it_gives_away(tmp_path):
    first = left(grant=GrantScope(level=1, stem="private"), policy_grants=("water-layers",))
    site = record(tmp_path, first, left(bytes=1_400))
    audit(site, {"h1": 0.118, "forecast": 0.0983}, update=0.97)
    (row,) = shown(tmp_path).rows
    assert (row.what.en, row.times, row.bytes) == ("layer h1", "2", "1.5 kB")
    assert row.receiver.en.startswith("coordinator, for all parties")
    assert row.purpose.en == f"{SERVICE.title.en}: {SERVICE.question.en}"
    assert row.grant.en == "level 1–2 (h1–h2), private stem; water-layers"
    assert row.leakage.en == (
        "Of 100 parts of what the input varies, 12 can be guessed back from 24 releases in a row; "
        "the forecast alone gives 10. From one update alone: 97."
    )
    assert "12를 알아맞힐 수 있습니다. 예측만으로는 10입니다." in row.leakage.ko


def test_what_was_trained_with_noise_says_what_it_spent(tmp_path):
    site = record(tmp_path, left(epsilon="2.5000"), left(epsilon="3.2000"), left(layer="h2"))
    audit(site, {"h1": 0.118})
    noisy, plain = shown(tmp_path).rows
    assert noisy.leakage.en.endswith("together it spent epsilon 3.2 (1 is little, 10 much).")
    assert "엡실론 3.2만큼" in noisy.leakage.ko
    assert "12 can be guessed back" in noisy.leakage.en
    assert "epsilon" not in plain.leakage.en
    record(tmp_path, left(epsilon="1.0000", layer="h2"))  # what left before stays unbounded
    assert "epsilon" not in shown(tmp_path).rows[1].leakage.en


def test_what_never_leaves_is_one_sentence_and_no_more_than_is_true(tmp_path):
    record(tmp_path, left())
    assert shown(tmp_path).never.en == (
        "Raw records and the stem (the first layer, which reads the records) never leave "
        f"{PARTY.title.en}."
    )
    assert any("truths = “shared”" in one.en for one in shown(tmp_path).more)
    record(tmp_path, left(layer="stem", grant=GrantScope(level=2, stem="common")))
    view = shown(tmp_path)
    assert view.never.en == f"Raw records never leave {PARTY.title.en}."
    assert "has left: its grant makes it common" in view.more[0].en
    assert view.rows[1].grant.en.endswith("common stem")


def test_measured_values_stay_where_no_result_holds_them(tmp_path):
    services = [
        one.model_copy(update={"parties": [p.without_truths() for p in one.parties]})
        for one in RESULTS.services
    ]
    never = houses(services, tmp_path)[0].never
    assert never.en.startswith("Raw records, measured values and the stem")
    assert "측정값" in never.ko


def test_what_was_not_measured_names_the_command_that_measures(tmp_path):
    site = record(tmp_path, left(), left(layer="h2"))
    assert f"Not measured: run “deepcity audit RUN --party {PARTY.name}”" in words(tmp_path)[0]
    audit(site, {"h2": 0.0021})
    h1, h2 = shown(tmp_path).rows
    assert h1.leakage.en.startswith("Not measured")
    assert "<1 can be guessed back from 24 releases in a row." in h2.leakage.en
    assert f"“deepcity audit RUN --party {PARTY.name}”" in h1.leakage.ko


def test_without_an_audit_here_the_ledger_s_own_figure_counts(tmp_path):
    stated = Leakage(audit="ab", activations_r2="0.4313")
    record(tmp_path, left(leakage=stated), left())
    assert "43 can be guessed back, by the audit named" in shown(tmp_path).rows[0].leakage.en


def test_secure_sums_sparse_moves_and_documents_are_named(tmp_path):
    claim = left(layer="claim", form=ReleaseForm.DOCUMENT, grant=None)
    masked = left(form=ReleaseForm.MASKED, leakage=Leakage(audit="ab", activations_r2="0.5000"))
    record(tmp_path, claim, masked, left(form=ReleaseForm.SPARSE, layer="head"))
    document, secure, sparse = shown(tmp_path).rows
    assert document.what.en == "signed statement of how many records it has"
    assert document.leakage.en == "It holds no layer, and no record."
    assert secure.what.en == "layer h1, hidden in a secure sum"
    assert secure.leakage.en.startswith("A part of a secure sum shows nothing by itself.")
    assert sparse.what.en == "head, the last layer, its greatest changes alone"


def test_counts_are_named_with_what_is_withheld_and_spent(tmp_path):
    terms = {"purpose": "where to patrol", "unit": "person", "per_unit": 1, "epsilon": "1.0000"}
    counts = left(
        layer="counts by district, every 1d",
        form=ReleaseForm.COUNTS,
        grant=None,
        policy_grants=("police-counts",),
        counts=CountsScope(k=10, **terms),
        epsilon="1.0000",
    )
    record(tmp_path, counts, counts.model_copy(update={"epsilon": "2.5000"}))
    (row,) = shown(tmp_path).rows
    assert (row.what.en, row.times) == ("counts by district, every 1d, with noise", "2")
    assert row.grant.en == "police-counts"
    assert row.leakage.en == (
        "Numbers under 10 are left out. What all numbers that left may tell of one person is "
        "bounded: together they spent epsilon 2.5 (1 is little, 10 much)."
    )
    assert "엡실론 2.5만큼" in row.leakage.ko


@pytest.mark.parametrize(
    ("prepare", "next_step"),
    [
        (lambda _site: None, "At its own site"),
        (lambda site: site.mkdir(parents=True), "deepcity ledger verify RUN"),
        (lambda site: (site / "releases.jsonl").mkdir(parents=True), "cannot be read"),
    ],
)
def test_where_nothing_was_recorded_the_next_step_is_named(tmp_path, prepare, next_step):
    prepare(site_folder(tmp_path, PARTY.name))
    view = shown(tmp_path)
    assert view.rows == ()
    english = " ".join(one.en for one in view.more).replace("kept at its own", "At its own")
    assert next_step in english
    assert str(tmp_path) not in english


def test_lines_that_hold_no_entry_are_counted_and_named(tmp_path):
    site = record(tmp_path, left())
    with (site / "releases.jsonl").open("a") as file:
        file.write("what\n{}\n")
    assert "2 lines of its ledger hold no entry" in words(tmp_path)[0]


def test_no_sentence_promises_what_was_measured_to_be_false(tmp_path):
    record(tmp_path, left())
    for text in words(tmp_path):
        for promise in ("cannot be estimated", "anonymous", "추정할 수 없", "익명"):
            assert promise not in text


def test_the_page_holds_each_party_once_and_nothing_of_a_lying_name(tmp_path):
    record(tmp_path, left(layer="<script>alert(1)</script>"))
    page = render(RESULTS, (), houses(RESULTS.services, tmp_path))
    read = outline(page)
    names = {party.name for one in RESULTS.services for party in one.parties}
    assert [one for one in read.ids if one.startswith("house-")][:1] == ["house-party"]
    assert len([one for one in read.ids if one.startswith("house-")]) == len(names) + 1
    assert "<script>alert" not in page
    assert "What leaves my house" in page
    assert "무엇이 우리 집을 떠나는가" in page


def test_every_sentence_of_it_can_be_said(tmp_path):
    """Of each form, layer and state there are words, and no words of none."""
    forms = [left(form=form, layer=layer) for form in ReleaseForm for layer in LAYERS]
    site = record(tmp_path, *forms)
    audit(site, {"h1": 0.5, "h2": 0.4, "forecast": 0.3}, update=0.9)
    for row in shown(tmp_path).rows:
        for text in (row.what, row.receiver, row.purpose, row.grant, row.leakage):
            assert text.en
            assert text.ko
            assert "{" not in text.en + text.ko
    source = "".join(
        path.read_text(encoding="utf-8")
        for pattern in ("house/*.py", "templates/house.html")
        for path in sorted(WEB.glob(pattern))
    )
    for key in (one.removeprefix("house.") for one in all_words("en") if one.startswith("house.")):
        made = key.startswith(("head_", "document_", "layer_"))
        assert made or f"house.{key.removesuffix('_one').removesuffix('_many')}" in source, key
