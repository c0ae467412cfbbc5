"""Identity of the run in a folder: what must not change when it is resumed.

A run is resumed only with the map, records and version it began with. Newcomers are the
exception: they take part in no round, so a map may name more of them after its run is finished.
They start from the trained layers, and no party trains again. A newcomer that is recorded
already must not change, like any other party.

FOLDER/coordinator/run.json     map, version, and SHA-256 of the map's settings of members, with
                                these by key (`identity_keys`), so that a refusal can name them
FOLDER/sites/SITE/run.json      map, version, and SHA-256 of each service's records there
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deepcity import __version__
from deepcity.city.errors import CheckpointError
from deepcity.city.regular_file import read_regular
from deepcity.data.panel import records_digest
from deepcity.maps.city_map import CityMap, Member, Service
from deepcity.parties.party import Party
from deepcity.runs.identity_keys import differences, differences_text, flatten, hashed
from deepcity.store.run_folder import coordinator_folder, site_folder, write_file

IDENTITY_FILE = "run.json"
_OF_A_PARTY = (("span", "scarce"), ("grant", "party"), ("windows",))
_START_ANEW = "choose another --out, or start anew with --fresh"


def check_identity(folder: Path, city_map: CityMap, anew: str = _START_ANEW) -> None:
    """Record the map in a new folder, or check that the folder's run is the same.

    Args:
        anew: how to start a run of another map, as the end of a sentence.

    Raises:
        CheckpointError: if the run is of another map or version, of other settings of members,
            or of a version in which sites had no folders of their own.
    """
    path = coordinator_folder(folder) / IDENTITY_FILE
    wanted = {
        "map": city_map.settings.name,
        "version": __version__,
        "members": _digest([city_map.settings.seed, *map(_members, city_map.services)]),
    }
    settings = _flat(city_map)
    old = not path.exists() and (folder / IDENTITY_FILE).exists()
    known = _read(path) or {}
    if not path.exists() and not old:
        write_file(path, json.dumps({**wanted, "settings": settings}).encode())
    elif old or {key: known.get(key) for key in wanted} != wanted:
        reason = _difference(known, {**wanted, "settings": settings}, anew)
        raise CheckpointError(f"{folder} holds a run of another map or of other settings: {reason}")


def _difference(known: Mapping[str, Any], wanted: Mapping[str, Any], anew: str) -> str:
    """What differs between the run in a folder and a map, and the next step."""
    for key in ("map", "version"):
        if known.get(key) != wanted[key]:
            if key not in known:
                reason = "its run.json is damaged, or of another version of deepcity"
                return f"{reason}; {anew}"
            was, now = known[key], wanted[key]
            return f"its {key} was {was!r}, it is {now!r} now; {anew}"
    found = differences(known.get("settings", {}), wanted["settings"])
    if not known.get("settings") or not found:
        return f"only newcomers may be added to a finished run; {anew}"
    text = differences_text(found)
    return f"{text}. Only newcomers may be added: restore the rest, {anew}"


def map_of_run(folder: Path) -> str | None:
    """Name of the map whose run a folder holds, by its coordinator or any site; None: no run."""
    paths = [
        coordinator_folder(folder) / IDENTITY_FILE,
        *sorted(folder.glob(f"sites/*/{IDENTITY_FILE}")),
    ]
    names = [found.get("map") for path in paths if (found := _read(path))]
    return next((name for name in names if isinstance(name, str)), None)


def check_site(folder: Path, city_map: CityMap, service: Service, party: Party) -> str:
    """SHA-256 of a site's records and of its own settings in the map.

    Raises:
        CheckpointError: if another one is recorded in the folder.
    """
    name = service.settings.name
    member = next(member for member in service.members if member.name == party.name)
    records = records_digest([(party.name, party.panel)])
    digest = _digest([_of_a_party(service, member), records])
    known = _read(site_folder(folder, party.name) / IDENTITY_FILE) or {}
    if known and known.get("map") != city_map.settings.name:
        msg = f"{site_folder(folder, party.name)} belongs to a run of another map; {_START_ANEW}"
        raise CheckpointError(msg)
    if known.get("services", {}).get(name, digest) != digest:
        newcomer = f"records or settings of the newcomer {party.name}"
        raise CheckpointError(
            _changed_message(newcomer if party.newcomer else f"records of {name}", party)
        )
    return digest


def record_site(folder: Path, city_map: CityMap, service: Service, site: str, digest: str) -> None:
    """Record the digest with which a site takes part in a service."""
    path = site_folder(folder, site) / IDENTITY_FILE
    known: Mapping[str, Any] = _read(path) or {}
    services = {**known.get("services", {}), service.settings.name: digest}
    wanted = {"map": city_map.settings.name, "version": __version__, "services": services}
    if known != wanted:
        write_file(path, json.dumps(wanted).encode())


def _changed_message(what: str, party: Party) -> str:
    return (
        f"the {what} have changed since this run began ({party.name}); learn from new rows "
        f"with `deepcity update`, {_START_ANEW}"
    )


def _result_settings(service: Service) -> dict[str, Any]:
    """A service's settings without those of what results show, which may change later."""
    content = service.settings.model_dump(mode="json")
    grant, privacy = content["grant"], content.pop("privacy")
    if privacy is not None:  # left out, a run that began before there was any goes on
        del privacy["limit"]  # raised, a run that was stopped by it goes on
        content["privacy"] = privacy
    del grant["truths"]
    for name, own in list(grant["party"].items()):
        del own["truths"]
        if own == dict.fromkeys(own):  # nothing else was set
            del grant["party"][name]
    return content


def _members(service: Service) -> list[Any]:
    """A service's settings and parties without its newcomers."""
    newcomers, content = set(service.settings.newcomers), _result_settings(service)
    del content["newcomers"], content["parties"]
    for keys in _OF_A_PARTY:
        table = _table(content, keys)
        for name in newcomers & table.keys():
            del table[name]
    return [
        content,
        *(_party_identity(member) for member in service.members if member.name not in newcomers),
    ]


def _flat(city_map: CityMap) -> dict[str, object]:
    """Every setting that must not change, by key; those of city files as digests."""
    found: dict[str, object] = {"seed": city_map.settings.seed}
    for service in city_map.services:
        content, *parties = _members(service)
        name = f"service[{service.settings.name}]"
        found |= flatten(content, f"{name}.")
        found[f"{name}.parties"] = [party for party, *_ in parties]
        for party, field, clock, agency in parties:
            found |= {f"{party}: field": field}
            found |= hashed(flatten({"clock": clock, "agency": agency}, f"{party}: "))
    return found


def _of_a_party(service: Service, member: Member) -> list[Any]:
    """A service's settings of one party."""
    content = _result_settings(service)
    return [
        _party_identity(member),
        *(_table(content, keys).get(member.name) for keys in _OF_A_PARTY),
    ]


def _party_identity(member: Member) -> list[Any]:
    """A party as its city file describes it; its records have a digest of their own."""
    city = member.city_file.settings
    agency = next(one for one in city.agency if one.name == member.agency.name)
    return [
        member.name,
        member.field,
        *(one.model_dump(mode="json") for one in (city.clock, agency)),
    ]


def _table(content: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    for key in keys:
        content = content[key]
    return content


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any] | None:
    """A JSON file's object; None if it is missing or unreadable."""
    try:
        found = json.loads(read_regular(path))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
