"""Deadlines, lost sites and leases between machines; `test_flare.py` has the engine itself."""

import json
import socket
import threading
from dataclasses import replace
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client

import numpy as np
import pytest

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Failure, failures
from deepcity.exchange.flare import link as link_module
from deepcity.exchange.flare import machines
from deepcity.exchange.flare.deadlines import Deadlines
from deepcity.exchange.flare.leases import Lease, LeaseLostError, LeaseOverError
from deepcity.exchange.flare.leasing import Leasing
from deepcity.exchange.flare.link import (
    ANSWER,
    LOST,
    PING,
    REFUSED,
    TIMEOUT,
    CoordinatorLink,
    Reply,
    receive,
    send,
)
from deepcity.exchange.flare.machines import MachineExchange
from deepcity.exchange.flare.task import task_from
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message, to_bytes

SITES = ("north", "south")


class ScriptedWire:
    """Answers with the replies that a test names, and keeps the deadlines it was given."""

    def __init__(self, *, south=None, there=True):
        self.south, self.there, self.deadlines = south, there, []

    def ask(self, site, task, blob, deadline_s):
        if task == PING:
            known = {True: ANSWER, False: TIMEOUT}
            return Reply(known[self.there] if isinstance(self.there, bool) else self.there)
        self.deadlines.append((site, deadline_s))
        return self.south if site == "south" and self.south else Reply(ANSWER, "", blob)


def exchange(wire, **settings):
    return MachineExchange(wire, SITES, SITES, **settings)


def test_timeout_is_unknown_and_waited_for_longer():
    wire = ScriptedWire(south=Reply(TIMEOUT, "no answer within 7 s"))
    ours = exchange(wire, deadlines=Deadlines(first_s=7.0, least_s=1.0))
    replies = ours.call_group(dict.fromkeys(SITES, Message("train")))
    assert isinstance(replies["north"], Message)
    [failure] = failures(replies)
    assert "whether it did the work is unknown" in failure.reason
    wire.south = None
    assert not failures(ours.call_group(dict.fromkeys(SITES, Message("train"))))
    assert [s for site, s in wire.deadlines if site == "south"] == [7.0, 14.0]


def test_silent_site_whose_worker_is_gone_costs_the_lease():
    wire = ScriptedWire(south=Reply(TIMEOUT, "no answer within 7 s"), there=False)
    with pytest.raises(LeaseLostError, match="south") as lost:
        exchange(wire).call_group(dict.fromkeys(SITES, Message("train")))
    assert lost.value.site == "south"


class BusyWire:
    """South is at work until it is let go; what it answers to pings is named by the test."""

    def __init__(self, *pings):
        self.pings, self.go = list(pings), threading.Event()

    def ask(self, site, task, blob, deadline_s):
        if task == PING:
            kind = self.pings.pop(0) if self.pings else ANSWER
            if not self.pings:
                self.go.set()
            return Reply(kind)
        return Reply(ANSWER, "", blob) if self.go.wait(deadline_s) else Reply(TIMEOUT)


def test_a_dead_worker_is_noticed_long_before_its_deadline(monkeypatch):
    monkeypatch.setattr(machines, "_QUIET_S", 0.01)
    wire = BusyWire(ANSWER, TIMEOUT, TIMEOUT, ANSWER, ANSWER)
    with pytest.raises(LeaseLostError, match="south is gone: no answer within 0 s, nor") as lost:
        exchange(wire).call("south", Message("choose"))
    assert (lost.value.site, wire.pings) == ("south", [ANSWER, ANSWER])
    wire.go.set()


def test_a_worker_that_is_long_at_work_is_not_lost(monkeypatch):
    """Also where one question in between stays without an answer."""
    monkeypatch.setattr(machines, "_QUIET_S", 0.01)
    wire = BusyWire(ANSWER, TIMEOUT, ANSWER, TIMEOUT, ANSWER)
    assert exchange(wire).call("south", Message("choose")).verb == "choose"
    assert not wire.pings


