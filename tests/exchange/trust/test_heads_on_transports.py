"""The contract of heads that are handed round, on both transports: sites co-sign what continues,
refuse the rest by name with evidence, and nothing that one of them does stops the others.
"""

import logging
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from release_ledgers import key_of, ledger, release, witness

from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.flare.access import HEAD_RULES, CallAccess
from deepcity.exchange.flare.desk import Desk, PartyDesk
from deepcity.exchange.flare.link import Reply
from deepcity.exchange.flare.machines import MachineExchange
from deepcity.exchange.flare.task import LEDGER_METHOD, CallTask
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.exchange.trust.head_messages import COSIGN, COSIGNED, packed
from deepcity.exchange.trust.head_party import OWN_HEAD, HeadParty
from deepcity.exchange.trust.head_round import hand_round
from deepcity.exchange.trust.shown_heads import DRAWN, SHOWN_HEADS, ShownHeads, witnesses_for
from deepcity.parties.releases.heads import collected_heads, keep_heads
from deepcity.runs.releases.files import read_any
from deepcity.runs.releases.review import review_ledgers
from deepcity.store.release_ledger.heads import HeadSheet
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.proof import head_sheet
from deepcity.store.release_ledger.sheets import read_sheet

SITES = ("north", "east", "south", "west")
HOUR = 3600


def public(name):
    return key_of(name).public_key().public_bytes_raw().hex()


@dataclass
class Wire:
    """Bytes to desks of this process, as the engine carries them."""

    desks: dict

    def ask(self, site, task, blob, _deadline_s):
        return Reply(**self.desks[site].answer(task, blob, COORDINATOR))


def _only(name, party):
    return {name: PartyDesk(CallAccess(HEAD_RULES), lambda _task: party)}


@dataclass
class Town:
    """Sites with ledgers of three entries each, and their transport to a coordinator."""

    folder: Path
    machines: bool
    sites: tuple = SITES
    parties: dict = field(default_factory=dict)

    def __post_init__(self):
        keys = {name: public(name) for name in self.sites}
        for name in self.sites:
            own = self.path(name)
            own.mkdir(parents=True, exist_ok=True)
            of = ReleaseLedger(own / "releases.jsonl", name, key_of(name), clock=lambda: HOUR)
            of.record([release(number, party=name) for number in range(3)])
            self.parties[name] = HeadParty(
                of, replace(witness(own, name), path=own / "cosigned.json"), own, keys.keys(), keys
            )

    def path(self, name):
        return self.folder / "sites" / name

    def exchange(self, *names, **others):
        """The coordinator's, to some of the sites; others answer in their place."""
        handlers = {name: others.get(name, self.parties[name]) for name in names or self.sites}
        if not self.machines:
            return InProcessExchange(handlers)
        desks = {name: Desk({}, self.sites, heads=_only(name, handlers[name])) for name in handlers}
        tasks = {name: CallTask(party=name, method=LEDGER_METHOD) for name in handlers}
        return MachineExchange(Wire(desks), tuple(handlers), tuple(handlers), tasks)

    def rewrite(self, name, size, when=2 * HOUR):
        """A site writes another history under its own key."""
        path = self.path(name) / "releases.jsonl"
        path.unlink()
        of = ReleaseLedger(path, name, key_of(name), clock=lambda: when)
        of.record([release(number, party=name, bytes=7) for number in range(size)])
        self.parties[name] = replace(self.parties[name], ledger=of)

    def signers(self, name):
        return sorted(one.by for one in self.own(name).cosignatures)

    def own(self, name):
        return read_sheet(self.path(name) / OWN_HEAD, HeadSheet)

    def shown(self, name):
        return read_sheet(self.path(name) / SHOWN_HEADS, ShownHeads).heads

    def evidence(self, name, kind):
        return [read_any(path) for path in self.path(name).glob(f"{kind}-*.json")]


@pytest.fixture(params=[False, True], ids=["in-process", "machines"])
def town(request, tmp_path):
    return Town(tmp_path, request.param)


def others(name):
    return sorted({*SITES} - {name})


def test_every_head_is_co_signed_by_all_others_and_kept_by_its_owner(town):
    found = hand_round(town.exchange())
    assert found.missing == {name: [] for name in SITES}
    for name in SITES:
        assert town.signers(name) == others(name)
        assert {one: head.lacking for one, head in town.shown(name).items()} == dict.fromkeys(
            SITES, ()
        )
        assert all(len(head.sheet.cosignatures) >= 2 for head in town.shown(name).values())
        kit = town.folder / "kits" / name
        shutil.copytree(town.path(name), kit / "sites" / name)
        assert [(one.name, one.check.findings) for one in review_ledgers(kit)] == [(name, [])]
    town.parties["north"].ledger.record([release(3, party="north")])
    assert hand_round(town.exchange()).missing["north"] == []
    assert town.own("north").head.head.size == 4


