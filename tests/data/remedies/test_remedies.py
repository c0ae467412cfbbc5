"""Every remedy that a message can name is offered where it is right, and only there."""

import re
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from remedy_records import (
    COUNT,
    HOURS,
    LEVEL,
    LONG,
    ONE,
    SPEED,
    WIDE,
    autumn,
    autumn_ends,
    daily,
    every,
    repeated,
    spring,
    wide,
)

from deepcity.city.errors import ConfigError, DataError
from deepcity.data.city_file import load_city, load_with_findings
from deepcity.data.remedies import next_step, remedies, trials
from deepcity.data.remedies.codes import MissingCode
from deepcity.data.remedies.cumulative import RunningTotal

pytest_plugins = ["towns"]


@dataclass(frozen=True)
class File:
    """Records and the city file that reads them; `fixed` is what its remedy changes."""

    records: str | bytes
    source: str = WIDE % "" + 'delimiter = ";"\n'
    city: dict = field(default_factory=dict)
    fixed: dict = field(default_factory=dict)

    def problems(self, folder: Path, **changed: str) -> str:
        """What loading it says; empty if nothing."""
        content = self.records if isinstance(self.records, bytes) else self.records.encode()
        (folder / "records.csv").write_bytes(content)
        keys = {"source": self.source, **self.city, **changed}
        (folder / "town.toml").write_text(import_module("towns").toml(**keys), encoding="utf-8")
        try:
            load_with_findings(load_city(folder / "town.toml"), "office")
        except (DataError, ConfigError) as error:
            return str(error)
        return ""


SOURCE = WIDE % "" + 'delimiter = ";"\n'
EARLIER = WIDE % ', ambiguous = "earlier"'
ROME = {"zone": "Europe/Rome"}
HOUR_COLUMNS = tuple(f"{h:02d}-{h + 1:02d}시" for h in HOURS)
PLAIN = WIDE % ""
PLACE_A = {"fields": ONE, "places": '["a"]'}
IN_OUT = repeated(("IN", "OUT"), (lambda h: h + 5, lambda h: 2 * h))

HOURS_AS_FIELD = {"fields": COUNT % ', column = "00-01시"', "places": '["here"]'}
AS_HOURS = WIDE % ', hour_columns = { first = "00-01시", last = "23-24시" }'
NOTED = wide({}) + "합계;300;24\n주: 잠정치;;\n"
ONE_DAY = wide({}).replace("2024-05-01", "05/07/2024")
SECONDS = "time,a,b\n" + "".join(f"{1_714_521_600 + 3600 * h},{h},1\n" for h in HOURS)

