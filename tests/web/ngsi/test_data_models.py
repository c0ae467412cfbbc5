"""Names are those of the Smart Data Models.

The package `pysmartdatamodels` wants libraries that this project does without, so a table of what
it says of the attributes used here lies beside this file; `test_strangers` compares with the
package itself.
"""

import json
from pathlib import Path

import pytest

from deepcity.applications.application import applications
from deepcity.web.ngsi.context import context_document, model_terms, short_name, terms
from deepcity.web.ngsi.data_models import WHOLE
from deepcity.web.ngsi.other_entities import _CATEGORY, _SEVERITY, _SUB_CATEGORY
from deepcity.web.ngsi.place_entities import measured_number
from deepcity.web.ngsi.unit_codes import unit_code

KNOWN = json.loads(Path(__file__).with_name("smart_data_models.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in model_terms()}))
def test_attributes_have_the_names_and_addresses_of_their_model(kind):
    own = {name: iri for (of, name), iri in model_terms().items() if of == kind}
    assert own == KNOWN["types"][kind]


def test_one_name_is_one_thing():
    by_name = {}
    for (_, name), iri in model_terms().items():
        assert by_name.setdefault(name, iri) == iri


def test_alerts_use_the_values_of_their_model():
    assert set(_CATEGORY.values()) <= set(KNOWN["enums"]["category"])
    assert {*_SEVERITY.values(), "high"} <= set(KNOWN["enums"]["severity"])
    assert set(_SUB_CATEGORY.values()) <= set(KNOWN["enums"]["subCategory"])
    assert set(_SUB_CATEGORY) <= set(applications())


def test_integers_of_a_model_are_integers():
    numbers = {name: kind for one in KNOWN["numbers"].values() for name, kind in one.items()}
    assert {name for name, kind in numbers.items() if kind == "integer"} == WHOLE
    assert all(isinstance(measured_number(name, 2.5), int) for name in WHOLE)
    assert measured_number("intensity", 2.5) == 2.5


def test_the_context_needs_nothing_from_elsewhere():
    document = context_document()["@context"]
    assert isinstance(document, dict)
    assert all(short_name(iri) == name for name, iri in terms().items())


@pytest.mark.parametrize(("unit", "code"), [("km/h", "KMH"), ("people", "C62"), ("?", "")])
def test_units_are_codes(unit, code):
    assert unit_code(unit) == code
