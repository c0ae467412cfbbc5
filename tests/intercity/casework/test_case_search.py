"""A search over three cities from opening to closing, each with its own keys, policy and ledger."""

import numpy as np
import pytest
from searching_cities import (
    COURT,
    NOW,
    approved,
    entries,
    look,
    make_world,
    opening,
    picture,
    seen,
)

from deepcity.applications.tasks.matching.match_state import HitVerdict
from deepcity.city.errors import CaseError, ExchangeError
from deepcity.exchange.message import to_bytes
from deepcity.intercity.casework.camera_owner import CameraOwner
from deepcity.intercity.casework.case import OWN
from deepcity.intercity.casework.case_file import PRIVATE_FILE
from deepcity.intercity.casework.case_messages import SIGHTINGS
from deepcity.store.release_ledger.release import CaseActKind, DeletionRule, ReleaseForm
from deepcity.store.release_ledger.verify import check_ledger

CHILD = 0.05


@pytest.fixture
def world(tmp_path):
    """The child walked over the border an hour ago; others were about."""
    found = make_world(tmp_path)
    rng = np.random.default_rng(0)
    found.cities["incheon"].tracks += [
        seen("8", NOW - 3000, CHILD),
        seen("9", NOW - 2400, CHILD + 0.1),
    ]
    found.cities["seoul"].tracks += [
        seen("0", NOW - 1500, CHILD + 0.05),
        seen("1", NOW - 900, CHILD + 0.1),
    ]
    for city in found.cities.values():
        for number in range(30):
            camera, at_s = str(rng.integers(10)), NOW - float(rng.integers(60, 3600))
            city.tracks.append(seen(camera, at_s, rng.uniform(1.5, 4.7), 10 + number))
    return found


def places(decision, code="look"):
    return [one.place for one in decision.actions if one.code == code]


def test_a_child_is_found_across_the_border_and_the_case_leaves_nothing(world):
    room, exchange = world.room(), world.exchange()
    case = approved(world)
    decision = room.search(case, exchange, "incheon/lee")
    assert set(places(decision)) == {"incheon/8", "incheon/9", "seoul/0", "seoul/1"}
    (path,) = [one for one in decision.actions if one.code == "follow"]
    assert path.route[-1] == "seoul/1"
    state, _ = room.view(case, "incheon/park")
    assert len(state.hits) == 4

    assert room.close(case, exchange, "incheon/kim") == ()
    assert sorted(path.name for path in (room.folder / case).iterdir()) == [".lock", "case.json"]
    for name, city in world.cities.items():
        kinds = [one.deletion for one in entries(city.folder) if one.deletion]
        assert [one.rule for one in kinds] == [DeletionRule.CASE_CLOSED], name
        assert not check_ledger(city.folder / "releases.jsonl").findings
    acts = [one.case.act for one in entries(room.folder) if one.case]
    searched = [CaseActKind.SEARCHED] * 3
    opened = [CaseActKind.OPENED, CaseActKind.APPROVED, CaseActKind.APPROVED]
    assert acts == [*opened, *searched, CaseActKind.LOOKED, CaseActKind.CLOSED]
    with pytest.raises(CaseError, match="was closed"):
        room.search(case, exchange, "incheon/lee")


def test_what_leaves_an_owner_is_camera_time_and_score(world):
    """Read from the bytes on the wire: three arrays, and nothing else of anybody."""
    sent = []
    owner = world.cities["seoul"].owner()

    class Wire:
        def handle(self, message, caller):
            answer = owner.handle(message, caller)
            sent.append(to_bytes(answer))
            return answer

    world.room().search(approved(world), world.exchange(seoul=Wire()), "incheon/lee")
    (blob,) = sent
    assert b"camera" in blob
    assert set(_answer_of(blob)) == {"camera", "time_s", "score"}
    names, time_S, score_S = (_answer_of(blob)[key] for key in ("camera", "time_s", "score"))
    assert names.tobytes() == b"0\n1"
    assert time_S.tolist() == [NOW - 1495, NOW - 895]
    assert score_S.dtype == np.uint8
    assert len(blob) < 400
    assert look(CHILD).astype(np.float32).tobytes() not in blob
    (release,) = [one.release for one in entries(world.cities["seoul"].folder) if one.release]
    assert (release.form, release.receiver) == (ReleaseForm.SIGHTINGS, "incheon")
    assert release.policy_grants == ("sightings",)