@pytest.mark.parametrize(("size", "kind"), [(3, "rewritten"), (9, "unproven"), (2, "unproven")])
def test_a_head_that_does_not_continue_is_refused_by_name_and_kept(town, caplog, size, kind):
    hand_round(town.exchange())
    keep_heads(town.folder, hand_round(town.exchange()))
    town.rewrite("north", size)
    found = hand_round(town.exchange())
    keep_heads(town.folder, found)
    assert found.missing == {
        "north": ["east", "south", "west"],
        "east": [],
        "south": [],
        "west": [],
    }
    for name in others("north"):
        assert f"{name} co-signs no head of north" in caplog.text
        [kept] = town.evidence(name, kind)
        assert (kept.earlier.head.size, kept.later.head.size) == (3, size)
        assert kept.earlier.is_genuine()
        assert kept.later.is_genuine()
        assert kept.proves_itself() == (size == 3)
        assert town.signers(name) == others(name)  # north goes on as a witness, and they as sites
    assert len(found.evidence) == (size == 3)  # three say so, of one thing
    assert len([*(town.folder / "coordinator").glob("rewritten-*.json")]) == (size == 3)
    if size < 9:  # the coordinator's memory does not go back
        assert (
            collected_heads(town.folder)["north"].head.head.root
            != found.sheets["north"].head.head.root
        )
    assert hand_round(town.exchange()).missing["south"] == []


def test_a_head_that_is_sent_again_is_refused_and_frames_nobody(town):
    hand_round(town.exchange())
    old = head_sheet(town.path("north") / "releases.jsonl")
    town.parties["north"].ledger.record([release(3, party="north")])
    hand_round(town.exchange())
    reply = town.exchange().call("south", Message(COSIGN, {}, packed("sheets", {"north": old})))
    assert reply.layers == {}
    assert town.evidence("south", "*") == []
    town.exchange().call("north", Message(COSIGNED, {}, packed("sheets", {"north": old})))
    assert town.own("north").head.head.size == 4


def test_a_head_of_another_federation_is_refused(town, tmp_path, caplog):
    """Under the same name and another key; and of a name that nobody knows here."""
    names = {"north": key_of("another north"), "far": key_of("far"), "south": key_of("south")}
    for name, key in names.items():
        other = ReleaseLedger(tmp_path / f"other-{name}.jsonl", name, key)
        other.record([release(0, party=name)])
        sheets = {name: head_sheet(other.path)}
        reply = town.exchange().call("south", Message(COSIGN, {}, packed("sheets", sheets)))
        assert reply.layers == {}, name
    assert "is known as its owner's" in caplog.text
    assert town.parties["south"].witness.known() == {}
    assert town.evidence("south", "*") == []


def test_sheets_under_wrong_names_too_many_or_too_large_are_left_out(town):
    sheet = head_sheet(town.path("north") / "releases.jsonl")
    good = np.frombuffer(sheet.to_line(), np.uint8)
    asked = {
        "east": good,  # the head of another
        "west": np.zeros(1_000_001, np.uint8),
        **{f"city-{number}": good for number in range(2000)},
    }
    assert town.exchange().call("south", Message(COSIGN, {}, {"sheets": asked})).layers == {}
    nonsense = {"north": np.full((3, 3), np.nan), "west": np.frombuffer(b"[" * 99_999, np.uint8)}
    assert town.exchange().call("south", Message(COSIGN, {}, {"sheets": nonsense})).layers == {}
    assert town.parties["south"].witness.known() == {}
    reply = town.exchange().call("south", Message(COSIGN, {}, {"sheets": {**asked, "north": good}}))
    assert [*reply.layers["sheets"]] == ["north"]


class Refuses:
    def handle(self, message, _caller):
        raise ValueError(f"no {message.verb} on a Sunday")


class Lies:
    """Answers each verb with what another verb asks for, and others' words as its own."""

    def __init__(self, inner, layers):
        self.inner, self.layers = inner, layers

    def handle(self, message, caller):
        self.inner.handle(message, caller)
        return Message(message.verb, {"x": 1e308}, self.layers)


def test_who_fails_or_lies_costs_the_others_nothing(town):
    found = hand_round(town.exchange(west=Refuses()))
    assert found.missing == {name: ["west"] for name in others("west")}
    assert town.shown("north")["north"].lacking == ("west",)
    sheet = head_sheet(town.path("north") / "releases.jsonl")
    signed = town.parties["east"].witness.cosign(sheet)
    for layers in (
        packed("sheets", {"north": signed, "0": sheet}),
        {**packed("evidence", {"a": sheet}), "sheets": {"0": np.zeros(0)}},
        {},
    ):
        found = hand_round(town.exchange(west=Lies(town.parties["west"], layers)))
        assert found.missing["north"] == ["west"]
        assert found.missing["south"] == ["west"]
        assert "west" not in found.sheets
        assert found.evidence == []


