"""A searching city's cases: owners that lie, people in a hurry, copies full of strangers' keys."""

from hashlib import sha256

import numpy as np
import pytest
from searching_cities import (
    NETWORK,
    NOW,
    WIDTH,
    approved,
    entries,
    look,
    make_world,
    opening,
    picture,
    seen,
)

from deepcity.applications.tasks.matching.match_state import HitVerdict
from deepcity.city.errors import CaseError
from deepcity.exchange.message import Message
from deepcity.intercity.casework.case import (
    MOST_REQUESTS,
    CaseRequest,
    CaseSignature,
    CaseVerb,
    approve,
    approvers,
    sign_case,
    sign_request,
)
from deepcity.intercity.casework.case_file import PRIVATE_FILE, KeptHit
from deepcity.intercity.casework.case_messages import case_message, sightings_message
from deepcity.intercity.casework.kept_hits import MOST_HITS, merged
from deepcity.store.release_ledger.release import CaseActKind
from deepcity.store.signatures.keyring import Keyring
from deepcity.store.signatures.trust_list import SignedKind, TrustedKey, write_trust_list
from deepcity.vision.searching.person_query import PersonQuery
from deepcity.vision.searching.sighting import Sighting


@pytest.fixture
def world(tmp_path):
    found = make_world(tmp_path)
    found.cities["seoul"].tracks += [seen("1", NOW - 900, 0.05), seen("2", NOW - 800, 2.0)]
    return found


class Answering:
    """An owner that answers with what it is told to, after something happens."""

    def __init__(self, answer, before=lambda: None):
        self.answer, self.before = answer, before

    def handle(self, message, caller):
        self.before()
        return self.answer


@pytest.mark.parametrize("time_s", [0, NOW - 90_000, NOW + 400, 10**11, 10**15])
def test_a_time_outside_of_the_case_is_no_answer_and_costs_no_other(world, time_s):
    room, case = world.room(), approved(world)
    liar = Answering(sightings_message([Sighting(0.9, time_s, "5")]))
    decision = room.search(case, world.exchange(suwon=liar), "incheon/lee")
    assert [one.place for one in decision.reasons if one.code == "city-silent"] == ["suwon"]
    assert [one.city for one in room.view(case, "incheon/lee")[0].hits] == ["seoul"]


def test_a_case_that_is_closed_during_a_search_stays_closed(world):
    room, case = world.room(), approved(world)
    closing = Answering(
        Message("case_search"), lambda: room.close(case, world.exchange(), "incheon/kim")
    )
    with pytest.raises(CaseError, match="was closed"):
        room.search(case, world.exchange(suwon=closing), "incheon/lee")
    assert not (room.folder / case / PRIVATE_FILE).exists()


def test_a_verdict_during_a_search_is_kept(world):
    room, case = world.room(), approved(world)
    room.search(case, world.exchange(), "incheon/lee")
    sighting = ("seoul", "1", NOW - 895)

    def confirm():
        room.record_verdict(case, world.exchange(), sighting, HitVerdict.CONFIRMED, "incheon/park")

    room.search(
        case, world.exchange(suwon=Answering(Message("case_search"), confirm)), "incheon/lee"
    )
    (hit,) = room.view(case, "incheon/lee")[0].hits
    assert hit.verdict is HitVerdict.CONFIRMED


def test_verdicts_do_not_steer_an_approved_query_to_somebody_else(world):
    """A look that resembles nobody is approved, and a known place and time "confirmed"."""
    blank = np.zeros(WIDTH)
    blank[-1] = 1.0
    case = approved(world, PersonQuery(NETWORK, blank[None]))
    room, exchange = world.room(), world.exchange()
    decision = room.search(case, exchange, "incheon/lee")
    assert not [one for one in decision.actions if one.code == "look"]
    with pytest.raises(CaseError, match="no sighting by"):
        room.record_verdict(
            case, exchange, ("seoul", "2", NOW - 795), HitVerdict.CONFIRMED, "incheon/lee"
        )
    assert look(2.0) @ blank == 0


def test_what_a_killed_writer_left_is_deleted_too(world):
    room, case = world.room(), approved(world)
    (room.folder / case / f".{PRIVATE_FILE}.part").write_bytes(b"half a query")
    room.close(case, world.exchange(), "incheon/kim")
    left = sorted(path.name for path in (room.folder / case).iterdir())
    assert left == [".lock", "case.json"]


