"""The JSON-LD @context of what is offered here, made from the table of data models."""

from typing import Any

from deepcity.web.ngsi.data_models import (
    DECISION,
    OWN,
    OWN_TYPE,
    SDM,
    SUBJECTS,
    TABLE,
    TIME_ATTRIBUTE,
)

CONTEXT_NAME = "deepcity.jsonld"

_SHARED = {
    "name": f"{SDM}name",
    "description": "http://purl.org/dc/terms/description",
    "dataProvider": f"{SDM}dataProvider",
    "dateObserved": f"{SDM}dateObserved",
    "data": "https://uri.etsi.org/ngsi-ld/data",
}
"""Attributes that models have in common."""

_PLAIN = {
    "OffStreetParking": ("totalSpotNumber", "observationDateTime"),
    "AirQualityObserved": (
        "pm1", "pm10", "pm25", "no", "no2", "nox", "o3", "so2", "co", "co2",
    ),
    "WaterConsumptionObserved": ("maxFlow", "minFlow"),
    "SmartMeteringObservation": ("meterType",),
    "Alert": (
        "category", "subCategory", "severity", "dateIssued", "validTo",
        "alertSource", "data",
    ),
    "MLModel": (
        "algorithm", "typeOfAlgorithm", "mlFramework", "inputAttributes", "outputAttributes",
        "outputDataTypes",
    ),
}  # fmt: skip
"""Attributes beside those of the table, by the type whose model has them."""

OWN_PARTS = (
    "low",
    "high",
    "madeAt",
    "alertState",
    "alarmCode",
    "band",
    "horizonSteps",
    "stepSeconds",
)
RELATIONS = ("alertSource", "refModel", "refAlertedPlace")


def model_terms() -> dict[tuple[str, str], str]:
    """(type, attribute) -> IRI, of the attributes that a type's model is meant to have."""
    found = {}
    for kind, subject in SUBJECTS.items():
        names = [*_PLAIN.get(kind, ()), TIME_ATTRIBUTE.get(kind, "name"), "name", "dataProvider"]
        names += [row.attribute for row in TABLE if row.type == kind and not row.own]
        for name in filter(None, dict.fromkeys(names)):
            found[kind, name] = _SHARED.get(name, f"{SDM}{subject}/{name}")
    return found


def terms() -> dict[str, str]:
    """Every short name and the IRI that it stands for."""
    found = {name: f"{SDM}{subject}/{name}" for name, subject in SUBJECTS.items()}
    found |= {name: f"{OWN}{name}" for name in (OWN_TYPE, DECISION, *OWN_PARTS)}
    found |= {row.attribute: f"{OWN}{row.attribute}" for row in TABLE if row.own}
    found |= {name: iri for (_, name), iri in model_terms().items()}
    return found | _SHARED


def context_document() -> dict[str, Any]:
    """The context as it is served; terms that it does not name are ours.

    The core terms of NGSI-LD are part of it, so that nothing has to be fetched.
    """
    core = "https://uri.etsi.org/ngsi-ld/"
    own: dict[str, Any] = {
        "@version": 1.1,
        "id": "@id",
        "type": "@type",
        "@vocab": OWN,
        "Property": f"{core}Property",
        "GeoProperty": f"{core}GeoProperty",
        "Relationship": f"{core}Relationship",
        "DateTime": f"{core}DateTime",
        "value": f"{core}hasValue",
        "object": {"@id": f"{core}hasObject", "@type": "@id"},
        "location": f"{core}location",
        "observedAt": {"@id": f"{core}observedAt", "@type": f"{core}DateTime"},
        "unitCode": f"{core}unitCode",
    }
    for name, iri in terms().items():
        own[name] = {"@id": iri, "@type": "@id"} if name in RELATIONS else iri
    return {"@context": own}


_SHORT = {iri: name for name, iri in terms().items()}


def short_name(name: str) -> str:
    """The short name of a type or attribute that may be given as an IRI.

    >>> short_name("https://smartdatamodels.org/dataModel.Weather/temperature"), short_name("x")
    ('temperature', 'x')
    """
    if name in _SHORT:
        return _SHORT[name]
    return name.removeprefix(OWN)