CASES = {  # remedy: (what it is called, a file it is right for, one it is not right for)
    "thousands": (
        "thousands = ','",
        File(wide({3: "1,019,300"}), fixed={"source": SOURCE + 'thousands = ","'}),
        File(wide({3: "1,5"})),
    ),
    "decimal": (
        "decimal = ','",
        File(wide({3: "1,5"}), fixed={"source": SOURCE + 'decimal = ","'}),
        File(wide({3: "1,5"}, beside="2.25")),
    ),
    "decimal-and-thousands": (
        "decimal = ',' and thousands = '.'",
        File(wide({3: "1.019,5"}), fixed={"source": SOURCE + 'decimal = ","\nthousands = "."'}),
        File(wide({3: "1.019,5"}, beside="2.25")),
    ),
    "unit-text": (
        "unit_text = ['명']",
        File(wide({3: "5명"}), fixed={"source": SOURCE + 'unit_text = ["명"]'}),
        File(wide({3: "5명", 4: "5대"})),
    ),
    "unit-text-and-thousands": (
        "unit_text = ['₩'] and thousands = ','",
        File(
            wide({3: "₩1,019,300"}),
            fixed={"source": SOURCE + 'unit_text = ["₩"]\nthousands = ","'},
        ),
        File(wide({3: "₩1,019,30"})),
    ),
    "unit-text-and-decimal": (
        "unit_text = ['€'] and decimal = ','",
        File(wide({3: "€ 3,20"}), fixed={"source": SOURCE + 'unit_text = ["€"]\ndecimal = ","'}),
        File(wide({3: "€ 3,20"}, beside="2.25")),
    ),
    "unit-text-and-both-signs": (
        "unit_text = ['€'] and decimal = ',' and thousands = '.'",
        File(
            wide({3: "1.019,5 €"}),
            fixed={"source": SOURCE + 'unit_text = ["€"]\ndecimal = ","\nthousands = "."'},
        ),
        File(wide({3: "1.019,5 €", 5: "$ 1.019,5"})),
    ),
    "missing": (
        "missing = ['점검']",
        File(wide({3: "점검"}), fixed={"source": SOURCE + 'missing = ["점검"]'}),
        File(wide(dict.fromkeys(range(20), "점검"))),
    ),
    "encoding": (
        "encoding = 'cp949'",
        File(
            wide({}).replace("b", "여의나루").encode("cp949"),
            fixed={"source": SOURCE + 'encoding = "cp949"'},
            city={"places": '["a"]'},
        ),
        File("여의나루역\n".encode() + wide({}).replace("b", "여의나루").encode("cp949")),
    ),
    "delimiter": (
        'delimiter = ";"',
        File(wide({}), PLAIN, fixed={"source": SOURCE}),
        File(wide({}).replace("b", "c", 1), PLAIN),
    ),
    "duplicates": (
        "time.duplicates = 'first'",
        File(
            "time,p,n\n" + "".join(f"2024-05-01 {h % 24:02d}:00,a,{h % 24}\n" for h in range(30)),
            LONG % "",
            PLACE_A,
            {"source": LONG % ', duplicates = "first"'},
        ),
        File(IN_OUT, LONG % "", PLACE_A),
    ),
    "sum": (
        "time.duplicates = 'sum'",
        File(IN_OUT, LONG % "", PLACE_A, {"source": LONG % ', duplicates = "sum"'}),
        File(IN_OUT, LONG % "", {"fields": SPEED, "places": '["a"]'}),
    ),
    "place-column": (
        "layout = 'long' and place = 'dir'",
        File(
            IN_OUT,
            PLAIN,
            {"fields": ONE, "places": '["here"]'},
            {
                "source": PLAIN + 'layout = "long"\nplace = "dir"\n',
                "places": '["IN", "OUT"]',
            },
        ),
        File(
            "time,n\n2024-05-01 00:00,1\n2024-05-01 00:00,2\n2024-05-01 01:00,3\n",
            PLAIN,
            {"fields": ONE, "places": '["here"]'},
        ),
    ),
    "spread": (
        "spread = true",
        File(
            daily(), PLAIN, {"fields": LEVEL}, {"fields": LEVEL.replace(" }", ", spread = true }")}
        ),
        File(daily(), PLAIN, {"fields": COUNT % ""}),
    ),
    "longer-step": (
        "step = '1d' in the agency",
        File(daily(), PLAIN, {"fields": COUNT % ""}, {"step": "1d"}),
        File(
            daily(HOUR_COLUMNS),
            PLAIN,
            {"fields": COUNT % ', column = "00-01시"', "places": '["here"]'},
        ),
    ),
    "hour-columns": (
        'time.hour_columns = { first = "00-01시", last = "23-24시" } without column',
        File(
            daily(HOUR_COLUMNS),
            PLAIN,
            HOURS_AS_FIELD,
            {"source": AS_HOURS, "fields": COUNT % ""},
        ),
        File(daily(HOUR_COLUMNS).replace(",1\n", ",x1\n"), PLAIN, HOURS_AS_FIELD),
    ),
    "clock-step": (
        "clock.step = '10min' (keeps the rows as they are)",
        File(every(10), PLAIN, {"step": "15min"}, {"step": "10min"}),
        File(every(7), PLAIN, {"step": "1h"}),
    ),
    "skip-footer": (
        "skip_footer = 2",
        File(NOTED, fixed={"source": SOURCE + "skip_footer = 2"}),
        File(NOTED.replace("2024-05-01 03:00", "yesterday")),
    ),
    "time-format": (
        "time.format = '%d/%m/%Y %H:%M' if it is 5 July 2024 or '%m/%d/%Y %H:%M' if it is 7 May",
        File(
            ONE_DAY,
            fixed={"source": SOURCE.replace('"time"', '"time", format = "%d/%m/%Y %H:%M"')},
        ),
        File(ONE_DAY.replace("05/07/2024 23", "13/07/2024 23").replace(";24;", ";x;")),
    ),
    "time-format-of-numbers": (
        "time.format = 'epoch_s' (the first is then 2024-05-01 00:00 UTC)",
        File(SECONDS, PLAIN, fixed={"source": WIDE % ', format = "epoch_s"'}),
        File(SECONDS.replace("17145", "5"), PLAIN),
    ),
    "ambiguous-infer": (
        "time.ambiguous = 'infer'",
        File(autumn(True), PLAIN, ROME, {"source": WIDE % ', ambiguous = "infer"'}),
        File(autumn(False), PLAIN, ROME),
    ),
    "stamp-of-repeated-hour": (
        "time.stamp = 'wall_end' and time.step = '1h' and time.ambiguous = 'infer'",
        File(
            autumn_ends(3),
            EARLIER,
            ROME,
            {"source": WIDE % ', stamp = "wall_end", step = "1h", ambiguous = "infer"'},
        ),
        File(autumn_ends(5), EARLIER, ROME),
    ),
    "ambiguous-one": (
        "time.ambiguous = 'earlier' or 'later'",
        File(autumn(False), PLAIN, ROME, {"source": WIDE % ', ambiguous = "earlier"'}),
        File(autumn(True), PLAIN, ROME),
    ),
    "nonexistent-shift": (
        "time.nonexistent = 'shift'",
        File(spring((0, 1, 2, 4, 5)), PLAIN, ROME, {"source": WIDE % ', nonexistent = "shift"'}),
        File(spring((0, 1, 2, 3, 4, 5)), PLAIN, ROME),
    ),
}
TWICE = repeated(("IN", "OUT"), (lambda h: h + 5, lambda h: h + 5))  # may be one row twice
CORRECTED = "time,p,n\n" + "".join(f"2024-05-01 {h % 24:02d}:00,a,{h}\n" for h in range(30))
ALSO_WITHHELD = [  # what must not be offered of a remedy, and for which file
    ("time.duplicates", File(CORRECTED, LONG % "", PLACE_A)),
    ("unit_text", File(wide({3: "5 km", 4: "500 m"}))),
    ("unit_text", File(wide({3: "3천", 4: "5천"}))),
    ("unit_text", File(wide({3: "<5", 4: "<6"}))),
    ("missing", File(wide({3: "12.3.4"}))),
    ("thousands", File(wide({3: "1.019,5", 4: "1,019.5"}))),
    ("decimal", File(wide({3: "1.019,5", 4: "1,019.5"}))),
    ("time.duplicates", File(TWICE, LONG % "", PLACE_A)),
]
COSTLY = {  # by their nature: named with what they lose, never offered
    "ambiguous-mask": ("time.ambiguous = 'mask' (1 rows", File(autumn(False), PLAIN, ROME)),
    "nonexistent-mask": (
        "time.nonexistent = 'mask' (1 rows",
        File(spring((0, 1, 2, 3, 4)), PLAIN, ROME),
    ),
}


