"""An entity with its attributes, and how each representation of NGSI-LD writes it (4.5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import quote

Json = dict[str, Any]
AttributeKind = Literal["Property", "GeoProperty", "Relationship"]


class Form(StrEnum):
    """A representation of entities."""

    NORMALIZED = "normalized"
    CONCISE = "concise"
    SIMPLIFIED = "simplified"


@dataclass(frozen=True)
class Attribute:
    """A property, position or relationship.

    Attributes:
        value: JSON; of a relationship, the id of the entity that it points to.
        observed_s: when it was observed, UTC seconds: the start of its step; None: not stated.
        unit: its UN/CEFACT code; empty: none.
        parts: attributes of the attribute.
    """

    name: str
    value: Any
    kind: AttributeKind = "Property"
    observed_s: int | None = None
    unit: str = ""
    parts: tuple["Attribute", ...] = ()


@dataclass(frozen=True)
class Entity:
    """An entity of the city."""

    id: str
    type: str
    attributes: tuple[Attribute, ...]

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of a name; None if it has none."""
        return next((one for one in self.attributes if one.name == name), None)

    def only(self, names: Sequence[str]) -> "Entity":
        """With these attributes alone; all where no name is given."""
        if not names:
            return self
        return replace(self, attributes=tuple(a for a in self.attributes if a.name in names))


def urn(kind: str, *parts: str) -> str:
    """The id of an entity.

    >>> urn("Alert", "ferrara", "district-1", "DMA 1")
    'urn:ngsi-ld:Alert:ferrara:district-1:DMA%201'
    """
    return ":".join(("urn:ngsi-ld", kind, *(quote(part, safe="@") for part in parts)))


def moment(second: int | float) -> str:
    """A time as NGSI-LD writes it.

    >>> moment(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(int(second), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def date_time(second: int | float) -> Json:
    """A time as the value of a property."""
    return {"@type": "DateTime", "@value": moment(second)}


def entity_json(one: Entity, form: Form = Form.NORMALIZED) -> Json:
    """An entity as JSON, without its @context."""
    attributes = {attribute.name: _written(attribute, form) for attribute in one.attributes}
    return {"id": one.id, "type": one.type, **attributes}


def feature_json(one: Entity, form: Form = Form.NORMALIZED) -> Json:
    """An entity as a GeoJSON feature (RFC 7946)."""
    found = entity_json(one, form)
    place = one.attribute("location")
    return {
        "id": found.pop("id"),
        "type": "Feature",
        "geometry": None if place is None else place.value,
        "properties": found,
    }


def features_json(found: Iterable[Json]) -> Json:
    """Features as a GeoJSON collection."""
    return {"type": "FeatureCollection", "features": list(found)}


def _written(one: Attribute, form: Form) -> Any:  # noqa: ANN401 - JSON
    if form is Form.SIMPLIFIED:
        return one.value
    key = "object" if one.kind == "Relationship" else "value"
    more: Json = {}
    if one.observed_s is not None:
        more["observedAt"] = moment(one.observed_s)
    if one.unit:
        more["unitCode"] = one.unit
    more |= {part.name: _written(part, form) for part in one.parts}
    if form is Form.NORMALIZED:
        return {"type": one.kind, key: one.value, **more}
    # a bare value or geometry is shorter, where nothing is known beside it (4.5.2.3)
    if not more and key == "value":
        return one.value
    return {key: one.value, **more}
