"""The control room of a city that searches, before a real node, with people who log in."""

from contextlib import contextmanager
from pathlib import Path

import httpx
from live_server import serving
from searching_cities import NOW, PEOPLE, PURPOSE, World, look, make_world, seen

from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.cases.case_desk import CaseDesk
from deepcity.web.control.roles import Role

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


def city_accounts(folder: Path):
    """Operators who open and approve, and one of each other role."""
    roles = {**dict.fromkeys(PEOPLE, Role.OPERATOR), **ROLES}
    path = folder / "accounts.toml"
    path.write_text("\n".join(account_entry(n, role, PASSWORD) for n, role in roles.items()))
    return load_accounts(path)


@contextmanager
def case_server(node, folder: Path, desk: CaseDesk | None):
    """Its address."""
    app = create_control_room(node, [], folder / "state", city_accounts(folder), cases=desk)
    with serving(app) as address:
        yield address


@contextmanager
def logged_in(address: str, name: str):
    """A person's client."""
    with httpx.Client(base_url=address, timeout=60) as client:
        found = client.post("/api/session", json={"name": name, "password": PASSWORD})
        assert found.status_code == 200, found.text
        yield client
