"""The coordinator: it leads the rounds, fuses layers, and keeps a checkpoint of its own.

It knows sites by name and by their messages, and nothing else: what it must know of their
sizes they describe themselves (`deepcity.exchange.profile`), and the rest stands in the map.
Its checkpoint holds what it may know, fused layers and errors by round; each site keeps its own
learner. A run that was killed goes on from the newest round that the coordinator and every site
can go back to.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.city.level import ALONE, STEM, Tensors
from deepcity.exchange.exchange import Exchange, Failure, answers, failures
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import FINISH, RESTORE, STATUS
from deepcity.exchange.profile import DESCRIBE, SiteProfile, profile_in
from deepcity.exchange.rounds import Plan, Progress, learn_together
from deepcity.exchange.strategies import State
from deepcity.store.checkpoint import Checkpoint, CheckpointStore


@dataclass(frozen=True)
class Training:
    """What a coordinator knows of a finished training.

    Attributes:
        levels: site -> reuse level.
        ledger: every byte that passed.
        seconds: that its rounds took, those of earlier, interrupted runs included.
        earlier_seconds: the part of them that earlier runs took.
    """

    levels: Mapping[str, int]
    progress: Progress
    ledger: Ledger
    seconds: float = 0.0
    earlier_seconds: float = 0.0


@dataclass(frozen=True)
class Coordinator:
    """Leads trainings among the sites of an exchange.

    Attributes:
        ledger: counts what passes; kept with its checkpoints.
        checkpoints: its own; None keeps none.
    """

    exchange: Exchange
    ledger: Ledger
    checkpoints: CheckpointStore | None = None

    def profiles(self) -> dict[str, SiteProfile]:
        """Every site's description of itself.

        Raises:
            ExchangeError: naming every site that gives none.
        """
        replies = self.exchange.call_group(
            {site: Message(DESCRIBE) for site in self.exchange.parties}
        )
        _require_all(replies, "could not describe themselves")
        return {site: profile_in(reply.numbers) for site, reply in answers(replies).items()}

    def train(
        self, name: str, plan: Plan, after_round: Callable[[int], None] = lambda _: None
    ) -> Training:
        """Lead a training to its end, from where an earlier run of it was interrupted.

        Args:
            name: what its checkpoints are called, at the coordinator and at every site.
            after_round: told how many rounds are done.

        Raises:
            CheckpointError: if a checkpoint cannot be read or written, or sites cannot go back
                to any round that the coordinator kept.
            ExchangeError: if a site cannot join.
        """
        progress, earlier = self._resumed(name, plan)
        begun = time.perf_counter()

        def keep(now: Progress) -> None:
            self._keep(name, plan, now, earlier + time.perf_counter() - begun)
            after_round(now.round)

        progress = learn_together(self.exchange, plan, progress, keep)
        ended = self.exchange.call_group({site: Message(FINISH) for site in plan.levels})
        last = (*progress.failures[-1], *failures(ended))
        progress = replace(progress, failures=(*progress.failures[:-1], last))
        seconds = earlier + time.perf_counter() - begun
        return Training(plan.levels, progress, self.ledger, seconds, earlier)

    def _keep(self, name: str, plan: Plan, now: Progress, seconds: float) -> None:
        """Write all that the next round needs of the coordinator, and how long it took so far."""
        if self.checkpoints is None:
            return
        arrays: dict[str, Mapping[str, NDArray[Any]]] = {
            f"outgoing:{_group(site)}:{layer}": tensors
            for site, layers in now.outgoing.items()
            for layer, tensors in layers.items()
        }
        arrays |= {f"state:{layer}": tensors for layer, tensors in now.state.layers.items()}
        values = {
            "shares": _shares(plan),
            "state_numbers": dict(now.state.numbers),
            "weights": dict(now.weights),
            "errors": [dict(errors) for errors in now.errors],
            "failures": [[[f.party, f.reason] for f in failed] for failed in now.failures],
            "trained": dict(now.trained),
            "ledger": [list(row) for row in self.ledger.snapshot()],
            "seconds": seconds,
        }
        self.checkpoints.save(name, now.round, arrays, values)

    def _resumed(self, name: str, plan: Plan) -> tuple[Progress | None, float]:
        """The newest round that all can go back to, and the seconds until then.

        None and 0 to begin at the beginning; so too where sites share other layers than they
        did then, since a newcomer came whom theirs fit.
        """
        problems: list[str] = []
        for found in self.checkpoints.history(name) if self.checkpoints else ():
            if found.values.get("shares") != _shares(plan):
                return None, 0.0
            progress = _progress(found, plan)
            missing = self._missing(progress)
            if not missing:
                self._restore(progress)
                self.ledger.restore(found.values["ledger"])
                return progress, float(found.values["seconds"])
            problems += [f"round {found.round}: {'; '.join(missing)}"]
        if problems:
            msg = (
                f"{name} cannot go on: {' | '.join(problems)}. Put back these sites' folders, or "
                f"start the run anew with --fresh"
            )
            raise CheckpointError(msg)
        return None, 0.0

    def _missing(self, progress: Progress) -> list[str]:
        """Which sites cannot go back to a round, and why."""
        replies = self.exchange.call_group(_at(STATUS, progress))
        problems = [f"{failure.party}: {failure.reason}" for failure in failures(replies)]
        for site, reply in answers(replies).items():
            stands, trained = reply.numbers.get(ROUND, -1.0), progress.trained.get(site, 0)
            if not trained <= stands <= progress.round:
                problems.append(f"{site} kept round {stands:g}, but trained in round {trained}")
        return problems

    def _restore(self, progress: Progress) -> None:
        _require_all(self.exchange.call_group(_at(RESTORE, progress)), "could not go back")


def _require_all(replies: Mapping[str, Message | Failure], what: str) -> None:
    """Refuse to go on without every site."""
    if refused := failures(replies):
        reasons = "; ".join(f"{failure.party}: {failure.reason}" for failure in refused)
        msg = f"these sites {what}: {reasons}. Mend them, or leave them out of the map"
        raise ExchangeError(msg)


def _at(verb: str, progress: Progress) -> dict[str, Message]:
    """A question about a round to every site that has joined by then, also if it has left."""
    numbers = {ROUND: float(progress.round)}
    sites = sorted({*progress.weights, *progress.trained})
    return {site: Message(verb, numbers) for site in sites}


def _shares(plan: Plan) -> dict[str, list[object]]:
    """Each site's level, and whether it shares its stem with others."""
    return {
        site: [level, level > ALONE and STEM in plan.common(site)]
        for site, level in plan.levels.items()
    }


def _progress(found: Checkpoint, plan: Plan) -> Progress:
    layers: dict[str, Tensors] = {}
    outgoing: dict[str, dict[str, Tensors]] = {_group(site): {} for site in plan.levels}
    for key, tensors in found.arrays.items():
        kind, _, rest = key.partition(":")
        if kind == "state":
            layers[rest] = tensors
        else:
            site, _, layer = rest.rpartition(":")
            outgoing[site][layer] = tensors
    return Progress(
        round=found.round,
        state=State(layers, found.values["state_numbers"]),
        outgoing={site: outgoing[_group(site)] for site in plan.levels},
        weights=found.values["weights"],
        errors=tuple(found.values["errors"]),
        failures=tuple(
            tuple(Failure(site, reason) for site, reason in failed)
            for failed in found.values["failures"]
        ),
        trained=found.values["trained"],
    )


def _group(site: str) -> str:
    """A site's name as checkpoints spell it: they keep "/" for themselves."""
    return site.replace("/", "|")
