"""An owner of cameras refuses what is forged, old, too much, or not granted, and records it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
    request,
    seen,
)

from deepcity.applications.tasks.matching.match_application import SearchTerms, match_applications
from deepcity.city.errors import CaseError, DeepCityError, GrantError
from deepcity.exchange.message import from_bytes, to_bytes
from deepcity.intercity.casework.case import (
    MOST_REQUESTS,
    CaseRequest,
    CaseVerb,
    approve,
    sign_case,
    sign_request,
)
from deepcity.intercity.casework.case_messages import (
    CASE,
    case_message,
    query_bytes,
    read_sightings,
)
from deepcity.store.blob import pack
from deepcity.store.signatures.trust_list import (
    RevokedKey,
    SignedKind,
    TrustedKey,
    read_trust_list,
    write_trust_list,
)
from deepcity.vision.searching.person_query import PersonQuery
from deepcity.vision.searching.sighting import Sighting


@pytest.fixture
def world(tmp_path):
    found = make_world(tmp_path)
    found.cities["seoul"].tracks += [
        seen(str(n % 10), NOW - 3000 + 20 * n, 0.05 * n, n) for n in range(30)
    ]
    return found


@pytest.fixture
def signed(world):
    room = world.room()
    return room.file(approved(world)).signed()


def refused(world, message, caller="incheon", **owner):
    """The code with which Seoul refuses a message."""
    with pytest.raises((CaseError, GrantError)) as caught:
        world.cities["seoul"].owner(**owner).handle(message, caller)
    return getattr(caught.value, "code", "policy")


def acts(world):
    found = entries(world.cities["seoul"].folder)
    return [(one.case.who, one.case.why, one.case.count) for one in found if one.case]


def test_a_right_one_is_answered(world, signed):
    answer = world.cities["seoul"].owner().handle(request(world, signed), "anybody")
    found = read_sightings(answer, 20)
    assert len(found) == SearchTerms().most_hits
    assert found[0] == Sighting(1.0, NOW - 2995, "0")


def test_another_query_than_was_approved_is_refused(world, signed):
    other = query_bytes(picture(1.0))
    assert refused(world, request(world, signed, content=other)) == "other-query"
    assert acts(world) == [("incheon", "other-query", 1)]


def test_content_that_was_exchanged_on_the_way_is_refused(world, signed):
    message = request(world, signed)
    parts = {**message.layers[CASE], "content": np.frombuffer(query_bytes(picture(1)), np.uint8)}
    assert refused(world, replace(message, layers={CASE: parts})) == "no-request"


def test_requests_are_answered_once_and_in_time(world, signed):
    owner = world.cities["seoul"].owner()
    owner.handle(request(world, signed, 5), "incheon")
    for number in (5, 4):
        with pytest.raises(CaseError, match="was answered"):
            owner.handle(request(world, signed, number), "incheon")
    late = request(world, signed, 6)
    world.clock.now_s += 301
    assert refused(world, late) == "late"


def test_another_case_under_a_known_id_is_refused(world, signed):
    """A city that signs anew what was approved once cannot have it longer, or for more cities."""
    owner, incheon = world.cities["seoul"].owner(), world.cities["incheon"]
    owner.handle(request(world, signed), "incheon")
    case = sign_case(signed.case.model_copy(update={"until_s": NOW + 60}), incheon.keyring)
    for name in ("lee", "park"):
        case = approve(case, incheon.person(name), SignedKind.APPROVAL)
    assert refused(world, request(world, case, 2)) == "changed"


def test_a_case_is_over_when_it_is_over(world, signed):
    world.clock.now_s = signed.case.until_s
    assert refused(world, request(world, signed)) == "over"


def test_terms_hold_whatever_the_city_says(world, signed):
    incheon = world.cities["incheon"]
    for change, code in (
        ({"until_s": NOW + 73 * 3600}, "too-long"),
        ({"since_s": NOW - 25 * 3600}, "too-far-back"),
        ({"opened_s": NOW + 3600, "until_s": NOW + 7200}, "not-begun"),
        ({"cities": ("suwon",)}, "not-asked"),
        ({"service": "lost-dog"}, "service"),
    ):
        case = sign_case(signed.case.model_copy(update=change), incheon.keyring)
        for name in ("lee", "park"):
            case = approve(case, incheon.person(name), SignedKind.APPROVAL)
        assert refused(world, request(world, case)) == code, change


def test_approvals_are_of_two_other_persons_of_the_city(world, signed):
    bare = signed.model_copy(update={"approvals": ()})
    incheon, seoul = world.cities["incheon"], world.cities["seoul"]

    def by(*keyrings, kind=SignedKind.APPROVAL):
        found = bare
        for one in keyrings:
            found = approve(found, one, kind)
        return found

    lee, park, kim = (incheon.person(name) for name in ("lee", "park", "kim"))
    others = [by(), by(lee), by(lee, kim), by(lee, incheon.keyring), by(lee, seoul.person("park"))]
    stolen = bare.model_copy(update={"approvals": (signed.approvals[0], signed.approvals[0])})
    forged = by(lee, park)
    wrong = forged.approvals[1].model_copy(update={"value": forged.approvals[0].value})
    forged = forged.model_copy(update={"approvals": (forged.approvals[0], wrong)})
    warrants = bare.model_copy(
        update={"approvals": by(lee, park, kind=SignedKind.WARRANT).warrants}
    )
    for one in (*others, stolen, forged, warrants):
        assert refused(world, request(world, one)) == "approvals"
    world.cities["seoul"].owner().handle(request(world, by(lee, park)), "incheon")


def test_approvals_of_another_case_do_not_count(world, signed):
    other = world.room().file(approved(world, picture(2.0))).signed()
    moved = signed.model_copy(update={"approvals": other.approvals})
    assert refused(world, request(world, moved)) == "approvals"


def test_a_revoked_person_approves_nothing(world, signed):
    folder = world.cities["seoul"].folder / "keys"
    trust = read_trust_list(folder)
    lee = next(one.key for one in trust.trusted if one.name == "incheon/lee")
    from datetime import date

    gone = RevokedKey(key=lee, on=date(2020, 1, 1))
    write_trust_list(folder, trust.model_copy(update={"revoked": (gone,)}))
    assert refused(world, request(world, signed)) == "approvals"


def test_only_the_city_of_a_case_asks_in_it(world, signed):
    """Suwon has seen the case and would use it, under its own key."""
    from hashlib import sha256

    content = query_bytes(picture())
    asked = CaseRequest(
        case=signed.case.digest(),
        to="seoul",
        ask=CaseVerb.SEARCH,
        number=1,
        at_s=NOW,
        content=sha256(content).hexdigest(),
    )
    suwon = world.cities["suwon"].keyring
    message = case_message(signed, sign_request(asked, suwon), content)
    assert refused(world, message, caller="suwon") == "city-key"
    theirs = sign_case(signed.case.model_copy(update={"city": "suwon"}), suwon)
    theirs = theirs.model_copy(update={"approvals": signed.approvals})
    asked = asked.model_copy(update={"case": theirs.case.digest()})
    message = case_message(theirs, sign_request(asked, suwon), content)
    assert refused(world, message, caller="suwon") == "approvals"


def test_a_stranger_is_told_how_trust_is_given(world, signed):
    folder = world.cities["seoul"].folder / "keys"
    trust = read_trust_list(folder)
    others = tuple(one for one in trust.trusted if one.name != "incheon")
    write_trust_list(folder, trust.model_copy(update={"trusted": others}))
    with pytest.raises(CaseError, match=r"deepcity keys trust 'incheon' [0-9a-f]{64}"):
        world.cities["seoul"].owner().handle(request(world, signed), "incheon")


def test_a_key_that_may_sign_approvals_alone_opens_no_case(world, signed):
    folder = world.cities["seoul"].folder / "keys"
    trust = read_trust_list(folder)
    some = tuple(
        TrustedKey(name=one.name, key=one.key, kinds=(SignedKind.APPROVAL,))
        if one.name == "incheon"
        else one
        for one in trust.trusted
    )
    write_trust_list(folder, trust.model_copy(update={"trusted": some}))
    assert refused(world, request(world, signed)) == "city-key"


def test_without_a_grant_nothing_leaves(world, signed):
    seoul = world.cities["seoul"]
    seoul.grant(purpose="another purpose")
    assert refused(world, request(world, signed)) == "policy"
    seoul.grant(
        rules='@id("never") forbid (principal, action == DeepCity::Action::"releaseSightings", '
        'resource) when { context.service == "missing-child" };'
    )
    assert refused(world, request(world, signed)) == "policy"
    assert acts(world)[-1] == ("incheon", "policy", 1)  # of the second owner's own count
    seoul.grant()
    seoul.owner().handle(request(world, signed), "incheon")


def test_a_cadence_bounds_how_often_a_case_is_answered(world, signed):
    path = world.cities["seoul"].folder / "policy.toml"
    path.write_text(path.read_text() + 'cadence = "1min"\n')
    owner = world.cities["seoul"].owner()
    owner.handle(request(world, signed, 1), "incheon")
    with pytest.raises(GrantError, match="0 s between two releases"):
        owner.handle(request(world, signed, 2), "incheon")
    world.clock.now_s += 60
    owner.handle(request(world, signed, 3), "incheon")


def test_ten_thousand_queries_are_stopped_and_noticed(world, signed):
    """Whoever asks without end learns no more than by some a minute, and stands in the ledger."""
    owner = world.cities["seoul"].owner()
    allowed = match_applications()["missing-child"].terms.searches_an_hour
    for number in range(1, allowed + 1):
        owner.handle(request(world, signed, number), "incheon")
    for number in range(allowed + 1, allowed + 200):
        with pytest.raises(CaseError, match="Ask again in 3600 seconds"):
            owner.handle(request(world, signed, number), "incheon")
    assert [one for one in acts(world) if one[1] == "too-many-searches"] == [
        ("incheon", "too-many-searches", count) for count in (1, 10, 100)
    ]
    # a restart gives nothing back, an hour does
    assert refused(world, request(world, signed, 500)) == "too-many-searches"
    world.clock.now_s += 3600
    world.cities["seoul"].owner().handle(request(world, signed, 501), "incheon")


def test_a_city_may_not_open_case_after_case(world):
    few = SearchTerms(cases_a_day=3)
    child = match_applications()["missing-child"]
    services = {"missing-child": replace(child, terms=few)}
    owner = world.cities["seoul"].owner(services=services)
    room = world.room()
    cases = [room.file(approved(world, picture(n / 10))).signed() for n in range(4)]
    for at, one in enumerate(cases[:3]):
        owner.handle(request(world, one, content=query_bytes(picture(at / 10))), "incheon")
    last = request(world, cases[3], content=query_bytes(picture(0.3)))
    assert refused(world, last, services=services) == "too-many-cases"
    room.close(cases[0].case.id, world.exchange(seoul=owner), "incheon/kim")
    # a closed one counts for its day
    again = request(world, cases[3], 2, query_bytes(picture(0.3)))
    assert refused(world, again, services=services) == "too-many-cases"


WRONG_QUERIES = {
    "NaN": pack({"query": {"embedding": np.full((1, WIDTH), np.nan, np.float32)}}, {}),
    "huge": pack({"query": {"embedding": np.zeros((40, 5000), np.float32)}}, {}),
    "no header": pack({}, {}),
    "no blob": b"\x80\x04pickle",
    "words": pack({}, {"network": "", "height_m": None, "upper": ["mauve"], "lower": []}),
    "numbers": pack({}, {"network": 5, "height_m": [1], "upper": [], "lower": []}),
    "heights": pack({}, {"network": "", "height_m": [1, "a"], "upper": [], "lower": []}),
}


@pytest.mark.parametrize("blob", WRONG_QUERIES.values(), ids=WRONG_QUERIES)
def test_a_query_that_is_none_is_refused_even_if_approved(world, signed, blob):
    from hashlib import sha256

    incheon = world.cities["incheon"]
    case = signed.case.model_copy(update={"query": sha256(blob).hexdigest()})
    wrong = sign_case(case, incheon.keyring)
    for name in ("lee", "park"):
        wrong = approve(wrong, incheon.person(name), SignedKind.APPROVAL)
    assert refused(world, request(world, wrong, content=blob)) in {"no-query", "no-request"}


def test_a_query_of_another_network_is_told_which_is_right(world):
    other = PersonQuery("another", look(0.0)[None])
    case = world.room().file(approved(world, other)).signed()
    with pytest.raises(CaseError, match=f"by '{NETWORK}'"):
        world.cities["seoul"].owner().handle(
            request(world, case, content=query_bytes(other)), "incheon"
        )


def test_a_verdict_or_closing_of_a_case_never_searched_is_nothing(world, signed):
    verdict = b'{"camera":"0","confirmed":true,"time_s":5}'
    message = request(world, signed, 1, verdict, CaseVerb.VERDICT)
    assert refused(world, message) == "unknown-case"
    owner = world.cities["seoul"].owner()
    owner.handle(request(world, signed, 3), "incheon")
    wrong = request(world, signed, 4, verdict.replace(b"5", b"-5"), CaseVerb.VERDICT)
    assert refused(world, wrong) == "no-request"
    # nor is one of a sighting that was never given: it would steer the query to anybody
    assert refused(world, request(world, signed, 5, verdict, CaseVerb.VERDICT)) == "no-sighting"


def test_a_late_search_of_a_closed_case_is_refused(world, signed):
    """It was closed before it was ever searched here, and the network held a search back."""
    late = request(world, signed, 1)
    close = request(world, signed, MOST_REQUESTS, b"", CaseVerb.CLOSE)
    world.cities["seoul"].owner().handle(close, "incheon")
    assert refused(world, late) == "closed"
    used_up = request(world, signed, MOST_REQUESTS)
    assert refused(world, used_up) == "no-request"


def test_a_request_is_for_one_city(world, signed):
    """An owner that sends on what it was asked gets nothing of another's."""
    assert refused(world, request(world, signed, to="suwon"), caller="suwon") == "not-asked"


