"""Numbers as people write them: every sign between thousands, decimal sign, sign and unit."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError, DataError
from deepcity.data.city_file import load_panel, load_with_findings
from deepcity.data.config.number_style import MISSING, NumberStyle
from deepcity.data.tables.numbers import read_numbers

pytest_plugins = ["towns"]

CSV = 'format = "csv"\npath = "records.csv"\ntime = { column = "time" }\n'
COUNTS = '[{ name = "people", kind = "count", unit = "people", source = "records" }]'
SPACES = (" ", "\u00a0", "\u202f", "\u2009")
SIGNS = [
    *((",", "."), (".", ","), ("'", "."), ("\u2019", ","), ("", "."), ("", ",")),
    *((space, decimal) for space in SPACES for decimal in ".,"),
]
MINUSES = ("-{}", "\u2212{}", "{}-", "({})", "- {}")
UNITS = ("{}", "{}명", "₩{}", "{} ㎍/㎥", "€ {}", "{} %")


def read(cells, **style):
    return read_numbers(pl.Series(cells, dtype=pl.String), NumberStyle(**style))


@given(
    whole=st.integers(0, 10**9),
    fraction=st.none() | st.integers(0, 999),
    signs=st.sampled_from(SIGNS),
    minus=st.none() | st.sampled_from(MINUSES),
    unit=st.sampled_from(UNITS),
)
def test_any_number_in_any_style(whole, fraction, signs, minus, unit):
    thousands, decimal = signs
    text = f"{whole:,}".replace(",", thousands)
    text += "" if fraction is None else f"{decimal}{fraction:03d}"
    text = unit.format(text)
    text = text if minus is None else minus.format(text)
    found = read([text], thousands=thousands, decimal=decimal, units=("명", "₩", "㎍/㎥", "€", "%"))
    expected = whole + (0 if fraction is None else fraction / 1000)
    assert found.bad.tolist() == []
    assert found.values_R[0] == pytest.approx(-expected if minus else expected)


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("10,19", {"thousands": ","}),
        ("1019,300", {"thousands": ","}),
        ("0,123", {"thousands": ","}),
        ("1,019,30", {"thousands": ","}),
        ("1,,019", {"thousands": ","}),
        ("1.019.300", {}),
        ("1 019", {}),
        ("1,019", {}),
        ("1.5", {"thousands": ".", "decimal": ","}),
        ("1.019", {"decimal": ","}),
        ("5 km", {"units": ("m",)}),
        ("--5", {}),
        ("(-5)", {}),
        ("-5-", {}),
        ("5(", {}),
        ("₩", {"units": ("₩",)}),
    ],
)
def test_what_a_style_does_not_allow_is_no_number(text, style):
    assert read([text], **style).bad.tolist() == [0]


def test_numbers_of_india_are_read_with_commas():
    assert read(["12,34,567", "1,23,456.5"], thousands=",").values_R.tolist() == [1234567, 123456.5]


@given(st.lists(st.text(max_size=6), max_size=8), st.sampled_from(SIGNS))
def test_no_text_makes_reading_fail_and_none_is_lost(texts, signs):
    found = read(texts, thousands=signs[0], decimal=signs[1])
    absent = sum(text.strip() in MISSING or not text.strip() for text in texts)
    known = int(np.isfinite(found.values_R).sum())
    nan = sum(text.strip().lower().lstrip("+-") in ("nan",) for text in texts)
    assert known + len(found.bad) + len(found.infinite) + absent + nan >= len(texts)


@pytest.mark.parametrize("text", [text for text in MISSING if text])
def test_texts_that_mean_not_measured(text, town):
    rows = [f"2024-05-01 {h:02d}:00,{text if h == 5 else h},1" for h in range(24)]
    panel = load_panel(town("time,a,b\n" + "\n".join(rows) + "\n"), "office")
    assert np.isnan(panel.values_TNF[5, 0, 0])
    assert np.isfinite(panel.values_TNF[:, 0, 0]).sum() == 23


def test_further_texts_are_added_to_those(town):
    texts = {3: "점검", 7: "N/A", 9: "off"}
    rows = [f"2024-05-01 {h:02d}:00,{texts.get(h, h)},1" for h in range(24)]
    records = "time,a,b\n" + "\n".join(rows) + "\n"
    with pytest.raises(
        DataError, match=r"not a number \(row 5\), nor is 'off' \(row 11\)"
    ) as caught:
        load_panel(town(records), "office")
    assert "missing = ['점검', 'off']" in caught.value.problems[0].right
    panel = load_panel(town(records, source=CSV + 'missing = ["점검", "off"]'), "office")
    assert np.isnan(panel.values_TNF[[3, 7, 9], 0, 0]).all()


def test_all_texts_of_all_columns_are_told_at_once(town):
    a, b = {3: "x", 4: "x", 6: "y"}, {20: "z"}
    rows = [f"2024-05-01 {h:02d}:00,{a.get(h, h)},{b.get(h, h)}" for h in range(24)]
    with pytest.raises(DataError) as caught:
        load_panel(town("time,a,b\n" + "\n".join(rows) + "\n"), "office")
    first, second = caught.value.problems
    assert first.reason == "not a number (rows 5, 6), nor is 'y' (row 8); 3 cells in all"
    assert (second.value, second.reason) == ("z", "not a number (row 22)")
    assert "missing = ['x', 'y', 'z']" in first.right


def both_ways(sign):
    values = [90, 409, 755, 960, f"1{sign}019", f"1{sign}209", 984, 420]
    return [f"2024-05-{d:02d} {h:02d}:00;{values[h % 8]};1" for d in (1, 2) for h in range(24)]


@pytest.mark.parametrize("sign", [",", "."])
def test_numbers_that_fit_both_readings_are_refused_until_the_file_says_which(sign, town):
    records = "time;a;b\n" + "\n".join(both_ways(sign)) + "\n"
    source = CSV + 'delimiter = ";"\n'
    with pytest.raises(DataError) as caught:
        load_panel(town(records, source=source, fields=COUNTS), "office")
    (problem,) = caught.value.problems
    assert "two ways" in problem.reason
    assert f"thousands = '{sign}' ('1{sign}019' is 1019, the largest value 1,209)" in problem.right
    other = "," if sign == "." else "."
    assert "decimal" not in problem.right  # it would make 1.019 of 1,019 for good
    right = load_panel(
        town(records, source=f'{source}thousands = "{sign}"', fields=COUNTS), "office"
    )
    assert right.values_TNF[4, 0, 0] == 1019
    stated = f'{source}decimal = "{sign}"'
    with pytest.raises(DataError, match=r"is read as 1\.019, but may mean 1019") as caught:
        load_panel(town(records, source=stated, fields=COUNTS), "office")
    assert f"thousands = '{sign}' instead of decimal" in caught.value.problems[0].right
    assert "and thousands" not in caught.value.problems[0].right
    both_stated = f'{stated}\nthousands = "{other}"'
    fractions = load_panel(town(records, source=both_stated, fields=COUNTS), "office")
    assert fractions.values_TNF[4, 0, 0] == np.float32(1.019)


def test_a_stated_decimal_sign_that_may_part_thousands_is_a_warning_for_other_kinds(town):
    values = [90, 409, 755, 960, "1,019", "1,209", 984, 420]
    rows = [
        f"2024-05-{d:02d} {h:02d}:00;{values[h % 8]};1" for d in range(1, 15) for h in range(24)
    ]
    stated = town("time;a;b\n" + "\n".join(rows), source=CSV + 'delimiter = ";"\ndecimal = ","')
    (warned,) = (
        one for one in load_with_findings(stated, "office").findings if one.what == "grouped"
    )
    assert "is read as 1.019, but may mean 1019" in warned.text


def test_three_decimals_everywhere_are_decimals(town):
    rows = [f"2024-05-01 {h:02d}:00,{h}.125,{h + 1}.250" for h in range(24)]
    assert (
        load_panel(town("time,a,b\n" + "\n".join(rows) + "\n"), "office").values_TNF[1, 0, 0]
        == 1.125
    )
    counts = [f"2024-05-01 {h:02d}:00,{h + 1}.000,2.000" for h in range(24)]
    panel = load_panel(town("time,a,b\n" + "\n".join(counts) + "\n", fields=COUNTS), "office")
    assert panel.values_TNF[1, 0, 0] == 2


def test_brackets_and_a_minus_behind_are_noted(town):
    rows = [
        f"2024-05-01 {h:02d}:00,{'(5)' if h == 3 else '6-' if h == 4 else h},1" for h in range(24)
    ]
    loaded = load_with_findings(town("time,a,b\n" + "\n".join(rows) + "\n"), "office")
    assert loaded.panel.values_TNF[3:5, 0, 0].tolist() == [-5, -6]
    (note,) = (one for one in loaded.findings if one.what == "negated")
    assert "rows 5, 6" in note.text


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ('decimal = ","\nthousands = ","', "the same sign as decimal"),
        ('thousands = "0"', "part of a number"),
        ('unit_text = ["m2"]', "has a digit in it"),
    ],
)
def test_signs_that_cannot_be(keys, reason, town):
    with pytest.raises(ConfigError, match=reason):
        town("time,a,b\n2024-05-01 00:00,1,2\n", source=CSV + keys)
