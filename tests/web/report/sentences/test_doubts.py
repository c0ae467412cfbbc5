"""A doubt's sentence names field, places, time span and value, in both languages."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.runs.note import Note
from deepcity.web.report.sentences.doubts import doubt

SEOUL = ZoneInfo("Asia/Seoul")
NOON = 1_710_212_400  # 2024-03-12 12:00 in Seoul
PLACES = {"field": "flow", "places": ["p1"]}
COUNTS = {"count": 1.0, "more": 0.0}


def shown(code, numbers=None, names=None):
    note = Note(code=f"records_{code}", numbers=COUNTS | (numbers or {}), names=names or PLACES)
    return doubt(note, SEOUL)


@pytest.mark.parametrize(
    ("numbers", "names", "en", "ko"),
    [
        (
            {"from_s": NOON, "to_s": NOON + 3600, "value": 12.5},
            {"of": "L/s", "place": "p1"},
            "12 Mar 2024, 12:00 to 12 Mar 2024, 13:00; value 12.5 L/s.",
            "2024년 3월 12일 12:00부터 2024년 3월 12일 13:00까지; 값 12.5 L/s.",
        ),
        ({"from_s": NOON}, {"place": "p7"}, "Since 12 Mar 2024, 12:00, at p7.", "12:00부터, p7."),
        ({"to_s": NOON}, {}, "Until 12 Mar 2024, 12:00.", "2024년 3월 12일 12:00까지."),
        ({"value": -9999.0}, {}, "Value −9,999.", "값 −9,999."),
        ({"low": 50.0, "high": 95.5}, {"of": "degC"}, "Mostly 50 degC to 95.5 degC", "대부분 50"),
        ({"factor": 0.45}, {}, "45% of before", "이전의 45%"),
        ({"hours": -2.0}, {}, "2 h earlier", "2시간 이름"),
        ({"hours": 3.0}, {}, "3 h later", "3시간 늦음"),
        ({}, {"unit": "degF", "stated": "degC"}, "Looks like degF, stated as degC", "degF 값으로"),
        ({}, {"stated": "degC"}, "Stated as degC", "설정은 degC"),
    ],
)
def test_what_a_rule_saw_is_read(numbers, names, en, ko):
    found = shown("stuck", numbers, PLACES | names)
    assert found.en.startswith("flow at p1: one value for a day or longer")
    assert found.ko.startswith("p1의 flow: 값이 계속 바뀌는 곳인데")
    assert en in found.en
    assert ko in found.ko


def test_what_is_of_all_fields_says_so():
    found = shown("gap", {"count": 48.0}, {"field": "", "places": []})
    assert found.en == "All fields: gaps of a day or longer, masked (48 steps)."
    assert found.ko.startswith("모든 항목: 하루 이상")


def test_many_places_are_counted():
    found = shown("dead", {"more": 3.0}, {"field": "flow", "places": ["a", "b"], "place": "b"})
    assert "flow at a, b and 3 more" in found.en
    assert found.en.endswith("At b.")


TEXTS = st.text(max_size=8)
NUMBERS = st.floats(allow_infinity=False) | st.integers(0, 1 << 33).map(float)


@given(
    st.dictionaries(st.sampled_from(["value", "low", "high", "factor", "hours", "count"]), NUMBERS),
    st.dictionaries(st.sampled_from(["place", "unit", "stated", "of", "text", "field"]), TEXTS),
    st.one_of(st.none(), st.integers(0, 1 << 33)),
)
def test_any_doubt_of_a_kind_unknown_here_is_read_as_its_rule_says(numbers, names, second):
    when = {} if second is None else {"from_s": float(second)}
    found = shown("of_another_rule", numbers | when, {"places": []} | names)
    assert found.en
    assert found.ko