def test_strangers_crowd_out_nobody_in_the_record(world, signed):
    stranger = make_world(world.cities["seoul"].folder / "elsewhere")
    owner = world.cities["seoul"].owner()
    for number in range(130):
        case = stranger.room().open(opening(cities=("seoul",)), picture())
        with pytest.raises(CaseError, match="does not trust"):
            owner.handle(request(stranger, case), f"address-{number}")
    other = request(world, signed, content=query_bytes(picture(1.0)))
    with pytest.raises(CaseError, match="another query"):
        owner.handle(other, "incheon")
    found = acts(world)
    assert found[-1] == ("incheon", "other-query", 1)
    assert len(found) < 110
    assert not [who for who, why, _ in found if why == "city-key" and who == "incheon"]


def test_a_book_that_cannot_be_read_answers_nobody(world, signed):
    owner = world.cities["seoul"].owner()
    owner.handle(request(world, signed), "incheon")
    (world.cities["seoul"].folder / "cases.private").write_bytes(b"{broken")
    assert refused(world, request(world, signed, 2)) == "book"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_mutated_messages_are_refused_by_name(tmp_path_factory, data):
    world, blob = _standing(tmp_path_factory)
    at = data.draw(st.integers(0, len(blob) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "insert", "double"]))
    changed = bytearray(blob)
    if kind == "flip":
        changed[at] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "cut":
        del changed[at : at + data.draw(st.integers(1, 50))]
    elif kind == "insert":
        changed[at:at] = data.draw(st.binary(min_size=1, max_size=20))
    else:
        changed[at:at] = changed[at : at + 40]
    if bytes(changed) == blob:
        return
    with pytest.raises(DeepCityError):
        world.cities["seoul"].owner().handle(from_bytes(bytes(changed)), "incheon")


_MADE = []


def _standing(tmp_path_factory):
    """One world for all mutated messages."""
    if not _MADE:
        world = make_world(tmp_path_factory.mktemp("world"))
        signed = world.room().file(approved(world)).signed()
        _MADE.append((world, to_bytes(request(world, signed))))
    return _MADE[0]
