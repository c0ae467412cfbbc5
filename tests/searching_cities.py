"""Three cities with cameras, keys, policies and ledgers of their own, in one process."""

import math
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from deepcity.applications.tasks.matching.match_state import Spot
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.intercity.casework.asked_cases import ASKED_CASES, CaseBook
from deepcity.intercity.casework.camera_owner import CameraOwner
from deepcity.intercity.casework.case import CaseRequest, CaseVerb, sign_request
from deepcity.intercity.casework.case_messages import case_message, query_bytes
from deepcity.intercity.casework.case_room import CaseRoom
from deepcity.intercity.casework.opening import Opening
from deepcity.maps.city_policy import PolicyFile, PolicyOrigin
from deepcity.parties.releases.site_ledger import CLAIMS_KEY
from deepcity.store.release_ledger.ledger_file import RELEASES, ReleaseLedger
from deepcity.store.release_ledger.lines import entry_of, read_lines
from deepcity.store.release_ledger.release import Entry
from deepcity.store.signatures.ed25519 import signing_key
from deepcity.store.signatures.keyring import Keyring
from deepcity.store.signatures.trust_list import (
    SignedKind,
    TrustedKey,
    TrustList,
    write_trust_list,
)
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.searching.exact_search import ExactSearch
from deepcity.vision.searching.person_query import PersonQuery
from deepcity.vision.track import Track

NOW = 1_800_000_000
NETWORK, WIDTH = "net", 16
PURPOSE = "find a missing child"
PEOPLE = ("kim", "lee", "park")
COURT = "court"
KM = 0.0089932
GRANT = """
[[grant]]
name = "sightings"
agency = "cameras"
item = "sightings"
grantee = ["incheon", "seoul", "suwon"]
domain = "cctv"
service = "{service}"
purpose = "{purpose}"
until = 2999-12-31
"""


def look(angle: float) -> np.ndarray:
    """An embedding; angles are how different two people are."""
    row = np.zeros(WIDTH)
    row[:2] = math.cos(angle), math.sin(angle)
    return row


def seen(camera: str, at_s: float, angle: float, number: int = 1) -> DescribedTrack:
    """Somebody in view for ten seconds."""
    time_s_T = np.array([at_s, at_s + 10])
    return DescribedTrack(Track(camera, number, time_s_T, np.ones((2, 4)), look(angle)))


def picture(angle: float = 0.0) -> PersonQuery:
    """Who is looked for, by one picture."""
    return PersonQuery(NETWORK, look(angle)[None])


@dataclass
class Clock:
    """UTC seconds that a test moves."""

    now_s: float = NOW

    def __call__(self) -> float:
        return self.now_s


@dataclass
class City:
    """One city: its folder holds keys, policy, owner's files and cases."""

    name: str
    folder: Path
    clock: Clock
    tracks: list[DescribedTrack] = field(default_factory=list)

    @property
    def keyring(self) -> Keyring:
        return Keyring(self.folder / "keys")

    def person(self, name: str) -> Keyring:
        return Keyring(self.folder / "people" / name)

    def owner(self, **changes: object) -> CameraOwner:
        """Its cameras' side, as after a start of the process."""
        found = CameraOwner(
            city=self.name,
            agency="cameras",
            search=ExactSearch(NETWORK, self.tracks),
            keyring=self.keyring,
            policy=PolicyFile(
                PolicyOrigin(
                    self.folder / "policy.toml", self.name, {"cameras": "cctv"}, "Asia/Seoul"
                )
            ),
            ledger=self.ledger,
            book=CaseBook(self.folder / ASKED_CASES),
            clock=self.clock,
        )
        return replace(found, **changes)  # type: ignore[arg-type]

    @property
    def ledger(self) -> ReleaseLedger:
        key = signing_key(self.folder / CLAIMS_KEY)
        return ReleaseLedger(self.folder / RELEASES, f"{self.name}/cameras", key, clock=self.clock)

    def room(self, cameras: dict[str, Spot] | None = None) -> CaseRoom:
        return CaseRoom(
            self.folder / "cases", self.name, cameras or {}, self.keyring, clock=self.clock
        )

    def grant(self, service: str = "missing-child", purpose: str = PURPOSE, **rules: str) -> None:
        """Write its policy."""
        text = GRANT.format(service=service, purpose=purpose)
        if "rules" in rules:
            (self.folder / "policy.cedar").write_text(rules["rules"], encoding="utf-8")
            text = 'rules = "policy.cedar"\n' + text
        (self.folder / "policy.toml").write_text(text, encoding="utf-8")


