"""The coordinator: it leads the rounds, fuses layers, and keeps a checkpoint of its own.

It knows sites by name and by their messages only: their sizes come from their own
descriptions (`deepcity.exchange.profile`), the rest from the map. Its checkpoint holds fused
layers and errors by round; each site keeps its own learner. A run that was killed resumes from
the newest round that the coordinator and every site can restore.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from numpy.typing import NDArray

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.city.level import ALONE, STEM, Tensors
from deepcity.exchange.asynchronous.fusions import learn_asynchronously
from deepcity.exchange.asynchronous.pending_calls import ConcurrentCalls, PendingCalls
from deepcity.exchange.asynchronous.resuming import (
    array_group,
    newest_rounds,
    resumed,
    state_arrays,
    state_in,
    state_values,
)
from deepcity.exchange.exchange import Exchange, Failure, answers, failures, refuse_failures
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import FINISH, RESTORE, STATUS
from deepcity.exchange.profile import DESCRIBE, SiteProfile, profile_in
from deepcity.exchange.rounds import FederationPlan, Progress, learn_together
from deepcity.exchange.strategies import StrategyState
from deepcity.exchange.trust.refusals import RefusedUpdate
from deepcity.exchange.trust.row_claims import SignedClaim
from deepcity.store.checkpoint import Checkpoint, CheckpointStore

OMIT = "Fix them, or leave them out of the map"


@dataclass(frozen=True)
class Training:
    """The result of a training, as the coordinator knows it.

    Attributes:
        levels: site -> reuse level.
        ledger: every byte sent.
        seconds: duration of its rounds, those of earlier, interrupted runs included.
        earlier_seconds: the part of them in earlier runs.
        ended: when each round ended, UTC seconds by the coordinator's clock; 0: not recorded.
    """

    levels: Mapping[str, int]
    progress: Progress
    ledger: Ledger
    seconds: float = 0.0
    earlier_seconds: float = 0.0
    ended: tuple[int, ...] = ()


@dataclass(frozen=True)
class Coordinator:
    """Leads trainings among the sites of an exchange.

    Attributes:
        ledger: counts the bytes sent; saved with its checkpoints.
        checkpoints: its own; None keeps none.
        recorded: called with a training's name and how far it is, after each round and at its end.
        anew: how to start a run anew, as the end of a sentence.
        calls: answers in any order over the exchange, for asynchronous fusion; called with the
            seconds that the training took before.
    """

    exchange: Exchange
    ledger: Ledger
    checkpoints: CheckpointStore | None = None
    recorded: Callable[[str, Training], None] = lambda _name, _training: None
    anew: str = "start the run anew with --fresh"
    calls: Callable[[Exchange, float], PendingCalls] = ConcurrentCalls

    def profiles(self) -> dict[str, SiteProfile]:
        """Every site's description of itself.

        Raises:
            ExchangeError: naming every site that sent none, or one that cannot be.
        """
        found, failed = self.descriptions()
        refuse_failures(failed, "these sites could not describe themselves", OMIT)
        return found

    def descriptions(self) -> tuple[dict[str, SiteProfile], list[Failure]]:
        """The descriptions of sites that sent one that can be, and why others have none."""
        replies = self.exchange.call_group(
            {site: Message(DESCRIBE) for site in self.exchange.parties}
        )
        found, failed = {}, list(failures(replies))
        for site, reply in answers(replies).items():
            try:
                found[site] = profile_in(reply.numbers)
            except ExchangeError as error:
                failed.append(Failure(site, str(error)))
        return found, failed

    def train(
        self,
        name: str,
        plan: FederationPlan,
        after_round: Callable[[int], None] = lambda _: None,
    ) -> Training:
        """Run a training to its end, from where an earlier run of it was interrupted.

        Args:
            name: of its checkpoints, at the coordinator and at every site.
            after_round: called with the number of rounds done.

        Raises:
            CheckpointError: if a checkpoint cannot be read or written, or sites cannot restore
                any round that the coordinator kept.
            ExchangeError: if a site cannot join, and the plan does not go on without it; or if one
                refuses to go on.
        """
        progress, earlier, ended = self._resumed(name, plan)
        begun = time.perf_counter()

        def so_far(now: Progress) -> Training:
            seconds = earlier + time.perf_counter() - begun
            return Training(plan.levels, now, self.ledger, seconds, earlier, tuple(ended))

        def keep(now: Progress) -> None:
            ended.append(int(time.time()))
            training = so_far(now)
            self._keep(name, plan, training)
            self.recorded(name, training)
            after_round(now.round)

        if plan.asynchronous is None:
            progress = learn_together(self.exchange, plan, progress, keep)
        else:
            calls = self.calls(self.exchange, progress.asynchronous.clock_s if progress else 0.0)
            progress = learn_asynchronously(
                self.exchange,
                calls,
                plan,
                progress,
                keep,
                lambda now: self._keep(name, plan, so_far(now)),
            )
        finished = self.exchange.call_group({site: Message(FINISH) for site in plan.levels})
        last = (*progress.failures[-1], *failures(finished))
        progress = replace(progress, failures=(*progress.failures[:-1], last))
        found = so_far(progress)
        self.recorded(name, found)
        return found

    def _keep(self, name: str, plan: FederationPlan, training: Training) -> None:
        """Save all that the coordinator needs for the next round, and the time so far."""
        if self.checkpoints is None:
            return
        now = training.progress
        arrays: dict[str, Mapping[str, NDArray[Any]]] = {
            f"outgoing:{array_group(site)}:{layer}": tensors
            for site, layers in now.outgoing.items()
            for layer, tensors in layers.items()
        }
        arrays |= {f"state:{layer}": tensors for layer, tensors in now.state.layers.items()}
        arrays |= state_arrays(now.asynchronous)
        values = {
            "shares": _shares(plan),
            "state_numbers": dict(now.state.numbers),
            "weights": dict(now.weights),
            "errors": [dict(errors) for errors in now.errors],
            "failures": [[[f.party, f.reason] for f in failed] for failed in now.failures],
            "trained": dict(now.trained),
            "refusals": [asdict(one) for one in now.refusals],
            "claims": {site: one.model_dump() for site, one in now.claims.items()},
            "ledger": [list(row) for row in self.ledger.snapshot()],
            "seconds": training.seconds,
            "ended": list(training.ended),
            "asynchronous": state_values(now.asynchronous),
        }
        self.checkpoints.save(name, now.round, arrays, values)

    def _resumed(self, name: str, plan: FederationPlan) -> tuple[Progress | None, float, list[int]]:
        """The newest round that all can restore, the seconds until then, and when rounds ended.

        None, 0 and none to start anew; also where sites share other layers than at that time, as
        when a newcomer changes the groups.
        """
        problems: list[str] = []
        refused: Sequence[Failure] = ()
        for found in self.checkpoints.history(name) if self.checkpoints else ():
            if found.values.get("shares") != _shares(plan):
                return None, 0.0, []
            progress = _progress(found, plan)
            refused, behind, kept = self._missing(progress, plan)
            if not refused and not behind:
                self._restore(kept if plan.asynchronous else dict.fromkeys(kept, progress.round))
                self.ledger.restore(found.values["ledger"])
                ended = list(found.values.get("ended", [0] * found.round))
                return resumed(progress, kept), float(found.values["seconds"]), ended
            problems += [f"round {found.round}: {'; '.join([*map(str, refused), *behind])}"]
        if refused:
            refuse_failures(refused, "these sites could not restore their checkpoints", OMIT)
        if problems:
            raise CheckpointError(
                f"{name} cannot be resumed: {' | '.join(problems)}. Put back these sites' folders, "
                f"or {self.anew}"
            )
        return None, 0.0, []

    def _missing(
        self, progress: Progress, plan: FederationPlan
    ) -> tuple[Sequence[Failure], list[str], dict[str, int]]:
        """Which of the connected sites refuse a round, which have another one and why, and the
        round that each kept.
        """
        newest = newest_rounds(progress, plan.rounds) if plan.asynchronous else {}
        at = {site: newest.get(site, progress.round) for site in self._joined(progress)}
        replies = self.exchange.call_group(_at(STATUS, at))
        problems, found = [], {}
        for site, reply in answers(replies).items():
            kept, trained = reply.numbers.get(ROUND, -1.0), progress.trained.get(site, 0)
            if not trained <= kept <= at[site]:
                problems.append(f"{site} kept round {kept:g}, but trained in round {trained}")
            else:
                found[site] = int(kept)
        return failures(replies), problems, found

    def _restore(self, rounds: Mapping[str, int]) -> None:
        replies = self.exchange.call_group(_at(RESTORE, rounds))
        refuse_failures(failures(replies), "these sites could not restore their checkpoints", OMIT)

    def _joined(self, progress: Progress) -> list[str]:
        """Every connected site that has joined, also if it has left."""
        return sorted({*progress.weights, *progress.trained} & {*self.exchange.parties})


def _at(verb: str, rounds: Mapping[str, int]) -> dict[str, Message]:
    """A message about its round to each site."""
    return {site: Message(verb, {ROUND: float(number)}) for site, number in rounds.items()}


def _shares(plan: FederationPlan) -> dict[str, list[object]]:
    """Each site's level, and whether it shares its stem with others."""
    return {
        site: [level, level > ALONE and STEM in plan.common(site)]
        for site, level in plan.levels.items()
    }


def _progress(found: Checkpoint, plan: FederationPlan) -> Progress:
    layers: dict[str, Tensors] = {}
    outgoing: dict[str, dict[str, Tensors]] = {array_group(site): {} for site in plan.levels}
    for key, tensors in found.arrays.items():
        kind, _, rest = key.partition(":")
        if kind == "state":
            layers[rest] = tensors
        elif kind == "outgoing":
            site, _, layer = rest.rpartition(":")
            outgoing[site][layer] = tensors
    return Progress(
        round=found.round,
        state=StrategyState(layers, found.values["state_numbers"]),
        outgoing={site: outgoing[array_group(site)] for site in plan.levels},
        weights=found.values["weights"],
        errors=tuple(found.values["errors"]),
        failures=tuple(
            tuple(Failure(site, reason) for site, reason in failed)
            for failed in found.values["failures"]
        ),
        trained=found.values["trained"],
        refusals=tuple(RefusedUpdate(**one) for one in found.values.get("refusals", ())),
        asynchronous=state_in(found),
        claims={
            site: SignedClaim.model_validate(one)
            for site, one in found.values.get("claims", {}).items()
        },
    )