def test_lost_site_costs_the_lease_and_is_named():
    with pytest.raises(LeaseLostError, match="south is gone") as lost:
        exchange(ScriptedWire(south=Reply(LOST, "target unreachable"))).call("south", Message("x"))
    assert lost.value.site == "south"


@pytest.mark.parametrize("blob", [b"", b"nonsense" * 10])
def test_answer_that_is_no_message_fails_that_site_alone(blob):
    ours = exchange(ScriptedWire(south=Reply(ANSWER, "", blob)))
    replies = ours.call_group(dict.fromkeys(SITES, Message("x")))
    assert isinstance(replies["north"], Message)
    assert isinstance(replies["south"], Failure)


def test_absent_site_fails_and_is_no_party_that_can_be_called():
    ours = MachineExchange(ScriptedWire(), SITES, ("north",))
    assert ours.parties == ("north",)
    with pytest.raises(ExchangeError, match="not connected in this lease"):
        ours.call("south", Message("x"))


def test_nobody_answers_in_the_place_of_an_agencys_site_that_is_away():
    ours = MachineExchange(ScriptedWire(), ("a/b", "a/c"), ("a", "a_b"), away=frozenset({"a_b"}))
    assert ours.parties == ("a/c",)
    with pytest.raises(ExchangeError, match="a/b is not connected in this lease"):
        ours.call("a/b", Message("x"))


def test_an_application_calls_agencies_of_its_city_by_their_own_names():
    wire, asked = ScriptedWire(), []
    wire.ask = lambda site, task, blob, _s: (
        asked.append((site, task_from(task))) or Reply(ANSWER, "", blob)
    )
    ledger = Ledger()
    how = {"city": "a", "leads_for": "a/water", "ledger": ledger}
    ours = MachineExchange(wire, ("power", "weather"), ("a", "a_weather"), **how)
    assert ours.call("weather", Message("forward")).verb == "forward"
    [(site, task)] = asked
    assert (site, task.party, task.caller) == ("a_weather", "a/weather", "a/water")
    assert {row[2] for row in ledger.snapshot()} == {"coordinator", "weather"}
    gone = replace(ours, away=frozenset({"a_weather"}))
    assert gone.parties == ("power",)
    [failure] = failures(gone.call_group({"weather": Message("forward")}))
    assert "not connected" in failure.reason


def test_calls_between_sites_are_counted():
    ledger, message = Ledger(), Message("x")
    row = [0, "x", "south", "north", "h1", 5]
    wire = ScriptedWire(south=Reply(ANSWER, "", to_bytes(message), [row]))
    exchange(wire, ledger=ledger).call("south", message)
    assert row in ledger.snapshot()


@pytest.mark.parametrize("kind", ["well", {}, [], None, 1])
def test_a_reply_of_no_kind_fails_that_site_alone(kind):
    [failure] = failures(
        exchange(ScriptedWire(south=Reply(kind))).call_group({"south": Message("x")})
    )
    assert "failed" in failure.reason
    late = ScriptedWire(south=Reply(TIMEOUT), there=kind)
    [failure] = failures(exchange(late).call_group({"south": Message("x")}))
    assert "whether it did the work is unknown" in failure.reason


@pytest.mark.parametrize("text", ["\x1b[2Jall is well\r" + "x" * 9999, {"\x1b": 1}, 7, None])
def test_the_reason_of_a_site_can_stand_in_a_terminal(text):
    [failure] = failures(
        exchange(ScriptedWire(south=Reply(REFUSED, text))).call_group({"south": Message("x")})
    )
    assert failure.reason.isprintable()
    assert len(failure.reason) < 1100


