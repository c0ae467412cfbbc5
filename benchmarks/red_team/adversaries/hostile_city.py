"""A hostile city: a member that lies about its layers, its rows and who it is."""

from dataclasses import dataclass, replace

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.hostile_members.attacks import ATTACKS, hostile
from benchmarks.red_team.hostile_site import MANY_ROWS, NAN, NO_CLAIM
from benchmarks.red_team.play import Ending, Stage, all_of, measured, named, play, stopped_by
from benchmarks.red_team.stages.machines import Machines
from benchmarks.red_team.stages.simulated import LIAR, Simulated, impostor
from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Handler
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import JOIN, TRAIN
from deepcity.exchange.trust.row_claims import ClaimingParty

WHO = "hostile city"
SPOIL, WEIGH, POSE = "to spoil others' forecasts", "to weigh more than it may", "to pose as another"
_WORST = 1.05
"""Share of the error alone that no honest party may end over (threat model)."""


@play(WHO, Stage.SIMULATED, SPOIL)
def sends_what_is_no_number(stage: Simulated) -> Ending:
    """sends NaN, and infinities, as its layers in every round"""
    return all_of(
        named(f"{LIAR}: .*values that are not finite", stage.left_out(stage.lying(attack)))
        for attack in ("NaN", "infinity")
    )


@play(WHO, Stage.SIMULATED, SPOIL)
def sends_layers_times_a_hundred(stage: Simulated) -> Ending:
    """sends its layers times 100, and times 1000, in every round"""
    return all_of(
        named(f"{LIAR}: .*(times|far|usual)", stage.left_out(stage.lying(attack)))
        for attack in ("x100", "x1000")
    )


@play(WHO, Stage.SIMULATED, SPOIL, slow=True)
def trains_on_mirrored_values(stage: Simulated) -> Ending:
    """trains on values mirrored at its typical day: finite, and within the usual distance"""
    share = stage.worst_share("label flip")
    return measured(share, _WORST, "worst honest party's error, share of alone")


@play(WHO, Stage.SIMULATED, SPOIL, slow=True)
def sends_its_first_update_again_and_again(stage: Simulated) -> Ending:
    """replays the update of the first round in all later ones"""
    share = stage.worst_share("stale replay")
    return measured(share, _WORST, "worst honest party's error, share of alone")


@play(WHO, Stage.SIMULATED, WEIGH)
def claims_a_trillion_rows(stage: Simulated) -> Ending:
    """claims, and signs, that it has 1e12 rows"""
    *honest, liar = stage.sites()
    claimed, weights = stage.weights([*honest, hostile(liar, replace(ATTACKS["none"], rows=1e12))])
    assert claimed[LIAR] > 1e11, "the claim did not reach the coordinator"
    return measured(
        weights[LIAR] / max(weight for name, weight in weights.items() if name != LIAR),
        3.0,
        "its weight in averages, in that of the heaviest honest member:",
    )


@dataclass
class _JoinsAgain:
    """Answers every later call to join with its first answer."""

    inner: Handler
    first: Message | None = None

    def handle(self, message: Message, caller: str) -> Message:
        answer = self.inner.handle(message, caller)
        if message.verb == JOIN:
            self.first = self.first or answer
            return self.first
        return answer


@play(WHO, Stage.SIMULATED, WEIGH)
def replays_a_signed_claim(stage: Simulated) -> Ending:
    """joins a later training with the claim of rows that it signed in the first"""
    *honest, liar = stage.sites()
    kept: list[_JoinsAgain] = []

    def joining(handler: Handler) -> Handler:
        first = kept[0].first if kept else None
        kept.append(_JoinsAgain(handler, first))
        return kept[-1]

    sites = [*honest, impostor(liar, joining)]
    stage.train(sites)
    return stopped_by(ExchangeError, "an old claim, or another's", lambda: stage.train(sites))


@play(WHO, Stage.SIMULATED, POSE)
def signs_a_claim_as_another_member(stage: Simulated) -> Ending:
    """joins with a claim of rows in the name of another member, signed with a key of its own"""
    *honest, liar = stage.sites()

    def joining(handler: Handler) -> Handler:
        assert isinstance(handler, ClaimingParty)
        claim = handler.claim.model_copy(update={"party": "east/north"})
        return replace(handler, claim=claim, key=Ed25519PrivateKey.generate())

    sites = [*honest, impostor(liar, joining)]
    return stopped_by(ExchangeError, "for party 'east/north'", lambda: stage.train(sites))


@play(WHO, Stage.MACHINES, "another member's layers")
def asks_another_site_itself(stage: Machines) -> Ending:
    """asks the other sites' parties for every verb of the rounds, as one site to another"""
    verbs = ("describe", "join", "train", "collect", "evaluate", "restore", "choose", "start")
    return all_of(
        stage.refused_to_site(
            rf"south \(\w+\) may not ask for '{verb}'",
            "north/water",
            Message(verb, {ROUND: 0.0}),
        )
        for verb in verbs
    )


@play(WHO, Stage.MACHINES, POSE)
def speaks_for_another_member(stage: Machines) -> Ending:
    """asks an agency of another city in the name of that city's application"""
    return stage.refused_to_site(
        "site 'south' may not speak for 'north/water'",
        "north/weather",
        Message("forward", {}, {"times": {"times": np.arange(3)}}),
        method="agency",
        caller="north/water",
        training="vertical.vertical",
        service="vertical",
    )


@play(WHO, Stage.MACHINES, POSE)
def poses_as_the_coordinator(stage: Machines) -> Ending:
    """asks another site to train, in the name of the coordinator"""
    return all_of(
        stage.refused_to_site(
            "may not (speak|ask) for", "north/water", Message(TRAIN, {ROUND: 0.0}), caller=name
        )
        for name in ("coordinator", "server")
    )


@play(WHO, Stage.MACHINES, SPOIL)
def lies_in_rounds_between_machines(stage: Machines) -> Ending:
    """sends NaN from its own process in the rounds of a real federation"""
    failures = stage.rounds(NAN).failures
    text = "; ".join(str(one) for failed in failures for one in failed)
    return named("south/water: .*values that are not finite", text)


@play(WHO, Stage.MACHINES, WEIGH)
def claims_rows_under_another_number(stage: Machines) -> Ending:
    """tells the coordinator 1e12 rows, beside the signed claim of those that it has"""
    return stopped_by(ExchangeError, "is signed for rows", lambda: stage.rounds(MANY_ROWS))


@play(WHO, Stage.MACHINES, WEIGH)
def joins_without_a_claim(stage: Machines) -> Ending:
    """joins the rounds of a real federation without a signed claim of its rows"""
    return stopped_by(ExchangeError, "without a signed claim", lambda: stage.rounds(NO_CLAIM))
