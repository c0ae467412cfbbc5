"""A party signs how many rows it claims; whoever leads believes no other claim, and keeps these."""

from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from test_refused_parties import Steady

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.exchange.asynchronous.buffered_fusion import BufferedFusion
from deepcity.exchange.asynchronous.fusions import learn_asynchronously
from deepcity.exchange.asynchronous.pending_calls import SimulatedCalls
from deepcity.exchange.coordinator import Coordinator
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message
from deepcity.exchange.party import JOIN, JSON, ROWS
from deepcity.exchange.rounds import FederationPlan, learn_together
from deepcity.exchange.strategies import FedAvg
from deepcity.exchange.trust.row_claims import (
    CHALLENGE,
    CLAIM,
    ClaimingParty,
    ClaimTerms,
    RowClaim,
    SignedClaim,
    signed,
)
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.signatures.ed25519 import signing_key

KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    for number, name in enumerate("abc", 1)
}
TERMS = ClaimTerms("fed", "water.level_1")


def claim(party="a", **how):
    wanted = {"federation": "fed", "training": "water.level_1", "party": party, "level": 1}
    wanted |= {"rows": 10.0, "places": 3, "step_s": 3600, "challenge": 7, **how}
    return RowClaim(**wanted)


def joining(own=None, key=None, **numbers):
    """An answer to `join` that holds a claim."""
    found = signed(own or claim(), key or KEYS["a"])
    blob = np.frombuffer(found.model_dump_json().encode(), np.uint8)
    return Message(JOIN, {ROWS: 10.0, **numbers}, {CLAIM: {JSON: blob}})


def test_a_claim_is_kept_with_its_signature():
    found = TERMS.check("a", joining(), 7)
    assert found.claim == claim()
    assert found.key == KEYS["a"].public_key().public_bytes_raw().hex()
    assert found.is_genuine()
    assert found.received_s > 1_700_000_000
    assert SignedClaim.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    "changed",
    [{"rows": 11.0}, {"training": "water.level_2"}, {"party": "b"}, {"level": 2}, {"places": 4}],
)
def test_no_part_of_a_claim_can_be_changed_afterwards(changed):
    found = TERMS.check("a", joining(), 7)
    assert not found.model_copy(update={"claim": claim(**changed)}).is_genuine()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Message(JOIN, {ROWS: 10.0}), "without a signed claim"),
        (joining(claim(training="water.alone")), "for training 'water.alone', and asked for was"),
        (joining(claim(federation="another")), "for federation 'another'"),
        (joining(claim(party="b"), KEYS["b"]), "for party 'b'"),
        (joining(claim(challenge=6)), "an old claim, or another's"),
        (joining(rows=1e12), r"for rows 10\.0, and asked for was 1000000000000"),
        (Message(JOIN, {ROWS: 10.0}, {CLAIM: {JSON: np.zeros(9, np.uint8)}}), "cannot be read"),
        (Message(JOIN, {ROWS: 10.0}, {CLAIM: {JSON: np.zeros(9999, np.uint8)}}), "9,999 bytes"),
    ],
)
def test_other_claims_are_refused_with_the_reason(answer, reason):
    with pytest.raises(ExchangeError, match=reason):
        TERMS.check("a", answer, 7)


def test_a_claim_under_another_signature_or_key_is_refused():
    forged = signed(claim(), KEYS["b"]).model_copy(
        update={"key": KEYS["a"].public_key().public_bytes_raw().hex()}
    )
    blob = np.frombuffer(forged.model_dump_json().encode(), np.uint8)
    with pytest.raises(ExchangeError, match="signature of its rows is not that of the key"):
        TERMS.check("a", Message(JOIN, {ROWS: 10.0}, {CLAIM: {JSON: blob}}), 7)
    known = replace(TERMS, keys={"a": KEYS["a"].public_key().public_bytes_raw().hex()})
    assert known.check("a", joining(), 7)
    with pytest.raises(ExchangeError, match=r"is known as its own\. Put the site's key file back"):
        known.check("a", joining(key=KEYS["b"]), 7)


def sites(**spoilt):
    found = {name: ClaimingParty(Steady(1.0), claim(name), KEYS[name]) for name in "abc"}
    return {**found, **spoilt}


def plan(rounds=2, **how):
    reference = {"h1": {"weight": np.zeros((2, 3), np.float32)}}
    return FederationPlan(dict.fromkeys("abc", 1), reference, FedAvg(), rounds, claims=TERMS, **how)


def test_rounds_keep_what_each_signed_and_go_on_without_who_did_not():
    progress = learn_together(InProcessExchange(sites()), plan())
    assert {party: one.claim.rows for party, one in progress.claims.items()} == dict.fromkeys(
        "abc", 10.0
    )
    assert len({one.claim.challenge for one in progress.claims.values()}) == 1
    unsigned = InProcessExchange(sites(c=Steady(4.0)))
    with pytest.raises(ExchangeError, match="c: it joined without a signed claim of its rows"):
        learn_together(unsigned, plan())
    progress = learn_together(unsigned, plan(least_joined=2))
    assert sorted(progress.claims) == sorted(progress.weights) == ["a", "b"]
    assert float(progress.state.layers["h1"]["weight"][0, 0]) == 1.0


def test_updates_that_are_fused_as_they_come_are_claimed_for_too():
    exchange = InProcessExchange(sites())
    asked = plan(asynchronous=BufferedFusion(2))
    progress = learn_asynchronously(exchange, SimulatedCalls(exchange), asked)
    assert sorted(progress.claims) == ["a", "b", "c"]


def test_an_answer_cannot_be_given_again_in_a_later_run_of_the_same_training():
    class Again:
        """Sends the claim of its first run."""

        def __init__(self):
            self.inner, self.first = sites()["c"], None

        def handle(self, message, caller):
            answer = self.inner.handle(message, caller)
            if message.verb != JOIN:
                return answer
            self.first = self.first or answer
            return self.first

    exchange = InProcessExchange(sites(c=Again()))
    learn_together(exchange, plan())
    with pytest.raises(ExchangeError, match="c: its claim of rows is signed for challenge"):
        learn_together(exchange, plan())


def test_a_killed_run_remembers_claims(tmp_path):
    def train(until):
        def after(done):
            if done == until:
                raise InterruptedError

        ledger = Ledger()
        exchange = InProcessExchange(sites(), ledger=ledger)
        leader = Coordinator(exchange, ledger, CheckpointStore(tmp_path))
        return leader.train("sum", plan(4), after).progress.claims

    with pytest.raises(InterruptedError):
        train(2)
    assert {one.claim.party for one in train(None).values()} == {*"abc"}


def test_a_site_signs_only_when_it_is_asked_to():
    party = sites()["a"]
    assert party.handle(Message(JOIN), COORDINATOR).layers == {}
    assert CLAIM in party.handle(Message(JOIN, {CHALLENGE: 3.0}), COORDINATOR).layers


def test_a_key_is_made_once_and_nobody_else_reads_it(tmp_path):
    path = tmp_path / "site" / "claims.pem"
    first = signing_key(path)
    assert path.stat().st_mode & 0o077 == 0
    assert signing_key(path).private_bytes_raw() == first.private_bytes_raw()
    path.write_text("-----BEGIN")
    with pytest.raises(CheckpointError, match=r"claims\.pem cannot be read"):
        signing_key(path)