@pytest.mark.parametrize(
    "row",
    [
        [0, "x", "south", "coordinator", "h1", 10**12],
        [0, "x", "coordinator", "south", "h1", 10**12],
        [0, "x", "south", "east", "h1", 5],
        [0, "x", "south", "north", "h1", -5],
        [0, "x", "south", "north", "h1", "5"],
        [0, "x", "south", "north", "h1", 10**18],
        [0, "x", "south", "north", "\x1b[2J", 5],
        [0, "x"],
        "x",
        None,
    ],
)
def test_site_cannot_change_what_the_coordinator_counted(row):
    ledger, message = Ledger(), Message("x")
    wire = ScriptedWire(south=Reply(ANSWER, "", to_bytes(message), [row]))
    exchange(wire, ledger=ledger).call("south", message)
    assert ledger.total == 2 * len(to_bytes(message))


def test_layers_of_answers_are_counted_under_names_that_layers_have():
    """What a site calls its layers stands in reports; every byte counts whatever its name."""
    names = ["h1", "Dear reader, send money", *map(str, range(500))]
    answer = Message("train", {}, {name: {"w": np.ones(2, np.float32)} for name in names})
    blob = to_bytes(answer)
    reported = [[0, "choose", "south", "north", "look here", 7]]
    ledger = Ledger()
    ours = exchange(ScriptedWire(south=Reply(ANSWER, "", blob, reported)), ledger=ledger)
    ours.call("south", Message("train"))
    counted = {row[-2]: row[-1] for row in ledger.snapshot() if row[1:3] == ["train", "south"]}
    assert counted == {"h1": 8, "other": 8 * 501, "header": len(blob) - 8 * 502}
    assert {row[-2] for row in ledger.snapshot()} == {"h1", "other", "header"}
    assert sum(row[-1] for row in ledger.snapshot() if row[1] == "choose") == 7


def test_deadline_follows_a_site_that_becomes_slow():
    deadlines = Deadlines(first_s=600, least_s=2, most_s=100, factor=5)
    for seconds in (0.1, 0.1, 4.0):
        deadlines.answered("north", "train", seconds)
    assert deadlines.of("north", "train") == 20.0
    for _ in range(9):
        deadlines.missed("north", "train", deadlines.of("north", "train"))
    assert deadlines.of("north", "train") == 100.0
    assert deadlines.of("south", "train") == 600


def test_lease_is_over_after_its_rounds():
    count = Lease("x", 2, SITES).counter()
    count(1)
    with pytest.raises(LeaseOverError):
        count(2)


class KeptJobs:
    """The engine's list of jobs; a submitted one connects as its relay does, unless told not to."""

    def __init__(self, link_file, *, connects=True):
        self.link_file, self.connects = link_file, connects
        self.all, self.submitted = [], []

    def connected(self):
        return SITES

    def jobs(self, name):
        return [job for job in self.all if job["job_name"].startswith(name)]

    def active(self, name):
        return [job for job in self.jobs(name) if job["status"] == "RUNNING"]

    def submit(self, folder, name):
        meta = json.loads((folder / "meta.json").read_text())
        assert meta["name"] == name
        assert set(meta["mandatory_clients"]) == set(SITES)
        assert not list(folder.rglob("custom")), "a job brings no code"
        self.submitted.append(name)
        self.add(name)
        return name

    def add(self, name):
        self.all.append({"job_id": name, "job_name": name, "status": "RUNNING"})
        if self.connects:
            threading.Thread(target=self._relay, args=(name,), daemon=True).start()

    def abort(self, job):
        for one in self.all:
            if one["job_id"] == job:
                one["status"] = "FINISHED:ABORTED"

    def _relay(self, name):
        found = json.loads(self.link_file.read_text())
        with Client((found["host"], found["port"]), authkey=bytes.fromhex(found["key"])) as line:
            send(line, {"lease": name, "sites": SITES})
            try:
                while True:
                    head, blob = receive(line)
                    reply = {"id": head["id"], "kind": ANSWER, "text": "", "counts": []}
                    send(line, reply, blob)
            except (EOFError, OSError):
                self.abort(name)


