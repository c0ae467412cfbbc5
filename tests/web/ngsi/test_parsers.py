"""Parsers of what strangers send: whatever comes, an answer or an NgsiError; nothing hangs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.web.ngsi.attribute_query import attribute_query
from deepcity.web.ngsi.data_models import FORECAST, mapped
from deepcity.web.ngsi.entity import Attribute, Entity, Form, entity_json, feature_json
from deepcity.web.ngsi.geo_query import distance_m, geo_query
from deepcity.web.ngsi.patterns import pattern
from deepcity.web.ngsi.problems import NgsiError
from deepcity.web.ngsi.temporal.temporal_query import duration_s, second_of

ENTITY = Entity(
    "urn:ngsi-ld:T:a:b:c", "T",
    (
        Attribute("n", 3.5, observed_s=0, unit="C62", parts=(Attribute("low", 1.0),)),
        Attribute("s", "text"),
        Attribute("o", {"a": {"b": 2}}),
        Attribute("l", [1, 2, 3]),
        Attribute("t", {"@type": "DateTime", "@value": "2021-01-01T00:00:00Z"}),
        Attribute("location", {"type": "Point", "coordinates": [127.0, 37.5]}, "GeoProperty"),
    ),
)  # fmt: skip
SIGNS = st.text(alphabet='nsol.[](){}|;,=<>!~"*+?^$\\abc0123-:TZ ', max_size=40)


def sent(error):
    """It says something, and can be sent as UTF-8."""
    assert error.title.encode()
    assert error.detail.encode()


@given(st.one_of(st.text(max_size=60), SIGNS))
def test_any_query_is_answered_or_refused(text):
    try:
        assert attribute_query(text)(ENTITY) in (True, False)
    except NgsiError as error:
        sent(error)


@given(st.one_of(st.text(max_size=60), SIGNS), st.text(max_size=60))
def test_any_pattern_is_used_or_refused(text, value):
    try:
        assert pattern(text, "idPattern")(value) in (True, False)
    except NgsiError as error:
        sent(error)


@given(
    st.lists(st.sampled_from(["a", "b", ".", ".*", ".+", "[ab]", "[^a]", "\\."]), max_size=6),
    st.sampled_from(["", "b*", "a+", "[ab]?"]),
    st.tuples(st.booleans(), st.booleans()),
    st.text(alphabet="ab.", max_size=12),
)
def test_a_pattern_means_what_it_means_as_an_expression(atoms, quantified, ends, value):
    text = ("^" if ends[0] else "") + "".join(atoms) + quantified
    ours, theirs = (text + "$", text + "\\Z") if ends[1] else (text, text)
    assert pattern(ours, "p")(value) == (re.search(theirs, value) is not None)


def test_a_pattern_of_bad_will_takes_no_time():
    """An engine that goes back would take years."""
    assert not pattern(".*".join("a" * 33) + "b", "idPattern")("a" * 2_000)
    assert not pattern("[^b]*c", "idPattern")("a" * 2_000)


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=40))
def test_any_geometry_is_read_or_refused(georel, geometry, coordinates):
    try:
        geo_query(georel, geometry, coordinates)(ENTITY)
    except NgsiError as error:
        sent(error)


@given(st.text(max_size=50))
def test_any_time_and_duration_is_read_or_refused(text):
    for read in (lambda: second_of(text, "timeAt"), lambda: duration_s(text)):
        try:
            assert read() >= 0
        except NgsiError as error:
            sent(error)


@pytest.mark.parametrize(
    ("georel", "geometry", "coordinates", "fits"),
    [
        ("near;maxDistance==1000", "Point", "[127.0,37.505]", True),
        ("near;maxDistance==500", "Point", "[127.0,37.505]", False),
        ("near;minDistance==500", "Point", "[127.0,37.505]", True),
        ("within", "Polygon", "[[[126,37],[128,37],[128,38],[126,38],[126,37]]]", True),
        ("within", "Polygon", "[[[126,37],[127,37],[127,38],[126,38],[126,37]]]", True),
        ("disjoint", "Polygon", "[[[126,37],[128,37],[128,38],[126,38],[126,37]]]", False),
        (
            "within", "Polygon",
            "[[[126,37],[128,37],[128,38],[126,38],[126,37]],"
            "[[126.9,37.4],[127.1,37.4],[127.1,37.6],[126.9,37.6],[126.9,37.4]]]",
            False,
        ),
        ("intersects", "MultiPolygon", "[[[[0,0],[1,0],[1,1],[0,0]]]]", False),
        ("equals", "Point", "[127.0,37.5]", True),
        ("intersects", "LineString", "[[126,37.5],[128,37.5]]", True),
        ("within", "MultiPoint", "[[1,2],[127.0,37.5]]", True),
    ],
)  # fmt: skip
def test_how_a_place_lies(georel, geometry, coordinates, fits):
    assert geo_query(georel, geometry, coordinates)(ENTITY) is fits
    assert not geo_query(georel, geometry, coordinates)(Entity("urn:x", "T", ()))


def test_a_degree_is_as_long_as_the_earth_is_round():
    assert distance_m((127, 37.5), (127, 37.505)) == pytest.approx(556, abs=1)
    assert distance_m((179.9, 0), (-179.9, 0)) == pytest.approx(22_239, abs=1)


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("n>3", True), ("n>3.5", False), ("n==3..4", True), ("n!=3.5", False), ("n!=3", True),
        ("n.low<=1", True), ('s=="text"', True), ("s==text", True), ("s>3", False),
        ("o[a.b]==2", True), ("o[a.c]", False), ("l==2", True), ("l==7,3", True),
        ("t==2021-01-01T09:00:00+09:00", True), ("t<2021-01-01T00:00:00Z", False),
        ("n.unitCode==C62", True), ("s~=^te", True), ("n==true", False),
        ("n>3;s==other|n<4", True), ("n>3;(s==other|n>4)", False), ("missing!=3", False),
    ],
)  # fmt: skip
def test_what_a_query_means(query, fits):
    assert attribute_query(query)(ENTITY) is fits


@pytest.mark.parametrize(
    ("field", "domain", "services", "becomes"),
    [
        (("speed", Kind.SPEED, "mph"), "transport", (), "TrafficFlowObserved.averageVehicleSpeed"),
        (("count", Kind.FLOW, "cars/h"), "cctv", (), "TrafficFlowObserved.intensity"),
        (("count", Kind.COUNT, "people"), "life", (), "CrowdFlowObserved.peopleCount"),
        (("free", Kind.LEVEL, "spaces"), "transport", (), "OffStreetParking.availableSpotNumber"),
        (("parked", Kind.COUNT, "spaces"), "transport", (), "OffStreetParking.occupiedSpotNumber"),
        (("full", Kind.SHARE, "%"), "transport", ("parking",), "OffStreetParking.occupancy"),
        (("PM2.5", Kind.CONCENTRATION, "ug/m3"), "environment", (), "AirQualityObserved.pm25"),
        (("no2", Kind.CONCENTRATION, "ppb"), "environment", (), "AirQualityObserved.no2"),
        (("radon", Kind.CONCENTRATION, "ug/m3"), "environment", (), "CityObservation.radon"),
        (("t", Kind.TEMPERATURE, "K"), "environment", (), "WeatherObserved.temperature"),
        (("t", Kind.TEMPERATURE, "degC"), "resources", (), "CityObservation.t"),
        (("inflow", Kind.FLOW, "L/s"), "resources", (), "WaterConsumptionObserved.waterFlow"),
        (("flow", Kind.FLOW, "m3/h"), "resources", (), "CityObservation.flow"),
        (("e", Kind.ENERGY, "MJ"), "resources", (), "SmartMeteringObservation.intervalConsumption"),
        (("load", Kind.LOAD, "MW"), "resources", (), "SmartMeteringObservation.activePower"),
        (("bikes", Kind.COUNT, "bikes"), "transport", (), "CityObservation.bikes"),
    ],
)  # fmt: skip
def test_what_a_field_becomes(field, domain, services, becomes):
    found = mapped(Field(*field), domain, services)
    assert f"{found.type}.{found.attribute}" == becomes
    assert not found.attribute.endswith(FORECAST)


def test_representations():
    normal = entity_json(ENTITY)
    assert normal["n"] == {
        "type": "Property", "value": 3.5, "observedAt": "1970-01-01T00:00:00Z",
        "unitCode": "C62", "low": {"type": "Property", "value": 1.0},
    }  # fmt: skip
    assert entity_json(ENTITY, Form.SIMPLIFIED)["n"] == 3.5
    concise = entity_json(ENTITY, Form.CONCISE)
    assert concise["s"] == "text"
    assert concise["n"]["low"] == 1.0
    assert feature_json(ENTITY)["geometry"]["coordinates"] == [127.0, 37.5]
    assert Place("x").cell is None
