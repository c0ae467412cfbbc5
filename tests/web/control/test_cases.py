"""Searches for a person over HTTP: all verbs, who may do what, and what is refused."""

import json
from contextlib import ExitStack
from zoneinfo import ZoneInfo

import pytest
from case_room_world import (
    REPORT,
    ROLES,
    case_app,
    desk_of,
    logged_in,
    walked_world,
)
from live_server import serving
from searching_cities import COURT, NOW, PEOPLE, entries, look

from deepcity.intercity.casework.case import SignedCase, approve
from deepcity.store.signatures.trust_list import RevokedKey, SignedKind, write_trust_list
from deepcity.web.control.cases.bodies import SearchCaseAsked
from deepcity.web.control.cases.case_desk import folder_name, search_every_s


class DeskOfATest:
    """Stands for the desk of the test that runs."""

    def __getattr__(self, name):
        return getattr(self.__dict__["now"], name)


@pytest.fixture
def world(tmp_path):
    return walked_world(tmp_path / "world")


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    """Everybody logged in once, for argon2 takes its time; the desk is changed by each test."""
    desk, folder = DeskOfATest(), tmp_path_factory.mktemp("people")
    with serving(case_app(folder, desk)) as address, ExitStack() as stack:
        names = [*PEOPLE, *ROLES]
        yield desk, {name: stack.enter_context(logged_in(address, name)) for name in names}


@pytest.fixture
def people(clients, world):
    """Gives a person's client by name."""
    desk, known = clients
    desk.now = desk_of(world)
    return known.__getitem__


def post(client, path, body, status=201):
    found = client.post(f"/api/cases{path}", json=body)
    assert found.status_code == status, found.text
    return found.json()


def opened(people, **changes):
    return post(people("kim"), "", {**REPORT, **changes})


def approved(people, **changes):
    case = opened(people, **changes)
    for name in ("lee", "park"):
        case = post(people(name), f"/{case['id']}/approvals", {"digest": case["digest"]})
    return case


def refusal(client, path, body, status):
    (found,) = post(client, path, body, status)["errors"]
    assert found["reason"]
    assert found["next"]
    return found["reason"]


def acts(world):
    found = entries(world.cities["incheon"].folder / "cases")
    return [(one.case.act.value, one.case.who) for one in found if one.case]


def test_from_opening_to_closing(people, world):
    case = opened(people)
    assert (case["state"], case["opened_by"], case["approved_by"]) == ("waiting", "incheon/kim", [])
    assert case["last_seen"] == {"lat": 37.4, "lon": 126.9, "at_s": NOW - 3600}
    assert case["query"] == {
        "pictures": 1, "network": "net", "height_m": None, "upper": [], "lower": [],
    }  # fmt: skip
    case = approved(people)
    path = f"/{case['id']}"
    assert (case["state"], case["searched"]) == ("open", False)
    assert case["approved_by"] == ["incheon/lee", "incheon/park"]

    case = post(people("lee"), f"{path}/searches", {})
    assert [(one["city"], one["camera"]) for one in case["hits"]] == [
        ("incheon", "2"), ("incheon", "6"), ("suwon", "8"), ("seoul", "3"),
    ]  # fmt: skip
    assert [one["place"] for one in case["path"]] == ["incheon/2", "incheon/6", "seoul/3"]
    assert all(one["lat"] is not None for one in (*case["path"], *case["watch"]))
    assert case["watch"][0]["place"].startswith("seoul/")
    assert case["silent"] == []

    wrong = next(one for one in case["hits"] if one["city"] == "suwon")
    judged = {key: wrong[key] for key in ("city", "camera", "time_s")}
    case = post(people("lee"), f"{path}/verdicts", {**judged, "verdict": "rejected"})
    assert [one["verdict"] for one in case["hits"]] == ["none", "none", "rejected", "none"]
    assert [one["probability"] is None for one in case["hits"]] == [False, False, True, False]

    case = post(people("park"), f"{path}/closings", {"close": True})
    assert (case["state"], case["unreached"]) == ("closed", [])
    assert "hits" not in case
    for city in world.cities.values():
        assert city.owner().book.of(SignedCase.model_validate_json(case["file"]).case, NOW).closed
    done = [one for one in acts(world) if one[0] not in ("looked", "searched")]
    assert done[1:] == [
        ("opened", "incheon/kim"), ("approved", "incheon/lee"), ("approved", "incheon/park"),
        ("rejected", "incheon/lee"), ("closed", "incheon/park"),
    ]  # fmt: skip


