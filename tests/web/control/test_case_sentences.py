"""Every code of a search has words in both languages, and every word has its code."""

from zoneinfo import ZoneInfo

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.web.control.cases.case_words import case_sentences
from deepcity.web.report.text import words


def test_every_code_has_words_and_every_word_a_code():
    numbers = {"sightings": 2.0, "probability": 0.875}
    actions = (
        Action("look", "b/1", 3600, {"score": 0.5, "probability": 0.5}),
        Action("follow", "b/1", 3600, numbers, route=("a/1", "b/1")),
    )
    reasons = (
        Reason("sightings", {"hits": 3, "confirmed": 1, "rejected": 0, "cities": 2}),
        Reason("nobody", {"probability": 0.125}),
        Reason("city-silent", {}, "c"),
        Reason("camera-unknown", {"hits": 1}),
    )
    decision = Decision(actions, reasons, 0.875, 60, Confirm.OPERATOR)
    found = case_sentences(decision, ZoneInfo("Asia/Seoul"))
    assert found[0].en == (
        "Likeliest way, 2 sightings (88%): a/1 → b/1, last at 1970-01-01 10:00:00."
    )
    assert found[2].ko == "모두 찾는 사람이 아닐 가능성: 12%."
    assert all(one.en != one.ko for one in found)
    assert len(found) == len([key for key in words("en") if key.startswith("case.")])
