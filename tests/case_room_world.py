"""The routes of a city that searches, with people who log in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from searching_cities import NOW, PEOPLE, PURPOSE, World, look, make_world, seen

from deepcity.city.errors import DeepCityError
from deepcity.store.signatures.ed25519 import public_hex
from deepcity.store.signatures.trust_list import TrustedKey, write_trust_list
from deepcity.web.api.refusals import Refusal, misread, refuse
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import Accounts, load_accounts
from deepcity.web.control.cases.case_desk import CaseDesk
from deepcity.web.control.cases.routes import case_routes
from deepcity.web.control.roles import Role
from deepcity.web.control.sessions.session import add_sessions

PASSWORD = "correct horse battery"
ROLES = {"ara": Role.AUDITOR, "anna": Role.ANALYST, "root": Role.ADMIN}
REPORT = {
    "service": "missing-child",
    "purpose": PURPOSE,
    "cities": ["incheon", "seoul", "suwon"],
    "lat": 37.4,
    "lon": 126.9,
    "last_seen_at": "2027-01-15T07:00:00Z",  # an hour before NOW
    "pictures": {"network": "net", "embeddings": [look(0.0).tolist()]},
}


def desk_of(world: World, **changes: object) -> CaseDesk:
    """The first city's desk."""
    city = world.cities["incheon"]
    return CaseDesk(world.room(), world.exchange(**changes), city.folder / "people")


def walked_world(folder: Path) -> World:
    """A child went from the first city to the second; others went elsewhere."""
    world = make_world(folder)
    for city, camera, minutes, angle in (
        ("incheon", "2", 50, 0.1),
        ("incheon", "6", 35, 0.15),
        ("seoul", "3", 5, 0.1),
        ("suwon", "8", 20, 1.0),
    ):
        world.cities[city].tracks.append(seen(camera, NOW - 60 * minutes, angle))
    return world


def trust_accounts(world: World, *names: str) -> None:
    """Other cities trust the keys that the first city's server keeps for these accounts."""
    people = world.cities["incheon"]
    entries = [
        TrustedKey(name=f"incheon/{one}", key=public_hex(people.person(one).private_key()))
        for one in names
    ]
    for city in world.cities.values():
        known = city.keyring.trust_list()
        for entry in entries:
            known = known.trusting(entry)
        write_trust_list(city.keyring.folder, known)


def city_accounts(folder: Path) -> Accounts:
    """Operators who open and approve, and one of each other role."""
    roles = {**dict.fromkeys(PEOPLE, Role.OPERATOR), **ROLES}
    path = folder / "accounts.toml"
    path.write_text("\n".join(account_entry(n, role, PASSWORD) for n, role in roles.items()))
    return load_accounts(path)


def case_app(folder: Path, desk: CaseDesk) -> FastAPI:
    """The routes of cases behind real sessions and accounts, without a node."""
    app = FastAPI()
    app.add_exception_handler(DeepCityError, refuse)
    app.add_exception_handler(Refusal, refuse)
    app.add_exception_handler(RequestValidationError, misread)
    accounts, key = city_accounts(folder), folder / "session.key"
    askers = add_sessions(app, accounts, key, None, city="incheon", secure=False)
    app.include_router(case_routes(desk, ZoneInfo("Asia/Seoul"), askers.person))
    return app


@contextmanager
def logged_in(address: str, name: str) -> Iterator[httpx.Client]:
    """A person's client."""
    with httpx.Client(base_url=address, timeout=60) as client:
        found = client.post("/api/session", json={"name": name, "password": PASSWORD})
        assert found.status_code == 200, found.text
        yield client
