"""Whose run a folder is: what must stay while it goes on, and what may come later.

A run goes on only under the map, the records and the version it began with. Newcomers are the
exception. They take part in no round, so a map may name more of them when its run is long
finished: the layers that are there are theirs to start from, and nobody trains anew. A
newcomer that is there already must be as it was, like everybody else.

FOLDER/run.json                        map, version, and what members take part with
FOLDER/checkpoints/SERVICE.records     SHA-256 of the members' records
FOLDER/checkpoints/SERVICE.newcomers   of each newcomer's records and settings
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepcity import __version__
from deepcity.city.errors import CheckpointError
from deepcity.intercity.city_map import CityMap, Member, Service
from deepcity.intercity.parties import Party
from deepcity.intercity.run_folder import digest_of, put

_OF_A_PARTY = (("span", "scarce"), ("grant", "party"), ("windows",))
_ANEW = "choose another --out, or start anew with --fresh"


def claim(folder: Path, city_map: CityMap) -> None:
    """Mark the folder as this map's.

    Raises:
        CheckpointError: if it is another's, or this one's before its members were changed.
    """
    path = folder / "run.json"
    said = {
        "map": city_map.settings.name,
        "version": __version__,
        "members": _digest([city_map.settings.seed, *map(_members, city_map.services)]),
    }
    if not path.exists():
        put(path, json.dumps(said).encode())
    elif _read(path) != said:
        msg = (
            f"{folder} holds a run of another map, of this one before it was changed (newcomers "
            f"alone may come later), or of another version of deepcity; {_ANEW}"
        )
        raise CheckpointError(msg)


def claim_records(folder: Path, service: Service, parties: Sequence[Party]) -> None:
    """Mark which records the members of a service learn from.

    Raises:
        CheckpointError: if it began with others.
    """
    name, late = service.settings.name, service.settings.newcomers
    digest = digest_of((party.name, party.panel) for party in parties if party.name not in late)
    path = folder / "checkpoints" / f"{name}.records"
    if not path.exists():
        put(path, digest.encode())
    elif path.read_text(encoding="utf-8") != digest:
        raise CheckpointError(_changed(f"records of {name}"))


def newcomers_of(folder: Path, service: Service, parties: Sequence[Party]) -> dict[str, str]:
    """Each newcomer -> SHA-256 of its records and of what the map says of it.

    Raises:
        CheckpointError: if one was there already and was other.
    """
    late = set(service.settings.newcomers)
    members = {member.name: member for member in service.members}
    found = {
        party.name: _digest(
            [_of_a_party(service, members[party.name]), digest_of([(party.name, party.panel)])]
        )
        for party in parties
        if party.name in late
    }
    known = _read(_newcomers_file(folder, service)) or {}
    other = [name for name, digest in found.items() if known.get(name, digest) != digest]
    if other:
        raise CheckpointError(_changed(f"records or settings of the newcomer {', '.join(other)}"))
    return found


def claim_newcomers(folder: Path, service: Service, found: Mapping[str, str]) -> None:
    """Mark that these newcomers are there; those of an earlier map stay marked."""
    path = _newcomers_file(folder, service)
    known = _read(path) or {}
    if found and {**known, **found} != known:
        put(path, json.dumps({**known, **found}).encode())


def _newcomers_file(folder: Path, service: Service) -> Path:
    return folder / "checkpoints" / f"{service.settings.name}.newcomers"


def _changed(what: str) -> str:
    return (
        f"the {what} have changed since this run began; learn from new rows "
        f"with `deepcity refine`, {_ANEW}"
    )


def _members(service: Service) -> list[Any]:
    """What a service says, but for its newcomers, and of whom."""
    late, said = set(service.settings.newcomers), service.settings.model_dump(mode="json")
    del said["newcomers"], said["parties"]
    for keys in _OF_A_PARTY:
        table = _table(said, keys)
        for name in late & table.keys():
            del table[name]
    return [said, *(_held(member) for member in service.members if member.name not in late)]


def _of_a_party(service: Service, member: Member) -> list[Any]:
    """What a service says of one party alone."""
    said = service.settings.model_dump(mode="json")
    return [_held(member), *(_table(said, keys).get(member.name) for keys in _OF_A_PARTY)]


def _held(member: Member) -> list[Any]:
    """A party as its city file describes it; what its records hold is told by themselves."""
    city = member.city_file.settings
    agency = next(one for one in city.agency if one.name == member.agency.name)
    return [
        member.name,
        member.field,
        *(one.model_dump(mode="json") for one in (city.clock, agency)),
    ]


def _table(said: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    for key in keys:
        said = said[key]
    return said


def _digest(said: object) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any] | None:
    """What a file says; None where it is not there or says nothing."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