@dataclass
class World:
    """Cities that trust each other, and their cameras a kilometre apart."""

    cities: dict[str, City]
    court: Keyring
    clock: Clock

    def exchange(self, **owners: object) -> InProcessExchange:
        found = {name: owners.get(name) or city.owner() for name, city in self.cities.items()}
        return InProcessExchange(found, name="searching")  # type: ignore[arg-type]

    @property
    def cameras(self) -> dict[str, Spot]:
        return {
            f"{city}/{number}": Spot(37.4 + (10 * at + number) * KM, 126.9)
            for at, city in enumerate(self.cities)
            for number in range(10)
        }

    def room(self) -> CaseRoom:
        return self.cities["incheon"].room(self.cameras)


def opening(**changes: object) -> Opening:
    """A child was seen an hour ago at the searching city's first camera."""
    found = Opening(
        service="missing-child",
        purpose=PURPOSE,
        cities=("incheon", "seoul", "suwon"),
        opened_by="incheon/kim",
        last_seen=Spot(37.4, 126.9),
        last_seen_s=NOW - 3600,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def make_world(folder: Path) -> World:
    """Keys are made, trusted and granted; nobody was seen yet."""
    clock = Clock()
    court = Keyring(folder / COURT)
    cities = {name: City(name, folder / name, clock) for name in ("incheon", "seoul", "suwon")}
    for city in cities.values():
        city.folder.mkdir(parents=True)
        city.grant()
    keys = {f"{city.name}/{one}": city.person(one) for city in cities.values() for one in PEOPLE}
    keys |= {COURT: court} | {city.name: city.keyring for city in cities.values()}
    kinds = {COURT: (SignedKind.WARRANT,)}
    trusted = tuple(
        TrustedKey(name=name, key=_public(one), kinds=kinds.get(name, ()))
        for name, one in keys.items()
    )
    for city in cities.values():
        others = tuple(one for one in trusted if one.name != city.name)
        write_trust_list(city.folder / "keys", TrustList(trusted=others))
    return World(cities, court, clock)


def approved(world: World, query: PersonQuery | None = None, **changes: object) -> str:
    """A case of the first city that two persons have approved; returns its id."""
    room = world.room()
    case = room.open(opening(**changes), query or picture()).case.id
    for name in ("lee", "park"):
        room.approve(case, world.cities["incheon"].person(name))
    return case


def request(world, signed, number=1, content=None, ask=CaseVerb.SEARCH, **changes):
    """A message of the searching city, as it should be but for what is changed."""
    content = query_bytes(picture()) if content is None else content
    asked = CaseRequest(
        case=signed.case.digest(),
        to="seoul",
        ask=ask,
        number=number,
        at_s=int(world.clock()),
        content=sha256(content).hexdigest(),
    ).model_copy(update=changes)
    return case_message(signed, sign_request(asked, world.cities["incheon"].keyring), content)


def entries(folder: Path) -> list[Entry]:
    """All entries of a ledger."""
    lines = read_lines(folder / RELEASES)
    found = [entry_of(line.data) for line in lines if line.whole and not line.is_head]
    return [one for one in found if isinstance(one, Entry)]


def _public(keyring: Keyring) -> str:
    from deepcity.store.signatures.ed25519 import public_hex

    return public_hex(keyring.private_key())
