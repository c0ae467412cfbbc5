"""An insider: a person with an account in the control room, who wants more than the role gives, or
who runs an agency's machine.
"""

import base64
import json
import shutil
from contextlib import chdir
from functools import partial

import httpx
from typer.testing import CliRunner

from benchmarks.red_team.play import (
    Ending,
    Result,
    Stage,
    all_of,
    measured,
    named,
    play,
    refused,
    stopped_by,
)
from benchmarks.red_team.stages.counts import HELD_S, counts_town
from benchmarks.red_team.stages.running_city import RunningCity
from benchmarks.red_team.stages.simulated import NAMES, Simulated
from deepcity.city.errors import CheckpointError, GrantError
from deepcity.cli import app
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.lines import entry_of, read_lines
from deepcity.store.signatures.ed25519 import signing_key
from deepcity.web.control.roles import RIGHTS, Role, may

WHO = "insider"
MORE, UNSEEN = "more rights", "to act unseen"
_STREAM = ("GET", "/api/stream")
_NOTE = "/api/handover/notes"


@play(WHO, Stage.RUNNING_CITY, MORE)
def asks_what_its_role_may_not(stage: RunningCity) -> Ending:
    """as each role in turn, asks every route that the role has no right to"""
    return all_of(
        refused(403, stage.person(role).request(method, path.replace("{number}", "1")))
        for role in Role
        for method, path in sorted({*RIGHTS} - {_STREAM})
        if not may(role, method, path)
    )


@play(WHO, Stage.RUNNING_CITY, MORE)
def approves_a_decision_as_an_analyst(stage: RunningCity) -> Ending:
    """confirms, rejects and undoes a decision with roles that may only look"""
    return all_of(
        refused(
            403,
            stage.person(role).post("/api/decisions/1/answers", json={"answer": answer}),
            f"not with the role {role.value}",
        )
        for role in (Role.ANALYST, Role.AUDITOR, Role.SOURCE)
        for answer in ("confirm", "reject", "undo")
    )


@play(WHO, Stage.RUNNING_CITY, "what is not its to read")
def reads_an_entry_for_others(stage: RunningCity) -> Ending:
    """as analyst, reads an incident, the events and their stream for an entry for admins alone"""
    admin, secret = stage.person(Role.ADMIN), "the caller's name is Kim"
    opened = admin.post("/api/incidents", json={"title": "Burst main"})
    assert opened.status_code == 201, opened.text
    path = f"/api/incidents/{opened.json()['id']}"
    entry = {"kind": "note", "text": secret, "roles": ["admin"]}
    assert secret in admin.post(f"{path}/entries", json=entry).text
    paths = (path, "/api/incidents", "/api/events?limit=1000", "/api/handover?since=0")
    found = [stage.person(Role.ANALYST).get(one) for one in paths]
    assert all(one.status_code == 200 for one in found)
    return measured(sum(secret in one.text for one in found), 0, "answers that hold the entry:")


@play(WHO, Stage.RUNNING_CITY, MORE)
def changes_its_cookie(stage: RunningCity) -> Ending:
    """writes another name into its session's cookie, and keeps the signature"""
    cookie = stage.log_in("a-operator").cookies["deepcity"]
    body, *rest = cookie.split(".")
    session = json.loads(base64.b64decode(body))
    assert session["name"] == "a-operator"
    other = base64.b64encode(json.dumps({**session, "name": "a-admin"}).encode()).decode()
    with stage.stranger() as client:
        tries = (".".join([other, *rest]), f"{other}.{rest[0]}.", other)
        return all_of(
            refused(401, client.get("/api/events", headers={"Cookie": f"deepcity={one}"}))
            for one in tries
        )


@play(WHO, Stage.RUNNING_CITY, MORE)
def goes_on_with_a_cookie_that_was_logged_out(stage: RunningCity) -> Ending:
    """keeps its session's cookie, logs out, as on a shared machine, and sends the cookie again"""
    client = stage.log_in("a-operator")
    kept = {"Cookie": f"deepcity={client.cookies['deepcity']}"}
    assert client.get("/api/city").status_code == 200
    assert client.delete("/api/session").status_code == 204
    with stage.stranger() as other:
        return all_of(
            [
                refused(401, other.get("/api/city", headers=kept)),
                refused(401, other.post(_NOTE, headers=kept, json={"text": "as another"})),
            ]
        )


@play(WHO, Stage.RUNNING_CITY, "to have others act")
def has_a_page_from_elsewhere_act(stage: RunningCity) -> Ending:
    """has an operator's browser send forms to the city from a page elsewhere, cookie and all"""
    client = stage.log_in("a-operator")
    found = client.post(
        "/api/session", json={"name": "a-operator", "password": "correct horse battery"}
    )
    cookie = found.headers["set-cookie"].lower()
    strict = "samesite=strict" in cookie and "httponly" in cookie
    note = b'{"text": "from a form"}'
    elsewhere = {"Origin": "http://elsewhere.example"}
    kinds = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
    sent = [
        refused(422, client.post(_NOTE, content=note, headers={**elsewhere, "Content-Type": kind}))
        for kind in kinds
    ]
    looked = client.get("/api/city", headers=elsewhere)
    shared = "access-control-allow-origin" in looked.headers
    cookies = Ending(
        Result.STOPPED if strict and not shared else Result.GOT_THROUGH,
        f"the cookie is {'' if strict else 'not '}kept from pages elsewhere (SameSite=Strict)",
    )
    return all_of([cookies, *sent])


