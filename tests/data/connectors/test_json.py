"""JSON in its three forms, GeoJSON, and what is no such file."""

import gzip
import json

import connector_contract as contract
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.data.connectors import connectors, read_columns, read_table
from deepcity.data.connectors import json as module
from deepcity.data.connectors.geojson import GeoJsonSettings
from deepcity.data.connectors.json import JsonSettings
from deepcity.data.errors import ReadError

ROWS = [
    {"time": f"2024-01-01 {h:02d}:00", "station": {"id": 10**19 + 1}, "n": h / 4} for h in range(24)
]
FORMS = {
    "list.json": json.dumps(ROWS),
    "within.json": json.dumps({"meta": {"bounds": [1, 2]}, "result": {"data": ROWS}}),
    "lines.json": "\n".join(map(json.dumps, ROWS)),
    "lines.ndjson": "\n".join(json.dumps({**row, "parts": [{"x": 1}]}) for row in ROWS),
    "mark.json": "\ufeff" + json.dumps(ROWS),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_records(name, tmp_path):
    (tmp_path / name).write_text(FORMS[name], encoding="utf-8")
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(FORMS[name].encode()))
    for path in (name, f"{name}.gz"):
        frame = read_table(JsonSettings(name="r", path=path), tmp_path).frame
        assert frame.columns[:3] == ["time", "station.id", "n"]
        assert frame.row(5)[:3] == ("2024-01-01 05:00", "10000000000000000001", "1.25")
        assert frame.height == 24


def test_the_contract_of_connectors(tmp_path):
    (tmp_path / "r.json").write_text(FORMS["within.json"])
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    source = JsonSettings(name="r", path="r.json")
    contract.check(connectors()["json"], source, tmp_path, nowhere)
    (tmp_path / "r.geojson").write_text(json.dumps(FEATURES))
    features = GeoJsonSettings(name="r", path="r.geojson")
    contract.check(connectors()["geojson"], features, tmp_path, nowhere)


def test_columns_are_read_once_until_the_file_changes(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(
        module, "columns_of", lambda *rows, own=module.columns_of: (read.append(1), own(*rows))[1]
    )
    path = tmp_path / "r.geojson"
    for text in (json.dumps(FEATURES), json.dumps(FEATURES).replace('"n"', '"title"')):
        path.write_text(text)
        for _ in range(3):
            names = read_columns(GeoJsonSettings(name="r", path="r.geojson"), tmp_path)
        assert ("title" in names) == ("title" in text)
    assert len(read) == 2


BIG = '[{"a":"' + "x" * 2_000_000 + '"}]'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON, before the first record"),
        ("5", "no list of objects"),
        ("[1]", "record 1 is no object"),
        ("[]", "empty"),
        ('[{"a":1},{"b"', "not JSON, after record 1"),
        ('{"a":[{"x":1}],"b":[{"x":2}]}', "2 lists of objects"),
        ("[" * 100_000, "nested deeper than 200"),
        ('{"a":' * 100_000, "nested deeper than 200"),
        ('[{"a":' + "[" * 30_000 + "]" * 30_000 + "}]", "nested deeper than 200"),
        ('[{"a":' + "9" * 5000 + "}]", "thousands of digits"),
        (BIG, "over 1,000,000 bytes"),
        ('[{"a":NaN}]', "not JSON"),
        (json.dumps([{f"k{i}": 1} for i in range(10_001)]), "over 10,000 different keys"),
    ],
)
def test_what_is_no_table_is_refused(text, reason, tmp_path):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ReadError) as caught:
        read_table(JsonSettings(name="r", path="r.json", max_record_mb=1), tmp_path)
    assert reason in caught.value.reason
    assert caught.value.right


def test_one_of_several_lists_by_its_path(tmp_path):
    (tmp_path / "r.json").write_text('{"a":{"b":[{"x":1}]},"c":[{"x":2}]}')
    source = JsonSettings(name="r", path="r.json", records="a.b")
    assert read_table(source, tmp_path).frame.rows() == [("1",)]
    with pytest.raises(ReadError, match="no list"):
        read_table(JsonSettings(name="r", path="r.json", records="a.z"), tmp_path)


VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
RECORDS = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), min_size=1, max_size=6)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(records=RECORDS)
def test_whatever_records_hold_comes_as_text(records, tmp_path):
    (tmp_path / "r.json").write_text(json.dumps(records), encoding="utf-8")
    frame = read_table(JsonSettings(name="r", path="r.json"), tmp_path).frame
    for row, record in zip(frame.to_dicts(), records, strict=False):
        for name, cell in row.items():
            value = record.get(name)
            if value is None or isinstance(value, str):
                assert cell == value
            else:
                assert json.loads(cell) == value


def feature(geometry, **more):
    return {"type": "Feature", "geometry": geometry, "properties": {}, **more}


FEATURES = {
    "type": "FeatureCollection",
    "features": [
        feature({"type": "Point", "coordinates": [127.5, 37.25]}, id=7, properties={"n": "북"}),
        feature({"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 4], [0, 0]]]}),
        feature(None, properties={"id": "x", "lat": 1}),
    ],
}


def test_features_have_an_id_and_a_position(tmp_path):
    (tmp_path / "r.geojson").write_text(json.dumps(FEATURES), encoding="utf-8")
    frame = read_table(GeoJsonSettings(name="r", path="r.geojson"), tmp_path).frame
    rows = frame.select("id", "lat", "lon", "n").rows()
    assert rows == [
        ("7", "37.25", "127.5", "북"),
        (None, "2.0", "1.0", None),
        ("x", "1", None, None),
    ]