def test_every_look_is_recorded_and_the_list_is_none(people, world):
    case = opened(people)
    before = len(acts(world))
    shown = people("ara").get("/api/cases").json()
    assert [one["id"] for one in shown["cases"]] == [case["id"]]
    assert "query" not in shown["cases"][0]
    assert len(acts(world)) == before
    assert people("ara").get(f"/api/cases/{case['id']}").status_code == 200
    assert acts(world)[before:] == [("looked", "incheon/ara")]
    assert people("ara").get("/api/cases").json()["cases"][0]["version"] == case["version"]


def test_who_may_do_what(people):
    case = opened(people)
    path = f"/{case['id']}"
    for name, reads in (("ara", True), ("anna", False)):
        client = people(name)
        for at in ("", path):
            assert client.get(f"/api/cases{at}").status_code == (200 if reads else 403)
        assert client.post("/api/cases", json=REPORT).status_code == 403
        for verb in ("approvals", "signatures", "searches", "verdicts", "closings"):
            assert client.post(f"/api/cases{path}/{verb}", json={}).status_code == 403, verb


def test_who_opened_a_case_cannot_approve_it_nor_one_person_twice(people):
    case = opened(people)
    body = {"digest": case["digest"]}
    assert "opened" in refusal(people("kim"), f"/{case['id']}/approvals", body, 403)
    for _ in range(2):
        case = post(people("lee"), f"/{case['id']}/approvals", body)
    assert (case["state"], case["approved_by"]) == ("waiting", ["incheon/lee"])
    reason = refusal(people("kim"), f"/{case['id']}/searches", {}, 409)
    assert "incheon/lee" in reason
    assert "deepcity" not in reason


def test_another_case_than_the_one_that_was_read_is_not_approved(people):
    case = opened(people)
    path = f"/{case['id']}/approvals"
    assert "not the one" in refusal(people("lee"), path, {"digest": "0" * 64}, 409)


def test_an_approval_is_by_a_key_of_the_account_that_a_revocation_ends(people, world):
    case = opened(people)
    body = {"digest": case["digest"]}
    post(people("root"), f"/{case['id']}/approvals", body)  # nobody trusted it before
    city = world.cities["incheon"]
    key = city.person("root").own_key()
    (entry,) = city.keyring.trust_list().entries(key)
    assert (entry.name, entry.kinds) == ("incheon/root", (SignedKind.APPROVAL,))
    day = "2026-01-01"
    gone = city.keyring.trust_list().revoking(RevokedKey(key=key, on=day))
    write_trust_list(city.keyring.folder, gone)
    assert "revoked" in refusal(people("root"), f"/{case['id']}/approvals", body, 403)
    assert people("root").get(f"/api/cases/{case['id']}").json()["approved_by"] == []


def test_a_warrant_is_taken_from_a_copy_that_the_authority_signed(people, world):
    case = approved(people, service="wanted-person")
    assert (case["state"], case["warrant_needed"]) == ("waiting", True)
    assert "warrant" in refusal(people("lee"), f"/{case['id']}/searches", {}, 409)
    copy = SignedCase.model_validate_json(case["file"])
    signed = approve(copy, world.court, SignedKind.WARRANT).to_line().decode() + "\n"
    case = post(people("lee"), f"/{case['id']}/signatures", {"file": signed})
    assert (case["state"], case["warrants"], COURT) == ("open", 1, "court")
    for wrong, status in (("{}", 422), ("\x00", 422), (signed.replace("kim", "lee"), 409)):
        assert refusal(people("lee"), f"/{case['id']}/signatures", {"file": wrong}, status)


def test_a_page_that_watches_asks_no_more_often_than_owners_answer(people, world):
    case = approved(people)
    path = f"/{case['id']}/searches"
    every = case["search_every_s"]
    post(people("lee"), path, {"watching": True})
    for name in ("lee", "park"):
        post(people(name), path, {"watching": True})
    asked = [one for one in acts(world) if one[0] == "searched"]
    assert len(asked) == 3  # one a city
    world.clock.now_s += every
    post(people("park"), path, {"watching": True})
    post(people("park"), path, {})  # a person may ask at once
    assert len([one for one in acts(world) if one[0] == "searched"]) == 9
    for terms in (desk_of(world).terms(one) for one in ("missing-child", "wanted-person", "gone")):
        assert 3600 / search_every_s(terms) <= terms.searches_an_hour