UNTIL_24 = "time,a,b\n" + "".join(
    f"2024-05-{d:02d} {h:02d}:00,{h},{d}\n" for d in (1, 2, 3) for h in range(1, 25)
)
WALL_END = "time.stamp = 'wall_end' and time.step = '1h'"
REAL = np.concatenate([np.linspace(3.0, 52.3, 90), np.full(10, 999.9)])
AMONG = np.concatenate([np.linspace(-40.0, 40.0, 90), np.full(10, -1.0)])
STEPS = np.arange(200) * 3600
METER = np.cumsum(np.linspace(1.0, 3.0, 200))
SAW = np.arange(200.0) % 3


def total(values):
    return RunningTotal(STEPS, [values], 3600, "kWh")


WARNED = {  # of warnings, on records that load: evidence for which it is right, and is not
    "valid": (
        "valid = [0, 100] on this field",
        MissingCode(999.9, "999.9", (999.9,), REAL, REAL == 999.9),
        MissingCode(-1.0, "-1", (-1.0,), AMONG, AMONG == -1),
    ),
    "cumulative": ("cumulative = true (2.005 kWh is then added", total(METER), total(SAW)),
    "missing-number": (
        'missing = ["-1"] in its source',
        MissingCode(-1.0, "-1", (-1.0,), AMONG, AMONG == -1),
        MissingCode(999.9, "999.9", (999.9,), REAL, REAL == 999.9),
    ),
}
STAMPS = {"stamp-wall-end": WALL_END, "stamp-start": "time.stamp = 'start'"}


