"""What stands between a lying coordinator or member and a site's heads, each check by itself."""

import logging

import numpy as np
import pytest
from release_ledgers import OWNER, filled, key_of, ledger, release, witness

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.flare.identities import party_identities, publish_identities
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.exchange.trust import head_party
from deepcity.exchange.trust.head_messages import (
    COSIGN,
    COSIGNED,
    EVIDENCE,
    HEAD,
    KNOWN,
    MOST_SHEETS,
    SHEETS,
    blobs,
    packed,
    read_sheets,
)
from deepcity.exchange.trust.head_party import OWN_HEAD, HeadParty
from deepcity.exchange.trust.head_round import hand_round
from deepcity.exchange.trust.shown_heads import SHOWN_HEADS, ShownHeads
from deepcity.store.release_ledger.heads import (
    CoSignature,
    HeadSheet,
    Rewritten,
    cosignature,
    signed_head,
)
from deepcity.store.release_ledger.proof import head_sheet
from deepcity.store.release_ledger.sheets import read_sheet

SOUTH = "south/water"
MB = 1_000_000


def public(name):
    return key_of(name).public_key().public_bytes_raw().hex()


class South:
    """A site that knows north by its key, and what it answers to a coordinator."""

    def __init__(self, folder, **known):
        self.keys = {OWNER: public(OWNER), SOUTH: public(SOUTH), **known}
        (folder / "south").mkdir()
        own = ledger(folder / "south", SOUTH)
        self.party = HeadParty(
            own, witness(folder / "south"), folder / "south", tuple(self.keys), self.keys
        )

    def ask(self, verb, sheets=None, **numbers):
        layers = packed(SHEETS, sheets or {})
        return self.party.handle(Message(verb, numbers, layers), COORDINATOR)

    def signs(self, sheet, name=OWNER):
        """The sizes that it co-signs of what it is given."""
        found = read_sheets(self.ask(COSIGN, {name: sheet}), SHEETS, CoSignature)
        return [one.head.size for one in found.values()]

    def shown(self):
        path = self.party.folder / SHOWN_HEADS
        return read_sheet(path, ShownHeads).heads if path.exists() else {}


@pytest.fixture
def south(tmp_path):
    return South(tmp_path)


def test_a_message_s_sheets_are_bounded_each_together_and_in_number():
    def read(*sizes):
        sheets = {str(number): np.zeros(size, np.uint8) for number, size in enumerate(sizes)}
        return [len(blob) for _, blob in blobs(Message(COSIGN, {}, {SHEETS: sheets}), SHEETS)]

    assert read(MB, MB + 1, 8) == [MB, 8]
    assert sum(read(*[MB] * 70)) == 64 * MB
    assert len(read(*[1] * (MOST_SHEETS + 5))) == MOST_SHEETS


@pytest.mark.parametrize("verb", [KNOWN, HEAD, COSIGN, COSIGNED])
def test_no_member_is_answered_in_the_coordinator_s_place(south, verb):
    with pytest.raises(ExchangeError, match="north/water may not ask"):
        south.party.handle(Message(verb), OWNER)


def test_sizes_that_are_no_sizes_ask_for_no_proof(tmp_path):
    """A NaN, infinities, fractions, and more than the ledger has: the head comes without."""
    found = filled(tmp_path)  # of six entries
    site = HeadParty(found, witness(tmp_path), tmp_path)
    odd = [np.nan, np.inf, -np.inf, 1e308, -1.0, 0.0, 0.5, 7.0]
    numbers = {str(number): float(one) for number, one in enumerate(odd)}
    reply = site.handle(Message(HEAD, {**numbers, "x": 3.0}), COORDINATOR)
    [sheet] = read_sheets(reply, SHEETS, HeadSheet).values()
    assert (sheet.head.head.size, [one.size for one in sheet.consistency]) == (6, [3])


def test_a_head_carries_no_more_proofs_than_a_sheet_may_hold(tmp_path):
    many = ledger(tmp_path)
    many.record([release(number) for number in range(MOST_SHEETS + 20)])
    site = HeadParty(many, witness(tmp_path), tmp_path)
    asked = {str(size): float(size) for size in range(1, MOST_SHEETS + 20)}
    [sheet] = read_sheets(
        site.handle(Message(HEAD, asked), COORDINATOR), SHEETS, HeadSheet
    ).values()
    assert len(sheet.consistency) == MOST_SHEETS


def test_a_grown_history_needs_a_proof_and_the_right_one(tmp_path, south, caplog):
    north = filled(tmp_path)
    assert south.signs(head_sheet(north.path)) == [6]
    north.record([release(6), release(7)])
    whole = head_sheet(north.path, [3, 6])
    of_three, of_six = whole.consistency
    none = whole.model_copy(update={"consistency": ()})
    another = whole.model_copy(update={"consistency": (of_three,)})
    lying = whole.model_copy(
        update={"consistency": (of_six.model_copy(update={"path": of_three.path}),)}
    )
    assert [south.signs(one) for one in (none, another, lying)] == [[], [], []]
    assert caplog.text.count("without a proof that it continues the one of 6") == 2
    assert "do not begin with the 6" in caplog.text
    assert south.party.witness.known()[OWNER].head.size == 6
    assert south.signs(whole) == [8]


