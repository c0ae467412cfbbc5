"""All entities of a running city: places, alarms, decisions and forecasters."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from deepcity.city.field import Sensitivity
from deepcity.data.panel import Panel
from deepcity.live.node.alarm_book import Alarm, AlarmState
from deepcity.live.node.forecast_event import StoredForecast
from deepcity.live.node.node import Node, PartyKey
from deepcity.web.ngsi.data_models import ALERT, DECISION, MODEL
from deepcity.web.ngsi.entity import Entity, urn
from deepcity.web.ngsi.other_entities import (
    alert_entity,
    decision_entity,
    model_entity,
    party_name,
)
from deepcity.web.ngsi.place_entities import PlaceGroup, place_groups

MOST_ALERTS = 1_000
"""Alarms that are entities: the newest that nobody has closed; over time, closed ones too."""


class EntityGroup(Protocol):
    """Entities of one type; each is made when it is asked for."""

    @property
    def type(self) -> str:
        """Of all of them."""
        ...

    @property
    def ids(self) -> Sequence[str]:
        """Of all of them, in order."""
        ...

    def entity(self, at: int) -> Entity:
        """The entity of a position in `ids`."""
        ...

    def names(self) -> Sequence[str]:
        """Attributes that they may have."""
        ...


@dataclass(frozen=True)
class MadeGroup:
    """Entities that are made already."""

    type: str
    made: tuple[Entity, ...]

    @property
    def ids(self) -> list[str]:
        """As in the protocol."""
        return [one.id for one in self.made]

    def entity(self, at: int) -> Entity:
        """As in the protocol."""
        return self.made[at]

    def names(self) -> list[str]:
        """As in the protocol."""
        return list(dict.fromkeys(a.name for one in self.made for a in one.attributes))


@dataclass(frozen=True)
class AlertGroup(MadeGroup):
    """Alarms as entities.

    Attributes:
        alarms: of each entity.
    """

    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, eq=False)
class _Kept:
    """An agency's groups, and what they were made from."""

    panel: Panel
    forecasts: tuple[StoredForecast | None, ...]
    groups: list[PlaceGroup]


class CityEntities:
    """A node's entities. Threads may share it.

    Args:
        node: whose.
    """

    def __init__(self, node: Node) -> None:
        self.node = node
        self._kept: dict[str, _Kept] = {}
        self._closed = False

    def past(self) -> "CityEntities":
        """The same entities, with alarms that are closed among them."""
        found = copy(self)
        found._closed = True
        return found

    @property
    def city(self) -> str:
        """The city's name."""
        return self.node.city_file.city.name

    def groups(self) -> Iterator[EntityGroup]:
        """All groups that have an entity."""
        for agency in self.node.agencies:
            yield from self.places(agency)
        for found in (self._models(), self.decisions(), self._alerts()):
            if found.made:
                yield found

    def find(self, name: str) -> tuple[EntityGroup, int] | None:
        """Where the entity of an id is; the id may be unquoted, as a server reads it in a path."""
        for group in self.groups():
            if name.startswith(f"urn:ngsi-ld:{group.type}:"):
                ids = list(group.ids)
                if name in ids:
                    return group, ids.index(name)
                plain = [unquote(one) for one in ids]
                if plain.count(name) == 1:
                    return group, plain.index(name)
        return None

    def places(self, agency: str) -> list[PlaceGroup]:
        """The groups of an agency's places, made anew when its records or forecasts are new."""
        panel = self.node.panel(agency)
        parties = [
            (key, now) for key, now in self.node.parties.items() if now.party.party.agency == agency
        ]
        made = tuple(now.forecast for _, now in parties)
        kept = self._kept.get(agency)
        if kept is not None and kept.panel is panel and _same(kept.forecasts, made):
            return kept.groups
        forecasts: dict[str, list[tuple[str, StoredForecast | None]]] = {}
        services: dict[str, list[str]] = {}
        for (service, _), now in parties:
            facts = now.party.facts
            forecasts.setdefault(facts.field, []).append((service, now.forecast))
            services.setdefault(facts.field, []).extend((service, facts.application))
        one = self.node.city_file.city.agency(agency)
        groups = place_groups(
            self.city, panel, one.title.en, one.domain, agency, forecasts, services
        )
        self._kept[agency] = _Kept(panel, made, groups)
        return groups

    def place_id(self, agency: str, place: str, field: str) -> str | None:
        """The id of the entity that has a field of a place; None if there is none."""
        for group in self.places(agency):
            columns = {group.panel.fields[one.column].name for one in group.fields}
            if field in columns or not field:
                return urn(group.type, self.city, agency, place)
        return None

    def is_open(self, key: PartyKey) -> bool:
        """Whether what a party forecasts may be shown: not of a field marked personal."""
        now = self.node.parties.get(key)
        if now is None:
            return False
        panel = self.node.panel(now.party.party.agency)
        field = panel.fields[panel.field_index(now.party.facts.field)]
        return field.sensitivity is not Sensitivity.PERSONAL

    def _models(self) -> MadeGroup:
        found = [
            model_entity(self.city, key, now.party, self.places(now.party.party.agency))
            for key, now in self.node.parties.items()
            if self.is_open(key)
        ]
        return MadeGroup(MODEL, tuple(found))

    def decisions(self) -> MadeGroup:
        """The newest decision of each party."""
        newest = {
            (one.service, one.party): one for one in list(self.node.decisions.decisions.values())
        }
        now_s = self.node.clock.now()
        found = [
            decision_entity(self.node, self.city, made, now_s)
            for key, made in newest.items()
            if self.is_open(key)
        ]
        return MadeGroup(DECISION, tuple(found))

    def alert(self, alarm: Alarm) -> Entity | None:
        """The entity of an alarm; None if it is of a field marked personal."""
        key = alarm.service, alarm.party
        if alarm.service and not self.is_open(key):
            return None
        now = self.node.parties.get(key)
        source = where = None
        if now is not None:
            source = urn(MODEL, self.city, *party_name(key))
            agency, field = now.party.party.agency, now.party.facts.field
            where = self.place_id(agency, alarm.place, field) if alarm.place else None
        return alert_entity(self.node, self.city, alarm, source, where)

    def _alerts(self) -> AlertGroup:
        waiting = [
            one
            for one in reversed(list(self.node.alarms.alarms.values()))
            if self._closed or one.state is not AlarmState.CLOSED
        ]
        made = [(self.alert(one), one) for one in waiting[:MOST_ALERTS]]
        shown = [(entity, alarm) for entity, alarm in made if entity is not None]
        entities, alarms = zip(*shown, strict=True) if shown else ((), ())
        return AlertGroup(ALERT, entities, alarms)


def _same(one: Sequence[StoredForecast | None], other: Sequence[StoredForecast | None]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