def test_cities_that_cannot_be_reached_are_named(people, clients, world):
    class Gone:
        def handle(self, message, caller):
            raise OSError("no route")

    clients[0].now = desk_of(world, seoul=Gone())
    case = approved(people)
    case = post(people("kim"), f"/{case['id']}/searches", {})
    assert case["silent"] == ["seoul"]
    for language in ("en", "ko"):
        assert any("seoul" in one[language] for one in case["sentences"])
    case = post(people("kim"), f"/{case['id']}/closings", {"close": True})
    assert case["unreached"] == ["seoul"]


def test_a_case_by_words_alone(people):
    words = {"pictures": None, "height_m": [1.0, 1.25], "upper": ["red"], "lower": ["blue"]}
    case = opened(people, **words, cities=["seoul"])
    assert case["query"]["height_m"] == [1.0, 1.25]
    assert case["query"]["upper"] == ["red"]


def test_a_time_without_a_zone_is_the_citys():
    asked = SearchCaseAsked(**{**REPORT, "last_seen_at": "2027-01-15T16:30"})
    assert asked.opening("incheon/kim", ZoneInfo("Asia/Seoul")).last_seen_s == NOW - 1800


@pytest.mark.parametrize(
    "changes",
    [
        {"pictures": None},
        {"pictures": None, "upper": ["mauve"]},
        {"pictures": {"network": "net", "embeddings": [[1.0, 1.0]]}},
        {"pictures": {"network": "net", "embeddings": [[1.0], [0.6, 0.8]]}},
        {"hours": 1000},
        {"hours": -1},
        {"back_hours": 100},
        {"last_seen_at": "2027-01-16T07:00:00Z"},
        {"last_seen_at": "0001-01-01T00:00:00"},
        {"service": "nobody"},
        {"cities": []},
        {"cities": ["a/b"]},
        {"purpose": ""},
        {"lat": 91},
        {"height_m": [2.0, 1.0]},
        {"more": 1},
    ],
)
def test_a_report_with_a_fault_opens_nothing(people, changes):
    found = people("kim").post("/api/cases", json={**REPORT, **changes})
    assert found.status_code == 422, found.text
    assert all(one["reason"] and one["next"] for one in found.json()["errors"])
    assert people("kim").get("/api/cases").json()["cases"] == []


def test_numbers_that_json_does_not_have_are_refused(people):
    body = json.dumps(REPORT).replace("37.4", "NaN")
    headers = {"Content-Type": "application/json"}
    assert people("kim").post("/api/cases", content=body, headers=headers).status_code == 422


def test_no_case_and_a_closed_one_are_told_apart(people, tmp_path):
    for name in ("0" * 16, "..", "x"):
        assert people("kim").get(f"/api/cases/{name}").status_code in (404, 405)
    case = opened(people)
    post(people("kim"), f"/{case['id']}/closings", {"close": True})
    assert people("kim").get(f"/api/cases/{case['id']}").json()["state"] == "closed"
    found = people("kim").post(f"/api/cases/{case['id']}/searches", json={})
    assert found.status_code == 409
    assert str(tmp_path) not in found.text
    post(people("kim"), f"/{case['id']}/closings", {"close": True})  # to tell cities again


def test_a_case_is_over_at_its_time(people, world):
    case = approved(people, hours=1)
    world.clock.now_s += 3601
    assert "over" in refusal(people("lee"), f"/{case['id']}/searches", {}, 409)
    (shown,) = people("lee").get("/api/cases").json()["cases"]
    assert shown["state"] == "over"


def test_a_sighting_that_is_none_is_not_judged(people):
    case = approved(people)
    body = {"city": "seoul", "camera": "3", "time_s": 1, "verdict": "confirmed"}
    assert refusal(people("lee"), f"/{case['id']}/verdicts", body, 404)
    assert post(people("lee"), f"/{case['id']}/verdicts", {**body, "verdict": "none"}, 422)


def test_nothing_that_is_answered_holds_an_embedding(people):
    case = approved(people)
    found = post(people("lee"), f"/{case['id']}/searches", {})
    text = json.dumps(found)
    assert "embedding" not in text
    assert look(0.0).tobytes().hex() not in text


@pytest.mark.parametrize("name", ["..", ".", "../../x", "a/b", "CON.", "김", "x" * 300, "\x00"])
def test_an_account_of_any_name_keeps_to_its_folder(name, tmp_path):
    found = (tmp_path / folder_name(name)).resolve()
    assert found.parent == tmp_path.resolve()
    assert len(found.name) <= 200
