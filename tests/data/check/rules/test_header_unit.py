"""Units in headers are held against the city file; words and letters are no units."""

from dataclasses import replace

import numpy as np
import pytest
from faults import loads, of, view_of, weather

from deepcity.city.field import Field, Kind


def test_a_header_that_names_another_unit_than_the_city_file():
    view = weather(3)
    headers = ("Temperature (°C)", "humidity [%] (roof)", "Windspeed (km/h)", "Pressure")
    view = replace(view, headers_F=tuple({0: header} for header in headers))
    (reported,) = of(view, "header-unit")
    assert reported.shows == ("wind", ("p0",))
    assert (
        "column 'Windspeed (km/h)' is headed km/h, but stated as m/s in the city file"
        in reported.text
    )
    assert 'unit_in = "km/h"' in reported.text


def test_headers_of_places_are_reported_together_and_names_are_no_units():
    flows = view_of(loads(3).panel.values_TNF, (Field("inflow", Kind.FLOW, "L/s"),))
    same = {n: f"DMA {n} ({unit})" for n, unit in enumerate(["l/s", "L/s", "2", "north", "in"])}
    assert of(replace(flows, headers_F=(same,)), "header-unit") == []
    other = same | {1: "DMA 1 (m3/h)", 4: "DMA 4 (m3/h)"}
    (reported,) = of(replace(flows, headers_F=(other,)), "header-unit")
    assert reported.shows == ("inflow", ("p1", "p4"))


@pytest.mark.parametrize(
    ("kind", "unit", "headers", "reported"),
    [
        (Kind.SHARE, "%", ["Modal share (bike)"], 0),
        (Kind.LEVEL, "spaces", ["P1 (B)", "P2 (m)"], 0),
        (Kind.LEVEL, "spaces", ["P1 (m)", "P2 (m)"], 1),
        (Kind.TEMPERATURE, "degC", ["Room 1 (A)", "Room 2 (F)"], 0),
        (Kind.TEMPERATURE, "degC", ["Room 1 (F)", "Room 2 (F)"], 1),
        (Kind.TEMPERATURE, "K", ["Temp (C)"], 1),
        (Kind.SPEED, "km/h", ["Speed (max)"], 0),
        (Kind.CONCENTRATION, "ug/m3", ["PM10 (㎍/㎥)", "PM10 (daily)"], 0),
    ],
)
def test_words_and_letters_in_brackets(kind, unit, headers, reported):
    ones = np.random.default_rng(1).random((48, len(headers), 1)) + 280
    view = view_of(ones, (Field("f", kind, unit),))
    view = replace(view, headers_F=(dict(enumerate(headers)),))
    assert len(of(view, "header-unit")) == reported
    assert of(replace(view, drafted=True), "header-unit") == []


def test_a_header_that_no_conversion_helps_asks_for_another_unit():
    view = view_of(np.ones((48, 1, 1)), (Field("free", Kind.LEVEL, "spaces"),))
    (reported,) = of(replace(view, headers_F=({0: "Level (m)"},)), "header-unit")
    assert "correct `unit`" in reported.text
    assert "unit_in" not in reported.text
