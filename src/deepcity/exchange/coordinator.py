"""The coordinator: it leads the rounds, fuses layers, and keeps a checkpoint of its own.

It knows sites by name and by their messages only: their sizes come from their own
descriptions (`deepcity.exchange.profile`), the rest from the map. Its checkpoint holds fused
layers and errors by round; each site keeps its own learner. A run that was killed resumes from
the newest round that the coordinator and every site can restore.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.city.level import ALONE, STEM, Tensors
from deepcity.exchange.exchange import Exchange, Failure, answers, failures, refuse_failures
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import FINISH, RESTORE, STATUS
from deepcity.exchange.profile import DESCRIBE, SiteProfile, profile_in
from deepcity.exchange.rounds import FederationPlan, Progress, learn_together
from deepcity.exchange.strategies import StrategyState
from deepcity.store.checkpoint import Checkpoint, CheckpointStore

_OMIT = "Fix them, or leave them out of the map"


@dataclass(frozen=True)
class Training:
    """The result of a training, as the coordinator knows it.

    Attributes:
        levels: site -> reuse level.
        ledger: every byte sent.
        seconds: duration of its rounds, those of earlier, interrupted runs included.
        earlier_seconds: the part of them in earlier runs.
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
        ledger: counts the bytes sent; saved with its checkpoints.
        checkpoints: its own; None keeps none.
    """

    exchange: Exchange
    ledger: Ledger
    checkpoints: CheckpointStore | None = None

    def profiles(self) -> dict[str, SiteProfile]:
        """Every site's description of itself.

        Raises:
            ExchangeError: naming every site that sent none, or one that cannot be.
        """
        replies = self.exchange.call_group(
            {site: Message(DESCRIBE) for site in self.exchange.parties}
        )
        found, failed = {}, list(failures(replies))
        for site, reply in answers(replies).items():
            try:
                found[site] = profile_in(reply.numbers)
            except ExchangeError as error:
                failed.append(Failure(site, str(error)))
        refuse_failures(failed, "these sites could not describe themselves", _OMIT)
        return found

    def train(
        self, name: str, plan: FederationPlan, after_round: Callable[[int], None] = lambda _: None
    ) -> Training:
        """Run a training to its end, from where an earlier run of it was interrupted.

        Args:
            name: of its checkpoints, at the coordinator and at every site.
            after_round: called with the number of rounds done.

        Raises:
            CheckpointError: if a checkpoint cannot be read or written, or sites cannot restore
                any round that the coordinator kept.
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

    def _keep(self, name: str, plan: FederationPlan, now: Progress, seconds: float) -> None:
        """Save all that the coordinator needs for the next round, and the seconds so far."""
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

    def _resumed(self, name: str, plan: FederationPlan) -> tuple[Progress | None, float]:
        """The newest round that all can restore, and the seconds until then.

        None and 0 to start anew; also where sites share other layers than at that time, as
        when a newcomer changes the groups.
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
            raise CheckpointError(
                f"{name} cannot be resumed: {' | '.join(problems)}. Put back these sites' folders, "
                f"or start the run anew with --fresh"
            )
        return None, 0.0

    def _missing(self, progress: Progress) -> list[str]:
        """Which sites cannot restore a round, and why."""
        replies = self.exchange.call_group(_at(STATUS, progress))
        problems = [str(failure) for failure in failures(replies)]
        for site, reply in answers(replies).items():
            kept, trained = reply.numbers.get(ROUND, -1.0), progress.trained.get(site, 0)
            if not trained <= kept <= progress.round:
                problems.append(f"{site} kept round {kept:g}, but trained in round {trained}")
        return problems

    def _restore(self, progress: Progress) -> None:
        replies = self.exchange.call_group(_at(RESTORE, progress))
        refuse_failures(failures(replies), "these sites could not restore their checkpoints", _OMIT)


def _at(verb: str, progress: Progress) -> dict[str, Message]:
    """A message about a round to every site that has joined by then, also if it has left."""
    numbers = {ROUND: float(progress.round)}
    sites = sorted({*progress.weights, *progress.trained})
    return {site: Message(verb, numbers) for site in sites}


def _shares(plan: FederationPlan) -> dict[str, list[object]]:
    """Each site's level, and whether it shares its stem with others."""
    return {
        site: [level, level > ALONE and STEM in plan.common(site)]
        for site, level in plan.levels.items()
    }


def _progress(found: Checkpoint, plan: FederationPlan) -> Progress:
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
        state=StrategyState(layers, found.values["state_numbers"]),
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
    """A site's name in a checkpoint, where "/" separates groups."""
    return site.replace("/", "|")
