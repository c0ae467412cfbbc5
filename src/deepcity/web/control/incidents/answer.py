"""An incident as JSON, with those of its entries that a person may see, and who saw each."""

from collections.abc import Sequence
from typing import Any

from deepcity.live.node.incidents import EntryKind, Incident, roles_of
from deepcity.live.node.node import Node
from deepcity.live.node.party import VerticalNodeParty
from deepcity.store.events.event import Event
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.roles import Role, may_see
from deepcity.web.control.words import agency_title
from deepcity.web.report.text import both

Json = dict[str, Any]


def known_agencies(node: Node) -> list[str]:
    """Agencies that a task can be given to by name: of the city file, of sources, of parties, and
    those that give parties' applications a hidden layer.
    """
    found = [one.name for one in node.city_file.city.agencies]
    found += node.agencies
    for one in node.parties.values():
        found.append(one.party.party.agency)
        if isinstance(one.party, VerticalNodeParty):
            found += [agency.name for agency in one.party.forecaster.package.facts.agencies]
    return list(dict.fromkeys(found))


def agencies_json(node: Node) -> list[Json]:
    """The same with their titles."""
    return [_agency_json(node, name) for name in known_agencies(node)]


def incident_json(node: Node, found: Incident, user: User) -> Json:
    """An incident with the entries that a person may see."""
    first = found.entries[0]
    looks = [one for one in found.entries if _kind(one) is EntryKind.SEEN]
    shown = [one for one in found.entries if _kind(one) is not EntryKind.SEEN and sees(user, one)]
    return {
        "id": found.id,
        "title": first.body["text"],
        "service": first.service,
        "party": first.party,
        "agencies": [_agency_json(node, name) for name in _concerned(node, first, shown)],
        "opened_s": first.at_s,
        "closed_s": found.closed_s,
        "who": first.who,
        "entries": [
            {
                "seq": one.seq,
                "kind": one.body["entry"],
                "who": one.who,
                "role": one.body["role"],
                "roles": roles_of(one),
                "at_s": one.at_s,
                "text": one.body["text"],
                "geometry": one.body["geometry"],
                "task": one.body["task"],
                "agency": _agency_json(node, name) if (name := agency_of(one)) else None,
                "seen_by": _seen_by(one, looks),
            }
            for one in shown
        ],
    }


def sees(user: User, entry: Event) -> bool:
    """Whether an entry of an incident is for a person: by the role, or as its writer."""
    return user.name == entry.who or may_see(user.role, roles_of(entry))


def agency_of(entry: Event) -> str:
    """The agency that a task was given to; empty: to none."""
    return str(entry.body.get("agency", ""))


def _kind(entry: Event) -> EntryKind:
    return EntryKind(entry.body["entry"])


def _concerned(node: Node, first: Event, shown: Sequence[Event]) -> list[str]:
    """The agency whose party it is about, and those that tasks were given to."""
    party = node.parties.get((first.service, first.party))
    own = [] if party is None else [party.party.party.agency]
    return list(dict.fromkeys([*own, *(name for one in shown if (name := agency_of(one)))]))


def _seen_by(entry: Event, looks: Sequence[Event]) -> list[Json]:
    """Whoever looked when it was there, and might see it, at the first time; not its writer."""
    found: dict[str, Json] = {}
    for look in looks:
        role = look.body["role"]
        allowed = role in set(Role) and may_see(Role(role), roles_of(entry))
        if allowed and look.who != entry.who and (look.body["task"] or 0) >= entry.seq:
            found.setdefault(look.who, {"who": look.who, "role": role, "at_s": look.at_s})
    return list(found.values())


def _agency_json(node: Node, name: str) -> Json:
    return {"name": name, "title": both(agency_title(node, name))}
