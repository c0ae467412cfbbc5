"""IN and OUT rows of one time: summed, told apart, or refused with what each choice would lose."""

import pytest

from deepcity.city.errors import DataError
from deepcity.data.city_file import load_with_findings
from deepcity.data.remedies import repeated_times, table_read

pytest_plugins = ["towns"]

HOURS = [f"2024-05-{d:02d} {h:02d}:00" for d in (1, 2, 3) for h in range(24)]
SOURCE = (
    'format = "csv"\npath = "records.csv"\nlayout = "long"\nplace = "p"\n'
    'time = {{ column = "t"{} }}'
)
SUM = SOURCE.format(', duplicates = "sum"')


def field(name="n", kind="count", unit="bikes", more=""):
    return (
        f'{{ name = "{name}", kind = "{kind}", unit = "{unit}", source = "records", '
        f'column = "n"{more} }}'
    )


def table(out=lambda i: i // 2, more=()):
    rows = [row for i, t in enumerate(HOURS) for row in (f"{t},X,{i},IN", f"{t},X,{out(i)},OUT")]
    return "\n".join(["t,p,n,dir", *rows, *more]) + "\n"


def loaded(town, records, source, *fields):
    city = town(records, source=source, fields=f"[{', '.join(fields)}]", places='["X"]')
    return load_with_findings(city, "office")


def test_parts_of_one_amount_are_added_up(town):
    found = loaded(town, table(), SUM, field())
    assert found.panel.values_TNF[:, 0, 0].tolist() == [i + i // 2 for i in range(72)]
    assert [one.what for one in found.findings if "sum" in one.what] == []


def test_adding_up_is_tried_on_the_first_rows_of_a_long_table(town, monkeypatch):
    monkeypatch.setattr(table_read, "SAMPLE_ROWS", 50)
    monkeypatch.setattr(repeated_times, "SAMPLE_ROWS", 50)
    lines = table().splitlines()
    later = [line.replace(",X,", ",Y,") for line in lines[1:]]
    records = "\n".join([*lines, *later]) + "\n"
    city = town(records, source=SOURCE.format(""), fields=f"[{field()}]", places='["X", "Y"]')
    with pytest.raises(DataError, match="more than one row for one time, 144 times") as caught:
        load_with_findings(city, "office")
    total = sum(i + i // 2 for i in range(25))
    right = caught.value.problems[0].right
    assert (
        f"time.duplicates = 'sum' (rows that dir tells apart (IN, OUT) are added up, {total}"
        in right
    )


def test_a_missing_part_makes_no_sum(town):
    panel = loaded(town, table(lambda i: "" if i == 5 else 1), SUM, field()).panel
    assert panel.mask_TNF[:, 0, 0].sum() == 71


def test_one_part_alone_or_each_as_a_field(town):
    fields = [
        field("n-in", more=', where = { dir = ["IN"] }'),
        field("n-out", more=', where = { dir = ["OUT"] }'),
    ]
    panel = loaded(town, table(), SOURCE.format(""), *fields).panel
    assert panel.values_TNF[:, 0].tolist() == [[i, i // 2] for i in range(72)]


def test_rows_delivered_twice_are_doubted_when_summed(town):
    twice = loaded(town, table(lambda i: i), SUM, field())
    assert "equal-summed" in {one.what for one in twice.findings}
    again = [f"{HOURS[7]},X,7,IN", f"{HOURS[7]},X,3,OUT"]
    assert "uneven-sums" in {
        one.what for one in loaded(town, table(more=again), SUM, field()).findings
    }


def test_two_speeds_make_no_speed(town):
    with pytest.raises(DataError, match="not additive"):
        loaded(town, table(), SUM, field(kind="speed", unit="km/h"))
