"""Whose run a folder is: what must stay while it goes on, and what may come later.

A run goes on only under the map, the records and the version it began with. Newcomers are the
exception. They take part in no round, so a map may name more of them when its run is long
finished: the layers that are there are theirs to start from, and nobody trains anew. A
newcomer that is there already must be as it was, like everybody else.

FOLDER/coordinator/run.json     map, version, and SHA-256 of what the map says of members
FOLDER/sites/SITE/run.json      map, version, and SHA-256 of each service's records there
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deepcity import __version__
from deepcity.city.errors import CheckpointError
from deepcity.intercity.city_map import CityMap, Member, Service
from deepcity.intercity.parties import Party
from deepcity.intercity.run_folder import coordinator_folder, digest_of, put, site_folder

CLAIM = "run.json"
_OF_A_PARTY = (("span", "scarce"), ("grant", "party"), ("windows",))
_ANEW = "choose another --out, or start anew with --fresh"


def claim(folder: Path, city_map: CityMap) -> None:
    """Mark the folder as this map's.

    Raises:
        CheckpointError: if it is another's, this one's before its members were changed, or of
            a version in which sites had no folders of their own.
    """
    path = coordinator_folder(folder) / CLAIM
    wanted = {
        "map": city_map.settings.name,
        "version": __version__,
        "members": _digest([city_map.settings.seed, *map(_members, city_map.services)]),
    }
    old = not path.exists() and (folder / CLAIM).exists()
    if not path.exists() and not old:
        put(path, json.dumps(wanted).encode())
    elif old or _read(path) != wanted:
        msg = (
            f"{folder} holds a run of another map, of this one before it was changed (newcomers "
            f"alone may come later), or of another version of deepcity; {_ANEW}"
        )
        raise CheckpointError(msg)


def claimed_map(folder: Path) -> str | None:
    """The map whose run a folder holds, as the coordinator or any site there has it."""
    claims = [coordinator_folder(folder) / CLAIM, *sorted(folder.glob(f"sites/*/{CLAIM}"))]
    names = [found.get("map") for path in claims if (found := _read(path))]
    return next((name for name in names if isinstance(name, str)), None)


def check_site(folder: Path, city_map: CityMap, service: Service, party: Party) -> str:
    """SHA-256 of a site's records, and of what the map says of it alone.

    Raises:
        CheckpointError: if it was there already and was other.
    """
    name = service.settings.name
    member = next(member for member in service.members if member.name == party.name)
    records = digest_of([(party.name, party.panel)])
    digest = _digest([_of_a_party(service, member), records])
    known = _read(site_folder(folder, party.name) / CLAIM) or {}
    if known and known.get("map") != city_map.settings.name:
        msg = f"{site_folder(folder, party.name)} is of another map's run; {_ANEW}"
        raise CheckpointError(msg)
    if known.get("services", {}).get(name, digest) != digest:
        newcomer = f"records or settings of the newcomer {party.name}"
        raise CheckpointError(_changed(newcomer if party.newcomer else f"records of {name}", party))
    return digest


def claim_site(folder: Path, city_map: CityMap, service: Service, site: str, digest: str) -> None:
    """Mark with which records a site takes part in a service."""
    path = site_folder(folder, site) / CLAIM
    known: Mapping[str, Any] = _read(path) or {}
    services = {**known.get("services", {}), service.settings.name: digest}
    wanted = {"map": city_map.settings.name, "version": __version__, "services": services}
    if known != wanted:
        put(path, json.dumps(wanted).encode())


def _changed(what: str, party: Party) -> str:
    return (
        f"the {what} have changed since this run began ({party.name}); learn from new rows "
        f"with `deepcity refine`, {_ANEW}"
    )


def _settled(service: Service) -> dict[str, Any]:
    """What a service says, but for what is shown of it: that may change when all is learned."""
    said = service.settings.model_dump(mode="json")
    grant = said["grant"]
    del grant["truths"]
    for name, own in list(grant["party"].items()):
        del own["truths"]
        if own == dict.fromkeys(own):  # nothing else was said of it
            del grant["party"][name]
    return said


def _members(service: Service) -> list[Any]:
    """What a service says, but for its newcomers, and of whom."""
    late, said = set(service.settings.newcomers), _settled(service)
    del said["newcomers"], said["parties"]
    for keys in _OF_A_PARTY:
        table = _table(said, keys)
        for name in late & table.keys():
            del table[name]
    return [said, *(_held(member) for member in service.members if member.name not in late)]


def _of_a_party(service: Service, member: Member) -> list[Any]:
    """What a service says of one party alone."""
    said = _settled(service)
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