def test_nobody_but_the_coordinator_is_answered_and_no_other_verb(town):
    with pytest.raises(Exception, match="may not ask for 'train'"):
        town.exchange().call("south", Message("train"))
    if town.machines:
        desk = town.exchange().wire.desks["south"]
        task = CallTask(party="south", method=LEDGER_METHOD).model_dump_json()
        reply = desk.answer(task, b"", "north")
        assert reply["kind"] == "refused"


def test_two_histories_shown_to_two_halves_are_named_by_both(town, caplog):
    """A coordinator and an owner that lie together: the halves lack each other's co-signatures."""
    caplog.set_level(logging.INFO)
    first = shutil.copytree(town.path("north"), town.folder / "first")
    hand_round(town.exchange("north", "east", "south"))
    assert town.shown("east")["north"].lacking == ("west",)
    town.rewrite("north", 3)
    hand_round(town.exchange("north", "west"))
    assert town.shown("west")["north"].lacking == ("east", "south")
    kit = town.folder / "kit"
    shutil.copytree(town.path("west"), kit / "sites" / "west")
    texts = [one.text for found in review_ledgers(kit) for one in found.check.findings]
    assert any("no co-signature of east, south was shown" in text for text in texts)
    other = head_sheet(first / "releases.jsonl")
    town.exchange().call("west", Message(COSIGNED, {}, packed("sheets", {"north": other})))
    assert len(town.evidence("west", "rewritten")) == 1


def test_co_signatures_under_another_key_than_is_known_are_not_kept(town):
    stranger = replace(town.parties["west"].witness, key=key_of("stranger"))
    forged = replace(town.parties["west"], witness=stranger, keys={})
    found = hand_round(town.exchange(west=forged), {name: public(name) for name in SITES})
    assert "west" in town.shown("north")["north"].lacking
    assert town.signers("north") == ["east", "south"]
    assert found.sheets["north"].faults() == []


def test_parties_of_one_site_are_no_witnesses_of_each_other(tmp_path):
    town = Town(tmp_path, machines=False)
    keys = {**{name: public(name) for name in SITES}, "south": public("north")}
    for name, party in town.parties.items():
        own = replace(party.witness, key=key_of("north") if name == "south" else key_of(name))
        of = ReleaseLedger(tmp_path / f"{name}.jsonl", name, own.key)
        of.record([release(0, party=name)])
        town.parties[name] = replace(party, ledger=of, witness=own, keys=keys)
    found = hand_round(town.exchange(), keys)
    assert found.missing == {name: [] for name in SITES}
    assert town.signers("north") == ["east", "west"]
    assert town.shown("south")["south"].lacking == ()


def test_however_cities_are_split_some_pair_on_both_sides_is_drawn():
    owner, *names = [f"city-{number}" for number in range(60)]
    of = {site: {*witnesses_for(site, owner, [owner, *names])} for site in names}
    assert {len(found) for found in of.values()} == {DRAWN}
    for start in range(30):
        half = {*names[start : start + 30]}
        assert any(of[site] - half for site in half)
        for site in names:  # who is away changes nothing for the others
            assert of[site] & half <= {*witnesses_for(site, owner, half)}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_an_edited_head_is_never_co_signed(tmp_path, data):
    folder = tmp_path / "town"
    town = Town(folder, machines=False) if not folder.exists() else None
    if town is not None:
        hand_round(town.exchange())
        town.parties["north"].ledger.record([release(3, party="north")])
        shutil.copytree(town.path("south"), tmp_path / "south")
    keys = {name: public(name) for name in SITES}
    south = HeadParty(
        ledger(tmp_path / "none", "south"),
        replace(witness(tmp_path, "south"), path=tmp_path / "south" / "cosigned.json"),
        tmp_path / "south",
        keys.keys(),
        keys,
    )
    whole = head_sheet(folder / "sites" / "north" / "releases.jsonl", [3]).to_line()
    place = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.sampled_from([0, 1, 1, 1, 30]))
    more = data.draw(st.binary(max_size=3))
    edited = whole[:place] + more + whole[place + cut :]
    asked = Message(COSIGN, {}, {"sheets": {"north": np.frombuffer(edited, np.uint8)}})
    found = south.handle(asked, COORDINATOR)
    assert ("sheets" in found.layers) == (edited.removesuffix(b"\n") == whole)
    if "sheets" in found.layers:  # co-signed: forget it
        shutil.copy(folder / "sites" / "south" / "cosigned.json", tmp_path / "south")