def _answer_of(blob):
    from deepcity.exchange.message import from_bytes

    return from_bytes(blob).layers[SIGHTINGS]


def test_a_city_without_sightings_answers_with_none(world):
    decision = world.room().search(approved(world), world.exchange(), "incheon/lee")
    assert not [one for one in places(decision) if one.startswith("suwon")]
    numbers = {one.code: one.numbers for one in decision.reasons}
    assert numbers["sightings"]["cities"] == 3


def test_a_city_that_fails_is_named_and_costs_no_other_answer(world):
    class Broken:
        def handle(self, message, caller):
            raise OSError("unplugged")

    room = world.room()
    case = approved(world)
    decision = room.search(case, world.exchange(seoul=Broken()), "incheon/lee")
    assert [one.place for one in decision.reasons if one.code == "city-silent"] == ["seoul"]
    assert set(places(decision)) == {"incheon/8", "incheon/9"}
    # closing tells who could not be told, and may be repeated
    (failure,) = room.close(case, world.exchange(seoul=Broken()), "incheon/kim")
    assert failure.party == "seoul"
    assert room.close(case, world.exchange(), "incheon/kim") == ()


def test_a_verdict_teaches_the_next_answer_of_its_owner_alone(world):
    """The child changed clothes: what was confirmed draws others like it nearer."""
    seoul = world.cities["seoul"]
    seoul.tracks += [seen("5", NOW - 500, 1.15), seen("6", NOW - 400, 1.2)]
    room, exchange = world.room(), world.exchange()
    case = approved(world)
    before = room.search(case, exchange, "incheon/lee")
    assert "seoul/6" in places(before)
    scores = {one.place: one.numbers["score"] for one in before.actions if one.code == "look"}
    judged = room.record_verdict(
        case, exchange, ("seoul", "6", NOW - 395), HitVerdict.CONFIRMED, "incheon/park"
    )
    assert "seoul/6" not in places(judged)
    room.record_verdict(
        case, exchange, ("seoul", "0", NOW - 1495), HitVerdict.REJECTED, "incheon/park"
    )
    after = room.search(case, exchange, "incheon/lee")
    later = {one.place: one.numbers["score"] for one in after.actions if one.code == "look"}
    assert later["seoul/5"] > scores["seoul/5"]
    assert later["incheon/8"] == scores["incheon/8"]
    assert "seoul/0" not in later
    with pytest.raises(CaseError, match="no sighting by"):
        room.record_verdict(case, exchange, ("seoul", "9", 5), HitVerdict.REJECTED, "incheon/park")


def test_words_alone_are_a_query(world):
    from deepcity.vision.appearance import Appearance, Clothing
    from deepcity.vision.described_track import DescribedTrack
    from deepcity.vision.searching.person_query import PersonQuery

    one = world.cities["seoul"].tracks[0]
    clothes = Appearance(Clothing("red", 0.9), Clothing("blue", 0.8))
    world.cities["seoul"].tracks[0] = DescribedTrack(one.track, 1.1, clothes)
    words = PersonQuery(height_m=(1.0, 1.2), upper=frozenset({"red"}))
    decision = world.room().search(approved(world, words), world.exchange(), "incheon/lee")
    assert places(decision) == ["seoul/0"]


def test_a_case_needs_two_others_and_says_how(world):
    room = world.room()
    case = room.open(opening(), picture()).case.id
    incheon = world.cities["incheon"]
    for name in ("kim", "kim", "lee", "lee"):  # who opened it, and one person twice
        room.approve(case, incheon.person(name))
    room.approve(case, world.cities["seoul"].person("park"))  # no person of the city
    with pytest.raises(CaseError, match=r"approved by incheon/lee, and .* needs 2"):
        room.search(case, world.exchange(), "incheon/lee")
    room.approve(case, incheon.person("park"))
    room.search(case, world.exchange(), "incheon/lee")