def test_a_revoked_site_s_head_is_co_signed_no_more_and_its_word_counts_no_more(tmp_path, caplog):
    """From the operator's `revoke` on: its key is in no kit's identities."""
    kits = {name: tmp_path / "kits" / name for name in ("north", "south", "west")}
    for kit in kits.values():
        (kit / "local").mkdir(parents=True)
    parties = [f"{name}/water" for name in kits]

    def known():
        found = party_identities(kits["south"], parties)
        return {name: key.hex() for name, key in found.items()}

    publish_identities(tmp_path, kits)
    before = known()
    assert {*before} == {*parties}
    publish_identities(tmp_path, kits, revoked=["north"])
    assert {*known()} == {SOUTH, "west/water"}

    site = South(tmp_path, **{"west/water": public("west/water")})
    north = filled(tmp_path)
    assert site.signs(head_sheet(north.path)) == [6]
    north.record([release(6)])
    del site.keys[OWNER]  # as `known` is without it
    assert site.signs(head_sheet(north.path, [6])) == []
    assert "its site has no identity here" in caplog.text
    site.party.ledger.record([release(0, party=SOUTH)])
    own = head_sheet(site.party.ledger.path)
    for name in (OWNER, "west/water"):
        own = own.with_cosignature(cosignature(own.head, name, 1, key_of(name)))
    site.ask(COSIGNED, {SOUTH: own})
    kept = read_sheet(site.party.folder / OWN_HEAD, HeadSheet)
    assert [one.by for one in kept.cosignatures] == ["west/water"]


def test_a_party_of_the_same_site_is_no_witness_under_any_name(tmp_path):
    site = South(tmp_path, **{"south/power": public(SOUTH)})
    power = ledger(tmp_path / "power", "south/power")
    power.key = key_of(SOUTH)
    power.record([release(0, party="south/power")])
    assert site.signs(head_sheet(power.path), "south/power") == []


def test_a_head_that_is_shown_again_takes_no_newer_one_s_place(tmp_path, south):
    north = filled(tmp_path)
    old = head_sheet(north.path)
    south.signs(old)
    north.record([release(6)])
    new = head_sheet(north.path, [6])
    south.signs(new)
    south.ask(COSIGNED, {OWNER: new.model_copy(update={"consistency": ()})})
    south.ask(COSIGNED, {OWNER: old})
    assert south.shown()[OWNER].sheet.head.head.size == 7


def test_what_is_shown_of_another_key_name_or_signature_is_not_kept(tmp_path, south):
    north = filled(tmp_path)
    sheet = head_sheet(north.path)
    south.ask(COSIGNED, {OWNER: sheet})
    assert south.shown() == {}  # it has co-signed none
    south.signs(sheet)
    forged = cosignature(sheet.head, SOUTH, 1, key_of(SOUTH))
    forged = forged.model_copy(update={"signature": "0" * 128})
    stolen = signed_head(sheet.head.head, key_of("thief"))
    for wrong in (sheet.with_cosignature(forged), HeadSheet(head=stolen)):
        south.ask(COSIGNED, {OWNER: wrong})
    south.ask(COSIGNED, {SOUTH: sheet})
    assert south.shown() == {}
    south.party.ledger.record([release(0, party=SOUTH)])
    own = head_sheet(south.party.ledger.path).head.head
    south.ask(COSIGNED, {SOUTH: HeadSheet(head=signed_head(own, key_of("thief")))})
    assert not (south.party.folder / OWN_HEAD).exists()
    south.ask(COSIGNED, {OWNER: sheet})
    assert [*south.shown()] == [OWNER]


def test_a_stranger_s_co_signature_is_not_kept_where_no_key_is_known(tmp_path):
    north = filled(tmp_path)
    site = HeadParty(north, witness(tmp_path), tmp_path, members=(OWNER, SOUTH))
    sheet = head_sheet(north.path)
    for name in (SOUTH, "stranger"):
        sheet = sheet.with_cosignature(cosignature(sheet.head, name, 1, key_of(name)))
    site.handle(Message(COSIGNED, {}, packed(SHEETS, {OWNER: sheet})), COORDINATOR)
    kept = read_sheet(tmp_path / OWN_HEAD, HeadSheet)
    assert [one.by for one in kept.cosignatures] == [SOUTH]


def test_a_head_without_co_signatures_takes_no_other_s_place(tmp_path):
    north = filled(tmp_path)
    site = HeadParty(north, witness(tmp_path), tmp_path)
    signed = head_sheet(north.path)
    signed = signed.with_cosignature(cosignature(signed.head, SOUTH, 1, key_of(SOUTH)))
    north.record([release(6)])
    for sheet in (signed, head_sheet(north.path)):
        site.handle(Message(COSIGNED, {}, packed(SHEETS, {OWNER: sheet})), COORDINATOR)
    assert read_sheet(tmp_path / OWN_HEAD, HeadSheet).head.head.size == 6