@play(WHO, Stage.RUNNING_CITY, UNSEEN)
def acts_in_another_s_name(stage: RunningCity) -> Ending:
    """leaves a note with another's name in it, then one without, and reads whose it is"""
    operator = stage.person(Role.OPERATOR)
    lied = refused(422, operator.post(_NOTE, json={"text": "a", "who": "a-admin"}))
    assert operator.post(_NOTE, json={"text": "it was me"}).status_code == 201
    events = stage.person(Role.ADMIN).get("/api/events?kind=note&limit=1000").json()
    whose = [one.get("who") for one in events]
    return all_of([lied, named("a-operator", ", ".join(map(str, whose)))])


@play(WHO, Stage.RUNNING_CITY, UNSEEN)
def takes_an_event_back(stage: RunningCity) -> Ending:
    """as admin, deletes and changes events, notes and incidents through the API"""
    admin = stage.person(Role.ADMIN)
    return all_of(
        _no_such_way(admin.request(method, path, json={"text": "nothing was"}))
        for method in ("DELETE", "PUT", "PATCH")
        for path in ("/api/events", "/api/events/1", _NOTE, "/api/incidents/1", "/api/decisions/1")
    )


def _no_such_way(answer: httpx.Response) -> Ending:
    stopped = answer.status_code in {404, 405}
    return Ending(
        Result.STOPPED if stopped else Result.GOT_THROUGH,
        f"HTTP {answer.status_code}: {answer.text[:100]}",
    )


@play(WHO, Stage.RUNNING_CITY, UNSEEN)
def answers_a_decision_twice(stage: RunningCity) -> Ending:
    """confirms a decision that waits, and then rejects it as if it waited still"""
    operator = stage.person(Role.OPERATOR)
    waiting = [one for one in operator.get("/api/decisions").json() if one["status"] == "waiting"]
    assert waiting, "no decision waits"
    path = f"/api/decisions/{waiting[0]['id']}/answers"
    first = operator.post(path, json={"answer": "confirm"})
    assert first.status_code == 201, first.text
    return refused(409, operator.post(path, json={"answer": "reject"}))


@play(WHO, Stage.SIMULATED, UNSEEN)
def rewrites_its_own_ledger(stage: Simulated) -> Ending:
    """writes its site's ledger anew with smaller numbers, rightly signed by the site's own key"""
    folder = stage.folder / "own-ledger"
    shutil.copytree(stage.run, folder)
    site = folder / stage.site_of(NAMES[0]).relative_to(stage.run)
    path = site / "releases.jsonl"
    entries = [entry_of(one.data) for one in read_lines(path) if not one.is_head]
    path.unlink()
    ledger = ReleaseLedger(path, NAMES[0], signing_key(site / "claims.pem"))
    ledger.record([one.release.model_copy(update={"bytes": 1}) for one in entries])
    with chdir(folder):  # evidence is written where the command is given
        found = CliRunner().invoke(app, ["ledger", "verify", str(folder)])
    return named("exit 1(?s:.*)rewritten", f"exit {found.exit_code}: {found.output}")


@play(WHO, Stage.SIMULATED, "more counts than a grant allows")
def begins_a_new_budget_for_counts(stage: Simulated) -> Ending:
    """spends all, then asks again as a new process, without its record of uses, without that and
    its key, and with the record of before the last release
    """
    town = counts_town(stage.folder / "new-budget")
    town.ask()
    site = town.folder / "site"
    record, key = site / "privacy.json", site / "noise.key"
    older, secret = record.read_bytes(), key.read_bytes()
    town.answers()
    newest = record.read_bytes()
    endings = [stopped_by(GrantError, "would be spent", town.ask)]
    record.unlink()
    endings.append(stopped_by(CheckpointError, "is gone", town.ask))
    key.unlink()
    endings.append(stopped_by(CheckpointError, "a new one begun", town.ask))
    key.write_bytes(secret)
    record.write_bytes(older)
    endings.append(stopped_by(CheckpointError, "an older record was put back", town.ask))
    record.write_bytes(newest)
    return all_of([*endings, stopped_by(GrantError, "would be spent", town.ask)])


@play(WHO, Stage.SIMULATED, "more counts than a grant allows")
def sets_its_clock_back_for_counts(stage: Simulated) -> Ending:
    """sets its machine's clock back to when a grant held that has ended, and asks by it"""
    town = counts_town(stage.folder / "clock")
    town.ask()
    back = partial(town.ask, service="census", clock=lambda: HELD_S)
    return all_of(
        stopped_by(GrantError, "ended held until", one)
        for one in (partial(town.ask, service="census"), back)
    )