def test_private_files_are_their_owners_alone(world):
    room, case = world.room(), approved(world)
    room.search(case, world.exchange(), "incheon/lee")
    for path in (room.folder / case / PRIVATE_FILE, world.cities["seoul"].folder / "cases.private"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_copy_full_of_strangers_keys_spoils_no_case(world, tmp_path):
    room = world.room()
    signed = room.open(opening(), picture())
    strange = approve(signed, Keyring(tmp_path / "strange"), SignedKind.APPROVAL)
    junk = tuple(CaseSignature(key=strange.approvals[0].key, value=f"{n:0128x}") for n in range(19))
    full = strange.model_copy(update={"approvals": (*strange.approvals, *junk)})
    with pytest.raises(CaseError, match=r"not trusted here were not taken: [0-9a-f]{64}"):
        room.take(signed.case.id, full)
    for name in ("lee", "park"):
        room.approve(signed.case.id, world.cities["incheon"].person(name))
    room.search(signed.case.id, world.exchange(), "incheon/lee")
    with pytest.raises(CaseError, match="take a fresh one"):
        approve(full, world.cities["incheon"].person("lee"), SignedKind.APPROVAL)


def test_a_case_that_cannot_be_read_hides_no_other_and_can_be_emptied(world):
    room, first, second = world.room(), approved(world), approved(world)
    (room.folder / first / "case.json").write_text("{")
    assert [one.case.id for one in room.cases()] == [second]
    with pytest.raises(CaseError, match="no SignedCase"):
        room.close(first, world.exchange(), "incheon/kim")
    assert not (room.folder / first / PRIVATE_FILE).exists()


def test_one_person_under_two_names_is_one_and_no_opener_under_another_name_approves(world):
    incheon = world.cities["incheon"]
    trust = incheon.keyring.trust_list()
    lee, kim = (
        next(one.key for one in trust.trusted if one.name == f"incheon/{name}")
        for name in ("lee", "kim")
    )
    twice = (
        TrustedKey(name="incheon/Kim", key=kim),
        *trust.trusted,
        TrustedKey(name="incheon/choi", key=lee),
    )
    write_trust_list(incheon.keyring.folder, trust.model_copy(update={"trusted": twice}))
    signed = world.room().open(opening(), picture())
    for name in ("kim", "lee", "lee"):
        signed = approve(signed, incheon.person(name), SignedKind.APPROVAL)
    assert len(approvers(signed, incheon.keyring)) == 1


def test_hits_are_bounded_and_judged_ones_stay():
    kept = [
        KeptHit(city="a", camera=str(n), time_s=n, score=0.5, verdict=HitVerdict.REJECTED)
        for n in range(20)
    ]
    found = [
        KeptHit(city=city, camera=str(n), time_s=n, score=n / 2000)
        for city in ("a", "b")
        for n in range(1000)
    ]
    both = merged(kept, found)
    assert len(both) <= MOST_HITS
    assert sum(one.verdict is HitVerdict.REJECTED for one in both) == 20
    assert {one.city for one in both} == {"a", "b"}
    assert min(one.score for one in both if one.verdict is HitVerdict.NONE) > 0.3
    assert merged(both, []) == both


@pytest.mark.parametrize("hours", [float("nan"), float("inf"), 1e306, -1.0, 0.0001])
def test_hours_that_are_none_are_refused(world, hours):
    with pytest.raises(CaseError, match="hours"):
        world.room().open(opening(hours=hours), picture())
    if hours != 0.0001:
        with pytest.raises(CaseError, match="hours"):
            world.room().open(opening(back_hours=hours), picture())


@pytest.mark.parametrize("cities", [("seoul", "seoul"), ("seoul ",), ("seoul\u202e",)])
def test_a_city_is_named_once_and_as_it_is_written(world, cities):
    with pytest.raises(CaseError, match="each city once"):
        world.room().open(opening(cities=cities), picture())


def test_why_a_city_was_silent_and_who_approved_stand_in_the_record(world):
    """Also where the purpose is not the grant's, and where lee signed the file in place."""
    incheon = world.cities["incheon"]
    room = world.room()
    signed = room.open(opening(purpose="find a missing chlid"), picture())
    for name in ("lee", "park"):
        signed = approve(signed, incheon.person(name), SignedKind.APPROVAL)
    file = room.file(signed.case.id)
    file.write_signed(signed)  # as `deepcity case approve` on the very file does
    room.search(signed.case.id, world.exchange(), "incheon/lee")
    room.search(signed.case.id, world.exchange(), "incheon/lee")
    acts = [one.case for one in entries(room.folder) if one.case]
    approvals = [one.who for one in acts if one.act is CaseActKind.APPROVED]
    assert approvals == ["incheon/lee", "incheon/park"]
    why = {one.why for one in acts if one.act is CaseActKind.UNANSWERED}
    assert all("purpose" in one for one in why)


def test_another_city_takes_no_id_away(world):
    """Suwon was asked, knows the id, and asks under it first."""
    room, case = world.room(), approved(world)
    suwon = world.cities["suwon"].keyring
    theirs = room.file(case).signed().case.model_copy(update={"city": "suwon"})
    seoul = world.cities["seoul"].owner()
    content = b""
    asked = CaseRequest(
        case=theirs.digest(),
        to="seoul",
        ask=CaseVerb.CLOSE,
        number=MOST_REQUESTS,
        at_s=NOW,
        content=sha256(content).hexdigest(),
    )
    seoul.handle(
        case_message(sign_case(theirs, suwon), sign_request(asked, suwon), content), "suwon"
    )
    room.search(case, world.exchange(seoul=seoul), "incheon/lee")
    assert [one.city for one in room.view(case, "incheon/lee")[0].hits] == ["seoul"]


def test_a_signature_whose_key_is_trusted_later_is_not_lost(world, tmp_path):
    room, incheon = world.room(), world.cities["incheon"]
    signed = room.open(opening(), picture())
    choi = Keyring(tmp_path / "choi")
    room.file(signed.case.id).write_signed(approve(signed, choi, SignedKind.APPROVAL))
    room.approve(signed.case.id, incheon.person("lee"))
    known = incheon.keyring.trust_list().trusting(
        TrustedKey(name="incheon/choi", key=choi.own_key())
    )
    write_trust_list(incheon.keyring.folder, known)
    assert approvers(room.file(signed.case.id).signed(), incheon.keyring) == {
        "incheon/choi",
        "incheon/lee",
    }
