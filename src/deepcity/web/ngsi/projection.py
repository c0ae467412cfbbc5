"""Which members of entities an answer shows (NGSI-LD 4.21): `pick` and `omit`.

Unlike `attrs` they choose no entities, and reach `id` and `type` too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from deepcity.web.ngsi.context import short_name
from deepcity.web.ngsi.entity import Json
from deepcity.web.ngsi.problems import bad
from deepcity.web.ngsi.requests import Text, names


@dataclass(frozen=True)
class Projection:
    """What is shown of each entity.

    Attributes:
        pick: members that are shown; empty: all.
        omit: members that are not.
    """

    pick: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()

    def shown(self, body: Json) -> Json:
        """An entity, or a GeoJSON feature, with these members alone.

        >>> Projection(pick=("id", "speed")).shown({"id": "a", "type": "Road", "speed": 3})
        {'id': 'a', 'speed': 3}
        """
        if not (self.pick or self.omit):
            return body
        if body.get("type") == "Feature":
            kept = self.shown(body["properties"])
            id_ = {"id": body["id"]} if self._keeps("id") else {}
            shape = body["geometry"] if self._keeps("location") else None
            return {**id_, "type": "Feature", "geometry": shape, "properties": kept}
        return {name: value for name, value in body.items() if self._keeps(name)}

    def _keeps(self, name: str) -> bool:
        return (not self.pick or name in self.pick) and name not in self.omit


def projection(pick: Sequence[str], omit: Sequence[str]) -> Projection:
    """The projection of these names, in any form that a context gives them.

    Raises:
        NgsiError: if a member is picked and omitted.
    """
    found = Projection(tuple(map(short_name, pick)), tuple(map(short_name, omit)))
    if both := sorted(set(found.pick) & set(found.omit)):
        raise bad("omit", ",".join(both), "picked too", "give it in one of both")
    return found


def asked_projection(pick: Text = None, omit: Text = None) -> Projection:
    """The projection that a request asks for.

    Raises:
        NgsiError: with the parameter that cannot be read.
    """
    return projection(
        () if pick is None else names(pick, "pick"), () if omit is None else names(omit, "omit")
    )


AskedProjection = Annotated[Projection, Depends(asked_projection)]