def offered(message: str) -> str:
    return re.sub(r"not without loss:.*", "", message)


def test_every_remedy_has_its_cases():
    assert {one.name for one in remedies()} == {*CASES, *COSTLY, *WARNED, *STAMPS}
    assert len({one.name for one in remedies()}) == len(remedies())


@pytest.mark.parametrize("name", CASES)
def test_a_remedy_is_offered_where_it_works(name, tmp_path):
    change, file, _ = CASES[name]
    message = file.problems(tmp_path)
    assert change in offered(message), message
    assert file.problems(tmp_path, **file.fixed) == ""


@pytest.mark.parametrize("name", CASES)
def test_a_remedy_is_withheld_where_it_would_lose_something(name, tmp_path):
    change, _, file = CASES[name]
    message = file.problems(tmp_path)
    assert message
    assert change not in offered(message)


@pytest.mark.parametrize(("key", "file"), ALSO_WITHHELD)
def test_a_key_that_would_lose_something_is_not_offered(key, file, tmp_path):
    message = file.problems(tmp_path)
    assert message
    assert f"{key} = " not in offered(message)


@pytest.mark.parametrize("name", COSTLY)
def test_what_always_loses_rows_is_named_with_its_price(name, tmp_path):
    text, file = COSTLY[name]
    message = file.problems(tmp_path)
    assert text in message
    assert text not in offered(message)


@pytest.mark.parametrize("name", WARNED)
def test_a_number_for_not_measured_is_masked_by_what_leaves_all_others(name):
    change, fits, not_so = WARNED[name]
    assert change in offered(next_step(trials(fits), "leave these rows out"))
    assert change not in offered(next_step(trials(not_so), "leave these rows out"))


def test_a_range_that_would_mask_a_real_value_is_not_offered():
    higher, is_code = np.append(REAL, 1000.0), np.append(REAL == 999.9, values=False)
    evidence = MissingCode(999.9, "999.9", (999.9,), higher, is_code)
    assert "valid" not in offered(next_step(trials(evidence), "leave these rows out"))


def hours_warned(folder, source):
    (folder / "records.csv").write_text(UNTIL_24)
    (folder / "town.toml").write_text(import_module("towns").toml(source=source))
    loaded = load_with_findings(load_city(folder / "town.toml"), "office")
    return [one.text for one in loaded.findings if one.what == "hours-to-last"]


def test_hours_up_to_24_ask_what_they_mark_until_it_is_stated(tmp_path):
    (text,) = hours_warned(tmp_path, PLAIN)
    assert "3 rows have an hour of 24 and none an hour of 0" in text
    assert all(change in offered(text) for change in STAMPS.values())
    assert hours_warned(tmp_path, WIDE % ', stamp = "start"') == []
    assert hours_warned(tmp_path, WIDE % ', stamp = "wall_end", step = "1h"') == []


def test_places_lost_with_dropped_rows_are_named(tmp_path):
    rows = repeated(
        ("north", "south", "west"), (lambda h: h, lambda h: 2 * h + 1, lambda h: 50 - h)
    )
    (tmp_path / "records.csv").write_text(rows)
    city = {"fields": SPEED, "places": '["here"]', "source": WIDE % ', duplicates = "first"'}
    (tmp_path / "town.toml").write_text(import_module("towns").toml(**city))
    loaded = load_with_findings(load_city(tmp_path / "town.toml"), "office")
    (text,) = (one.text for one in loaded.findings if one.what == "duplicate-loss")
    assert "dir tells them apart: of south, west no row is left" in text
    assert "set layout = 'long' and place = 'dir'" in text


def test_evidence_without_a_remedy_leaves_the_rest():
    assert next_step(trials(object()), "correct the cells") == "correct the cells"
