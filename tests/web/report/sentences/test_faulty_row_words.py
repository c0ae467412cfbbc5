"""What was wrong with rows is a sentence in both languages."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import deepcity
from deepcity.runs.note import Note
from deepcity.web.report.sentences.doubts import doubt
from deepcity.web.report.text import translate

UTC = ZoneInfo("UTC")
NAMES = {"file": "a.csv", "column": "flow", "rows": ["3"], "value": "x", "text": "odd"}


def shown(code, numbers, **names):
    return doubt(Note(code=f"reading_{code}", numbers=numbers, names=NAMES | names), UTC)


def test_every_cause_has_a_sentence():
    """Whoever adds a cause is told to say it in both languages."""
    sources = Path(deepcity.__file__).parent.rglob("*.py")
    texts = [one.read_text(encoding="utf-8") for one in sources]
    causes = {
        code for text in texts for code in re.findall(r"""\b_?[cC]ause\(\s*"([a-z-]+)\"""", text)
    }
    assert {"not-a-number", "stray-quote", "far-time", "no-row"} <= causes
    for code in causes:
        found = translate(f"reading.{code.replace('-', '_')}")
        assert found.en != found.ko


@pytest.mark.parametrize(
    ("found", "en", "ko"),
    [
        (shown("not_a_number", {"count": 1}),
         "a.csv, flow: cells that are not numbers. Row 3; the first: “x”.",
         "a.csv, flow: 숫자가 아닌 칸. 3행; 첫 값 “x”."),
        (shown("negative", {"count": 1204}, rows=["3", "7"]),
         "Rows 3, 7 and 1,202 more", "3, 7행 외 1,202행"),
        (shown("unreadable", {"count": 1}, column="", rows=[], value=""),
         "a.csv: cannot be read: “odd”.", "a.csv: 읽을 수 없음: “odd”."),
        (shown("of_a_newer_version", {"count": 1}, rows=[], value=""),
         "cannot be read as the city file says: “odd”", "도시 파일에 적힌 대로 읽을 수 없음"),
        (shown("no_row", {"batches": 3, "from_s": 0, "to_s": 60}, rows=[], value=""),
         "Refused as they came, 3 batches or messages from 1 Jan 1970, 00:00 to",
         "들어올 때 묶음이나 메시지 3개를 거절함"),
        (shown("more", {"count": 12}), "12 further kinds", "결함 12종류"),
    ],
)  # fmt: skip
def test_file_column_rows_and_value_are_named(found, en, ko):
    assert en in found.en
    assert ko in found.ko
