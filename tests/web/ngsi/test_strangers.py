"""Others' software beside our NGSI-LD routes: a client library, and what data models say of types.

`ngsildclient` and `pysmartdatamodels` are in an environment of their own (`strangers`). The package
of the models has no JSON schemas (its own validation fetches them); its table has each attribute's
IRI, JSON type, format, values and kind of NGSI-LD property, of which a schema is made here.
"""

import gzip
import json
import subprocess
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from live_city import START
from strangers import PYTHON, needed, package

from deepcity.store.events.event import EventDraft, EventKind
from deepcity.web.ngsi.context import SUBJECTS, model_terms
from deepcity.web.ngsi.data_models import TABLE

pytestmark = needed
CORE = {"id", "type", "@context", "location", "scope"}
KEYS = ("type", "format", "enum")
UNITS = {
    "Hecto pascals": "hPa",
    "Kilometer per hour (Km/h)": "km/h",
    "Liters per square meter": "mm",
}
"""The package's words for the units that it names, and ours for the same."""


@cache
def attributes():
    """(type, attribute) -> what the package says of it, of the first level of a model."""
    path = package("pysmartdatamodels") / "model-assets" / "smartdatamodels.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = json.load(file)
    found = {}
    for row in rows:
        if row["dataModel"] in SUBJECTS and "parentId" not in row:
            found.setdefault((row["dataModel"], row["property"]), []).append(row)
    return found


def required(kind):
    """Attributes that a type's schema asks for; the package keeps no more of the schema."""
    path = package("pysmartdatamodels") / "model-assets" / "datamodels_metadata.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    (found,) = [row for row in rows if (row["subject"], row["dataModel"]) == (SUBJECTS[kind], kind)]
    return found["required"]


def problems(entity):
    """What is wrong with an entity in its simplified form, by its type's table."""
    kind = entity["type"]
    known = {name: rows for (of, name), rows in attributes().items() if of == kind}
    schema = {
        "required": required(kind),
        "properties": {
            name: {"anyOf": [{key: row[key] for key in KEYS if key in row} for row in rows]}
            for name, rows in known.items()
            if name not in CORE
        },
    }
    checker = FormatChecker()
    checker.checks("date-time", raises=ValueError)(datetime.fromisoformat)
    plain = {name: _untyped(value) for name, value in entity.items()}
    errors = Draft202012Validator(schema, format_checker=checker).iter_errors(plain)
    return [f"{kind}: {one.json_path}: {one.message}" for one in errors]


def _untyped(value):
    """A time as its text: NGSI-LD names the type of times in the simplified form too."""
    return value["@value"] if isinstance(value, dict) and "@value" in value else value


def served(client, kind, form):
    answer = client.get("/entities", params={"type": kind, "options": form, "limit": 1000})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_strangers_client_works_against_a_node(client):
    found = subprocess.run(
        [PYTHON, Path(__file__).with_name("stranger.py"), str(client.base_url.port)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    tried = json.loads(found.stdout.splitlines()[-1])
    assert len(tried) == 10
    assert {what: came for what, came in tried.items() if came != "True"} == {}


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in model_terms()}))
def test_attributes_are_those_of_the_package(kind):
    own = {name: iri for (of, name), iri in model_terms().items() if of == kind}
    known = {name: {row["context"] for row in attributes().get((kind, name), ())} for name in own}
    assert {name: iri for name, iri in own.items() if iri not in known[name]} == {}


def test_numbers_of_a_model_are_numbers_there():
    """Of every attribute that a record may fill."""
    rows = [(one.type, one.attribute) for one in TABLE if one.attribute and not one.own]
    kinds = {key: {row.get("type") for row in attributes()[key]} for key in rows}
    assert {key: kind for key, kind in kinds.items() if not kind & {"number", "integer"}} == {}


def test_units_are_those_of_the_package_where_it_names_one():
    own = {(one.type, one.attribute): one.unit for one in TABLE if not one.own}
    named = {
        key: UNITS[row["units"]]
        for key in own
        for row in attributes().get(key, ())
        if "units" in row
    }
    assert len(named) == 3
    assert named == {key: own[key] for key in named}


def test_what_is_served_has_the_types_formats_and_values_of_its_model(client, node):
    body = {"change": "raised", "place": "p1", "code": "warn", "severity": "warning", "decision": 0}
    body["numbers"] = {"probability": 0.7}
    node.keep([EventDraft(EventKind.ALARM, "alarm/of/test", START, "water", "a/x", body=body)])
    kinds = [kind for kind in client.get("/types").json()["typeList"] if kind in SUBJECTS]
    entities = [one for kind in kinds for one in served(client, kind, "keyValues")]
    assert {one["type"] for one in entities} == {"Alert", "MLModel", "WaterConsumptionObserved"}
    assert [found for one in entities for found in problems(one)] == []


def test_kinds_of_property_are_those_of_the_model(client):
    for entity in served(client, "WaterConsumptionObserved", "normalized"):
        for name, part in entity.items():
            known = {row.get("typeNGSI") for row in attributes().get((entity["type"], name), ())}
            if name not in CORE and known - {None}:
                assert part["type"] in known, (name, part)


def test_what_is_of_another_type_is_found(client):
    entity = served(client, "WaterConsumptionObserved", "keyValues")[0]
    wrong = {**entity, "maxFlow": "much", "name": 3}
    assert len(problems(wrong)) == 2
    alert = {"type": "Alert", "severity": "very", "dateIssued": "soon"}
    assert len(problems(alert)) == 5  # id, alertSource and category are missing