def test_approvals_travel_in_a_copy_of_the_case(world):
    from deepcity.intercity.casework.case import approve
    from deepcity.store.signatures.trust_list import SignedKind

    room = world.room()
    signed = room.open(opening(), picture())
    copies = [
        approve(signed, world.cities["incheon"].person(name), SignedKind.APPROVAL)
        for name in ("lee", "park")
    ]
    for copy in copies:
        room.take(signed.case.id, copy)
    room.search(signed.case.id, world.exchange(), "incheon/lee")
    other = room.open(opening(), picture())
    with pytest.raises(CaseError, match="another case"):
        room.take(other.case.id, copies[0])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hours": 100.0}, "allows up to 72"),
        ({"last_seen_s": NOW - 90_000}, "allows 24"),
        ({"last_seen_s": NOW + 7200}, "compare the clock"),
        ({"opened_by": "seoul/kim"}, "a person of incheon"),
        ({"service": "lost-dog"}, "there are: missing-child, wanted-person"),
        ({"cities": ()}, "cities"),
        ({"cities": ("a/b",)}, "cities"),
    ],
)
def test_a_case_that_nobody_may_open_is_refused(world, changes, words):
    with pytest.raises(CaseError, match=words):
        world.room().open(opening(**changes), picture())
    assert not list(world.room().folder.glob("*/case.*"))


def test_a_wanted_person_needs_a_warrant_of_another(world):
    for city in world.cities.values():
        city.grant("wanted-person", "serious crime")
    room = world.room()
    wanted = {"service": "wanted-person", "purpose": "serious crime"}
    case = approved(world, **wanted)
    with pytest.raises(CaseError, match="--warrant"):
        room.search(case, world.exchange(), "incheon/lee")
    room.approve(case, world.cities["incheon"].person("lee"), warrant=True)
    decision = room.search(case, world.exchange(), "incheon/lee")
    assert len([one for one in decision.reasons if one.code == "city-silent"]) == 3
    room.approve(case, world.court, warrant=True)
    decision = room.search(case, world.exchange(), "incheon/lee")
    assert places(decision)
    assert COURT not in {OWN, *world.cities}


def test_an_owner_that_starts_anew_remembers_what_it_was_asked(world):
    room, case = world.room(), approved(world)
    kept = []

    class Wire:
        def handle(self, message, caller):
            kept.append(message)
            return world.cities["seoul"].owner().handle(message, caller)

    room.search(case, world.exchange(seoul=Wire()), "incheon/lee")
    with pytest.raises(CaseError, match="was answered"):
        world.cities["seoul"].owner().handle(kept[0], "incheon")
    room.close(case, world.exchange(), "incheon/kim")
    with pytest.raises(CaseError, match="was closed"):
        world.cities["seoul"].owner().handle(kept[0], "incheon")


def test_what_is_private_is_encrypted_where_a_key_is_named(world, monkeypatch, tmp_path):
    import base64

    key = base64.b64encode(bytes(range(32))).decode()
    (tmp_path / "storage.key").write_text(key)
    monkeypatch.setenv("DEEPCITY_STORAGE_KEY", f"file:{tmp_path / 'storage.key'}")
    room, case = world.room(), approved(world)
    room.search(case, world.exchange(), "incheon/lee")
    blob = (room.folder / case / PRIVATE_FILE).read_bytes()
    assert b"query" not in blob
    assert b"hits" not in blob
    assert room.view(case, "incheon/lee")[0].hits
    assert b"incheon" not in (world.cities["seoul"].folder / "cases.private").read_bytes()


def test_the_transport_carries_refusals_as_text(world):
    owner: CameraOwner = world.cities["seoul"].owner()
    from deepcity.exchange.message import Message

    with pytest.raises(ExchangeError, match="must be up to"):
        world.exchange(seoul=owner).call("seoul", Message("case_search"))