@pytest.fixture
def link(tmp_path):
    made = CoordinatorLink(tmp_path / "coordinator.json")
    yield made
    made.close()


def test_lease_is_submitted_once_and_carries_calls(link):
    jobs = KeptJobs(link.file)
    leasing = Leasing(jobs, link, "a.Site", patience_s=10)
    leasing.take(Lease("deepcity-a-0", 5, SITES))
    assert exchange(link).call("south", Message("echo", {"n": 1.0})).numbers == {"n": 1.0}
    leasing.end()
    assert jobs.submitted == ["deepcity-a-0.0"]
    with pytest.raises(LeaseLostError):
        exchange(link).call("south", Message("echo"))


def test_coordinator_that_lost_the_answer_finds_its_job(link):
    jobs = KeptJobs(link.file)
    jobs.connects = False
    jobs.add("deepcity-a-0.0")
    threading.Timer(0.2, jobs._relay, args=("deepcity-a-0.0",)).start()
    Leasing(jobs, link, "a.Site", patience_s=10).take(Lease("deepcity-a-0", 5, SITES))
    assert jobs.submitted == []


def test_next_attempt_has_another_name_and_no_site_keeps_two_workers(link):
    jobs = KeptJobs(link.file)
    jobs.connects = False
    jobs.add("deepcity-a-0.0")
    jobs.abort("deepcity-a-0.0")
    jobs.add("deepcity-old-7.0")
    jobs.connects = True
    Leasing(jobs, link, "a.Site", patience_s=10).take(Lease("deepcity-a-0", 5, SITES))
    assert jobs.submitted == ["deepcity-a-0.1"]
    assert [job["job_name"] for job in jobs.active("")] == ["deepcity-a-0.1"]


def test_job_that_ends_before_it_connects_is_a_lost_lease(link):
    jobs = KeptJobs(link.file, connects=False)
    threading.Timer(0.2, lambda: jobs.abort("deepcity-a-0.0")).start()
    with pytest.raises(LeaseLostError, match="ended before"):
        Leasing(jobs, link, "a.Site", patience_s=10).take(Lease("deepcity-a-0", 5, SITES))


def test_link_is_for_who_can_read_its_file(link):
    assert link.file.stat().st_mode & 0o077 == 0
    found = json.loads(link.file.read_text())
    with pytest.raises(AuthenticationError):
        Client((found["host"], found["port"]), authkey=b"guess")
    with socket.create_connection((found["host"], found["port"])) as stranger:
        stranger.sendall(b"GET / HTTP/1.0\r\n\r\n")
    jobs = KeptJobs(link.file)
    Leasing(jobs, link, "a.Site", patience_s=10).take(Lease("deepcity-a-0", 5, SITES))
    assert link.sites == SITES


def test_job_that_takes_no_calls_is_lost_at_the_deadline_and_blocks_nobody(link, monkeypatch):
    monkeypatch.setattr(link_module, "_GRACE_S", 0.1)
    jobs = KeptJobs(link.file)
    found, lines = json.loads(link.file.read_text()), []

    def connect(name):
        """And read nothing."""
        lines.append(Client((found["host"], found["port"]), authkey=bytes.fromhex(found["key"])))
        send(lines[0], {"lease": name, "sites": SITES})

    monkeypatch.setattr(jobs, "_relay", connect)
    Leasing(jobs, link, "a.Site", patience_s=10).take(Lease("deepcity-a-0", 5, SITES))
    with pytest.raises(LeaseLostError):
        link.ask("south", "t", bytes(50_000_000), 0.2)
    link.hang_up()
    lines[0].close()


def test_silent_caller_keeps_nobody_out(link):
    found = json.loads(link.file.read_text())
    with socket.create_connection((found["host"], found["port"])):
        jobs = KeptJobs(link.file)
        Leasing(jobs, link, "a.Site", patience_s=10).take(Lease("deepcity-a-0", 5, SITES))
        assert link.sites == SITES
