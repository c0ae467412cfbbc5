"""What changed since a subscription was last notified, as notifications (NGSI-LD 5.3.1)."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from deepcity.live.node.alarm_book import AlarmChange
from deepcity.store.events.event import Event, EventKind, EventQuery
from deepcity.web.ngsi.city_entities import CityEntities
from deepcity.web.ngsi.context import short_name
from deepcity.web.ngsi.data_models import DECISION
from deepcity.web.ngsi.entity import (
    Entity,
    Form,
    Json,
    entity_json,
    feature_json,
    features_json,
    moment,
    urn,
)
from deepcity.web.ngsi.other_entities import party_name
from deepcity.web.ngsi.place_entities import PlaceGroup
from deepcity.web.ngsi.query_document import geo_of, selector_test, selector_types
from deepcity.web.ngsi.requests import GEO, LD, EntitySelection, selection
from deepcity.web.ngsi.subscriptions.subscription import Subscription, SubscriptionDocument

MOST_EVENTS = 2_000
"""Events looked at for one notification; of more the newest count."""
MOST_ENTITIES, IN_ONE = 10_000, 500
"""Entities in the notifications of one moment, and in one of them."""
_KINDS = (
    EventKind.ROWS,
    EventKind.FORECAST,
    EventKind.DECISION,
    EventKind.ANSWER,
    EventKind.ALARM,
)


@dataclass
class _Touched:
    """What events are about."""

    agencies: set[str] = field(default_factory=set)
    parties: set[tuple[str, str]] = field(default_factory=set)
    decided: set[tuple[str, str]] = field(default_factory=set)
    alarms: set[int] = field(default_factory=set)

    def take(self, event: Event) -> None:
        """One more event."""
        key = event.service, event.party
        if event.kind is EventKind.ROWS:
            self.agencies.add(event.party)
        elif event.kind is EventKind.FORECAST:
            self.parties.add(key)
        elif event.kind in (EventKind.DECISION, EventKind.ANSWER):
            self.decided.add(key)
        elif event.kind is EventKind.ALARM:
            raised = event.body["change"] == AlarmChange.RAISED.value
            self.alarms.add(event.seq if raised else int(event.body["alarm"]))


def document_selection(document: SubscriptionDocument) -> EntitySelection:
    """The entities that a subscription is to.

    Raises:
        NgsiError: with what cannot be read.
    """
    found = selection(None, None, None, None, document.q, geo_of(document.geoQ))
    if not document.entities:
        return found
    tests = (selector_test(document.entities), *found.tests)
    return EntitySelection(types=selector_types(document.entities), tests=tests)


def changed_entities(city: CityEntities, one: Subscription, last: int) -> list[Entity]:
    """Entities that events after a subscription's cursor, up to one, have changed.

    Raises:
        StoreError: if the events cannot be read.
    """
    query = EventQuery(_KINDS, after=one.cursor, limit=MOST_EVENTS, newest=True, data=False)
    touched = _Touched()
    for event in city.node.events.read(query):
        if event.seq <= last:
            touched.take(event)
    asked = document_selection(one.document)
    watched = set(map(short_name, one.document.watchedAttributes))
    shown = tuple(map(short_name, one.document.notification.attributes))
    found = []
    for entity in _candidates(city, touched, asked.types, watched):
        if asked.fits(entity):
            found.append(entity.only(shown))
            if len(found) >= MOST_ENTITIES:
                break
    return found


def notifications(
    one: Subscription, found: list[Entity], now_s: float
) -> Iterator[tuple[Json, dict[str, str]]]:
    """Notifications as bodies with headers, each with some of the entities."""
    asked, context = one.document.notification, one.context
    form = Form.SIMPLIFIED if asked.format == "keyValues" else Form(asked.format)
    media: str = asked.endpoint.accept
    headers: dict[str, str] = {"Content-Type": media}
    if media != LD:
        headers["Link"] = f'<{context}>; rel="http://www.w3.org/ns/json-ld#context"; type="{LD}"'
    for start in range(0, len(found), IN_ONE):
        part = found[start : start + IN_ONE]
        data: Any
        if media == GEO:
            data = features_json(feature_json(one, form) for one in part)
        else:
            data = [entity_json(one, form) for one in part]
        body: Json = {
            "id": f"urn:ngsi-ld:Notification:{uuid.uuid4()}",
            "type": "Notification",
            "subscriptionId": one.id,
            "notifiedAt": moment(now_s),
            "data": data,
        }
        yield ({"@context": context, **body} if media == LD else body), headers


def _candidates(
    city: CityEntities, touched: _Touched, types: tuple[str, ...], watched: set[str]
) -> Iterator[Entity]:
    agencies = touched.agencies | {
        now.party.party.agency for key, now in city.node.parties.items() if key in touched.parties
    }
    for agency in sorted(agencies & set(city.node.agencies)):
        for group in city.places(agency):
            changed = _changed_names(group, touched, rows=agency in touched.agencies)
            if (not types or group.type in types) and changed and _wanted(changed, watched):
                yield from (group.entity(at) for at in range(len(group.ids)))
    decided = {urn(DECISION, city.city, *party_name(key)) for key in touched.decided}
    for entity in city.decisions().made if decided else ():
        if entity.id in decided and _wanted((a.name for a in entity.attributes), watched):
            yield entity
    for number in sorted(touched.alarms):
        alarm = city.node.alarms.alarms.get(number)
        made = None if alarm is None else city.alert(alarm)
        if made is not None and _wanted((a.name for a in made.attributes), watched):
            yield made


def _changed_names(group: PlaceGroup, touched: _Touched, *, rows: bool) -> set[str]:
    found = set(group.newest) if rows else set()
    return found | {
        one.name
        for one in group.forecasts
        if (one.found.service, one.found.party) in touched.parties
    }


def _wanted(changed: Iterable[str], watched: set[str]) -> bool:
    return not watched or bool(watched & set(changed))