def test_who_signs_a_new_history_each_round_does_not_fill_the_disk(tmp_path, south, monkeypatch):
    monkeypatch.setattr(head_party, "_MOST_EVIDENCE", 2)
    south.signs(head_sheet(filled(tmp_path).path))
    for number in range(4):
        other = ledger(tmp_path / f"other-{number}")
        other.record([release(one, bytes=1000 + number) for one in range(6)])
        reply = south.ask(COSIGN, {OWNER: head_sheet(other.path)})
        assert [*reply.layers] == [EVIDENCE]
    assert len([*south.party.folder.glob("rewritten-*.json")]) == 2


class Answers:
    """A member that answers some verbs by itself, and the others as it should."""

    def __init__(self, party, **own):
        self.party, self.own = party, own

    def handle(self, message, caller):
        if message.verb in self.own:
            return Message(message.verb, {}, self.own[message.verb])
        return self.party.handle(message, caller)


@pytest.fixture
def members(tmp_path):
    """Three members, each of three entries."""
    keys = {name: public(name) for name in ("north", "south", "west")}
    found = {}
    for name in keys:
        own = ledger(tmp_path / name, name)
        own.record([release(number, party=name) for number in range(3)])
        found[name] = HeadParty(
            own, witness(tmp_path / name, name), tmp_path / name, keys.keys(), keys
        )
    return found


def signed(members, by, of):
    head = head_sheet(members[of].ledger.path).head
    return packed(SHEETS, {of: cosignature(head, by, 1, key_of(by))})


def test_a_member_brings_no_co_signature_in_another_s_name(members):
    """Genuine ones, but of a member that is silent, and of the ledger's own owner."""
    silent = Answers(members["south"], **{COSIGN: {}})
    brings = Answers(members["west"], **{COSIGN: signed(members, "south", "north")})
    found = hand_round(InProcessExchange({**members, "south": silent, "west": brings}))
    assert found.missing["north"] == ["south", "west"]
    own = Answers(members["north"], **{COSIGN: signed(members, "north", "north")})
    found = hand_round(InProcessExchange({**members, "north": own}))
    assert [one.by for one in found.sheets["north"].cosignatures] == ["south", "west"]


def test_a_co_signature_of_another_head_or_a_wrong_one_counts_for_nothing(members):
    older = signed(members, "west", "north")
    members["north"].ledger.record([release(3, party="north")])
    head = head_sheet(members["north"].ledger.path).head
    wrong = cosignature(head, "west", 1, key_of("west"))
    wrong = packed(SHEETS, {"north": wrong.model_copy(update={"signature": "0" * 128})})
    for layers in (older, wrong):
        lying = Answers(members["west"], **{COSIGN: layers})
        found = hand_round(InProcessExchange({**members, "west": lying}))
        assert found.missing["north"] == ["west"]
        assert found.sheets["north"].faults() == []


def test_a_head_counts_under_the_key_that_the_coordinator_noted_and_a_true_signature(members):
    keys = {name: public(name) for name in members}
    state = head_sheet(members["west"].ledger.path).head.head
    thief = packed(SHEETS, {"0": HeadSheet(head=signed_head(state, key_of("thief")))})
    broken = signed_head(state, key_of("west")).model_copy(update={"signature": "0" * 128})
    for layers in (thief, packed(SHEETS, {"0": HeadSheet(head=broken)})):
        lying = Answers(members["west"], **{HEAD: layers})
        found = hand_round(InProcessExchange({**members, "west": lying}), keys)
        assert {*found.sheets} == {"north", "south"}


def test_no_member_s_word_alone_is_evidence_against_another(members, caplog):
    caplog.set_level(logging.INFO)
    north = head_sheet(members["north"].ledger.path).head
    other = north.head.model_copy(update={"root": "7" * 64})
    claims = [
        Rewritten(earlier=north, later=north),
        Rewritten(earlier=north, later=north.model_copy(update={"head": other})),
        Rewritten(  # both of the accuser's making, which do prove themselves
            earlier=signed_head(north.head, key_of("west")),
            later=signed_head(other, key_of("west")),
        ),
    ]
    for claim in claims:
        accusing = Answers(members["west"], **{COSIGN: packed(EVIDENCE, {"north": claim})})
        assert hand_round(InProcessExchange({**members, "west": accusing})).evidence == []
    assert claims[-1].proves_itself()
    true = Rewritten(earlier=north, later=signed_head(other, key_of("north")))
    accusing = Answers(members["west"], **{COSIGN: packed(EVIDENCE, {"north": true})})
    assert hand_round(InProcessExchange({**members, "west": accusing})).evidence == [true]
