"""Particles go by the sound before them, in the node's texts and in the page's."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city import korean
from deepcity.city.korean import final_consonant, with_particles
from deepcity.web.report.text import translate, words

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "frontend" / "src" / "words"
FIXED = re.compile(r"\}(이|가|을|를|은|는|와|과|로|으로)(?=[ ,.…)\"]|$)")


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("기상청이(가)", "기상청이"),
        ("도로과이(가)", "도로과가"),
        ("서울(으)로", "서울로"),
        ("부산(으)로", "부산으로"),
        ("제주(으)로", "제주로"),
        ("3을(를)", "3을"),
        ("12은(는)", "12는"),
        ("10과(와)", "10과"),
        ("7(으)로", "7로"),
        ("6(으)로", "6으로"),
        ("8.3%이(가)", "8.3%가"),
        ("4.2 MB은(는)", "4.2 MB는"),
        ("5 km²을(를)", "5 km²을"),
        ("PM10이(가)", "PM10이"),
        ("NVR을(를)", "NVR을"),
        ("h3과(와)", "h3과"),
        ("mina이(가)", "mina가"),
        ("Seoul(으)로", "Seoul로"),
        ("kim은(는)", "kim은"),
        ("parking을(를)", "parking을"),
        ("주차장(2곳)이(가)", "주차장(2곳)이"),
        ("“수도”을(를)", "“수도”를"),
        ("(으)로", "로"),
        ("가이(가) 나을(를)", "가가 나를"),
        ("경보(이)라 하고 서울(이)나", "경보라 하고 서울이나"),
    ],
)
def test_the_particle_fits_what_is_heard(given, right):
    assert with_particles(given) == right


@given(st.text(max_size=40), st.sampled_from(sorted(korean._PAIRS)))
def test_of_every_pair_one_form_is_left(name, pair):
    found = with_particles(f"{name}{pair} 끝")
    assert found.endswith(" 끝")
    assert with_particles(found) == found or not set(name).isdisjoint("()이가을를은는과와으로")


@given(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3))
def test_every_syllable_has_the_final_that_unicode_decomposes_it_to(syllable):
    import unicodedata

    parts = unicodedata.normalize("NFD", syllable)
    assert bool(final_consonant(syllable)) == (len(parts) == 3)
    assert (final_consonant(syllable) == "ㄹ") == (parts[-1] == "\u11af")


def test_sentences_of_the_node_are_filled_with_the_form_that_fits():
    assert translate("list.and", front="기상청", back="x").ko == "기상청과 x"
    assert translate("list.and", front="도로과", back="x").ko == "도로과와 x"
    assert translate("list.and", front="도로과", back="x").en == "도로과 and x"


@pytest.mark.parametrize("file", ["report", "page"])
def test_no_sentence_has_one_fixed_form_after_a_name(file):
    if file == "report":
        text = "\n".join(words("ko").values())
    else:
        text = (PAGE / "ko.json").read_text(encoding="utf-8")
    assert [text[one.start() - 40 : one.end()] for one in FIXED.finditer(text)] == []


def test_the_page_has_the_same_rules():
    source = (PAGE / "particles.ts").read_text(encoding="utf-8")
    for pair, (after, vowel) in korean._PAIRS.items():
        assert f'"{pair}": ["{after}", "{vowel}"]' in source
        assert re.escape(pair) in source
    for table in (korean._DIGITS, korean._LETTERS, korean._WORDS):
        for sign, final in table.items():
            assert re.search(rf'(?<![A-Za-z0-9])"?{re.escape(sign)}"?: "{final}"', source), sign
