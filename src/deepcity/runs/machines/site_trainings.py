"""A site's side of one training between machines: its settings follow from the site's own map.

The hub names the training; what that means is decided here. Its name must be that of its method,
for checkpoints, and sums that were opened, go by it. ``alone`` shares nothing, whatever level the
hub names, for a site's choice rests on it. A newcomer takes part in no training with others.
Episodic training has its stage's rows, rounds, learning rate and seed, and starts from the layers
that ``start`` brings. All else starts from the package that the site's own map names, if the hub
says so, and else from random weights.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from deepcity.city.errors import ExchangeError
from deepcity.city.level import ALONE, MAX_LEVEL, Layers
from deepcity.exchange.exchange import COORDINATOR, Handler
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.grant_guard import details_stay
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import FINISH, JOIN, RESTORE, START, TRAIN
from deepcity.intercity.party_choices import allows_episodes
from deepcity.intercity.received_layers import unusable
from deepcity.parties.method_errors import ALONE as ALONE_METHOD
from deepcity.parties.method_errors import fixed_level_name
from deepcity.runs.episodic_training import (
    STAGES,
    episodic_site,
    stage_method,
    stage_seed,
    stage_settings,
)
from deepcity.runs.site import Site, SiteTask
from deepcity.runs.trainings import NAME_DIGITS


@dataclass
class FinishNote:
    """A training's handler that notes whether its learner was trained, and is at its best state.

    Attributes:
        finished: methods whose learner is; shared with the choice of levels.
    """

    inner: Handler
    method: str
    finished: set[str]
    _trained: bool = False

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; raises what the training's handler raises."""
        if message.verb in {JOIN, RESTORE, TRAIN}:
            self.finished.discard(self.method)
        answer = self.inner.handle(message, caller)
        if message.verb == JOIN:
            self._trained = False
        elif message.verb == TRAIN or (message.verb == RESTORE and answer.numbers[ROUND] > 0):
            self._trained = True
        elif message.verb == FINISH and self._trained:
            self.finished.add(self.method)
        return answer


@dataclass
class StartedTraining:
    """A training that starts from layers which the coordinator sends first.

    Attributes:
        join: the handler of a training that starts from these layers; called with each ``start``.
    """

    party: str
    join: Callable[[Layers], Handler]
    _inner: Handler | None = field(default=None, repr=False)

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            ExchangeError: if the caller is not the coordinator, nothing was started, or it failed
                to start, as where layers do not fit: why is in the site's own log.
        """
        if caller != COORDINATOR:
            raise ExchangeError(
                f"{caller} may not ask for {message.verb!r}; only the coordinator leads rounds"
            )
        if message.verb == START:
            with details_stay(self.party, START, ExchangeError):
                self._inner = self.join(message.layers)
            return Message(START)
        if self._inner is None:
            raise ExchangeError(f"{message.verb!r} before {START!r}: no layers to start from yet")
        answer = self._inner.handle(message, caller)
        if message.verb == FINISH:
            self._inner = None  # its rows and network are needed no more
        return answer


def open_training(
    site: Site, task: CallTask, finished: set[str], package: Layers | None = None
) -> Handler:
    """The handler of a training that the hub names.

    Args:
        finished: methods whose learners are at their best states; the handler keeps it.
        package: layers of the package that the site's own map names.

    Raises:
        ExchangeError: if the site takes no part in such a training.
    """
    newcomer = site.name in site.settings.newcomers
    _check_name(site, task)
    if newcomer and task.method != ALONE_METHOD:
        raise ExchangeError(f"{site.name} is a newcomer: it takes part in no {task.method!r}")
    finished.discard(task.method)  # its learner begins anew
    stages = _stages()
    if task.method not in stages:
        begins = task.from_package and task.method != ALONE_METHOD
        own = replace(_task(site, task), start=(package or {}) if begins else {})
        return FinishNote(site.join(own), task.method, finished)
    if not allows_episodes(site.settings):
        raise ExchangeError(f"the grants of {site.settings.name} allow no {task.method!r}")
    number = stages[task.method]
    return StartedTraining(site.name, lambda start: _join_stage(site, task, number, start))


def own_name(task: CallTask) -> str:
    """A training as this site names it, whatever digest the hub adds.

    >>> own_name(CallTask(party="north/water", service="water", method="alone"))
    'water.alone'
    """
    return f"{task.service}.{task.method}"


def own_level(site: Site, task: CallTask) -> int:
    """Up to which level the site shares layers in a training, by its own map."""
    granted = min(task.level, site.settings.grant.level_of(site.name))
    return ALONE if task.method == ALONE_METHOD else granted


def check_summed(site: Site, task: CallTask, levels: Iterable[int]) -> None:
    """Refuse secure sums of a training that the site's own map has not: rounds of two trainings
    begin with the same layers.

    Args:
        levels: that the map trains.

    Raises:
        ExchangeError: naming those that it has.
    """
    known = [_level_method(level) for level in levels] + [*_stages()]
    if task.method not in known:
        raise ExchangeError(
            f"{site.name} gives no layers of {task.method!r} into a sum: its map trains "
            f"{', '.join(known)}. Give hub and sites the same map"
        )


def _stages() -> dict[str, int]:
    """Methods of episodic training, and the number of each."""
    return {stage_method(number): number for number in range(len(STAGES))}


def _level_method(level: int) -> str:
    return ALONE_METHOD if level == ALONE else fixed_level_name(level)


def _check_name(site: Site, task: CallTask) -> None:
    """Refuse a method that no map has, and a training that is called after another."""
    known = [_level_method(level) for level in range(MAX_LEVEL + 1)] + [*_stages()]
    if task.method not in known:
        raise ExchangeError(f"no method {task.method!r}; known: {', '.join(known)}")
    digested = task.method in _stages() or site.name in site.settings.newcomers
    digest = rf"(-[0-9a-f]{{{NAME_DIGITS}}})?" if digested else ""
    if not re.fullmatch(re.escape(own_name(task)) + digest, task.training):
        raise ExchangeError(
            f"training {task.training!r} is not called after its method: {own_name(task)!r} is"
        )


def _join_stage(site: Site, task: CallTask, number: int, start: Layers) -> Handler:
    """A stage of episodic training, on rows as the site samples them for it.

    Raises:
        ExchangeError: if the layers to start from are not finite, or far larger than networks are.
    """
    if reason := unusable(start, {}):
        raise ExchangeError(f"{site.name} starts from no such layers: {reason}")
    own = _task(site, task)
    hurried = stage_settings(site.settings, number)
    stage = replace(own, settings=hurried, seed=stage_seed(site.seed, number), start=start)
    return episodic_site(site, number).join(stage)


def _task(site: Site, task: CallTask) -> SiteTask:
    """A training as this site's own map bounds it."""
    grant = site.settings.grant
    return SiteTask(
        training=task.training,
        method=task.method,
        level=own_level(site, task),
        common_stem=task.common_stem and grant.stem_of(site.name) == "common",
        settings=site.settings,
        seed=site.seed,
        start={},
    )
