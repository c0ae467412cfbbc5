"""Who may ask a site for what: checked by the site itself, and denied unless a rule allows it.

In the engine every participant of a job may call every published method, so nothing is left to
it but the caller's name, which it takes from the caller's certificate.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from deepcity.city.errors import ExchangeError
from deepcity.city.level import layers_up_to
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import (
    CHOOSE,
    COLLECT,
    EVALUATE,
    FINISH,
    JOIN,
    RESTORE,
    START,
    STATUS,
    TRAIN,
    VALIDATE,
)
from deepcity.exchange.profile import DESCRIBE
from deepcity.exchange.secure.summing_party import MASKS, SUM_KEYS, SUM_SHARES, SUM_UNMASK
from deepcity.exchange.trust.head_messages import COSIGN, COSIGNED, HEAD, KNOWN, SHEETS
from deepcity.exchange.vertical.names import (
    ADVANCE,
    BACKWARD,
    CLOSE,
    FORWARD,
    GRADIENTS,
    HANDSHAKE,
    OPEN,
    PACKAGE,
    TIMES,
)


class CallerRole(StrEnum):
    """What a caller is to a site."""

    COORDINATOR = "coordinator"
    APPLICATION = "application"
    PEER = "peer"
    STRANGER = "stranger"


@dataclass(frozen=True)
class Rule:
    """What one verb allows.

    Attributes:
        roles: who may ask.
        layers: whether the message may hold layers, those of the granted level.
        arrays: what it may hold beside layers.
        masks: whether it may hold parts of a secure sum.
        secure: whether it is for services with secure sums alone.
        plain: whether it is for services without secure sums alone.
        round: whether it must name its round.
        in_training: whether it belongs to a training.
    """

    roles: frozenset[CallerRole]
    layers: bool = False
    arrays: tuple[str, ...] = ()
    masks: bool = False
    secure: bool = False
    plain: bool = False
    round: bool = False
    in_training: bool = True


_LED = frozenset({CallerRole.COORDINATOR})
TRAINING_RULES: Mapping[str, Rule] = {
    DESCRIBE: Rule(_LED, in_training=False),
    JOIN: Rule(_LED),
    TRAIN: Rule(_LED, layers=True, masks=True, round=True),
    COLLECT: Rule(_LED, plain=True, round=True),
    VALIDATE: Rule(_LED, layers=True, plain=True, round=True),
    EVALUATE: Rule(_LED, layers=True, round=True),
    STATUS: Rule(_LED, round=True),
    RESTORE: Rule(_LED, round=True),
    FINISH: Rule(_LED),
    START: Rule(_LED, layers=True),
    CHOOSE: Rule(_LED, layers=True),
    SUM_KEYS: Rule(_LED, masks=True, secure=True, round=True),
    SUM_SHARES: Rule(_LED, masks=True, secure=True, round=True),
    SUM_UNMASK: Rule(_LED, masks=True, secure=True, round=True),
    ADVANCE: Rule(_LED),
}
"""Every verb of the rounds and around them; no site may ask another one for any of them."""
_MET = frozenset({CallerRole.APPLICATION})
AGENCY_RULES: Mapping[str, Rule] = {
    OPEN: Rule(_MET),
    HANDSHAKE: Rule(_MET),
    FORWARD: Rule(_MET, arrays=(TIMES,)),
    BACKWARD: Rule(_MET, arrays=(GRADIENTS,), round=True),
    RESTORE: Rule(_MET, round=True),
    PACKAGE: Rule(_MET),
    CLOSE: Rule(_MET),
}
"""Every verb by which an application asks an agency of its city; the coordinator asks for none."""
PRETRAINING_RULES: Mapping[str, Rule] = {
    verb: TRAINING_RULES[verb] for verb in (JOIN, TRAIN, EVALUATE, FINISH)
}
"""Every verb of rounds between equal agencies of several cities; the coordinator leads them."""

HEAD_RULES: Mapping[str, Rule] = {
    KNOWN: Rule(_LED, in_training=False),
    HEAD: Rule(_LED, in_training=False),
    COSIGN: Rule(_LED, arrays=(SHEETS,), in_training=False),
    COSIGNED: Rule(_LED, arrays=(SHEETS,), in_training=False),
}
"""Every verb by which heads of release ledgers are handed round; they belong to no training."""


@dataclass
class CallAccess:
    """A site's decisions for one party.

    Attributes:
        rules: by verb; a verb without one is refused.
        peers: sites of the same job.
        services: service -> level up to which its layers may be exchanged.
        stems: services whose stem may be exchanged.
        secure: services whose layers leave in secure sums only.
        rounds: service -> rounds of a training.
        applications: service -> parties to which activations of this agency may go.
        trained: training -> newest round that was trained; an older one is a replay.
    """

    rules: Mapping[str, Rule] = field(default_factory=lambda: TRAINING_RULES)
    peers: frozenset[str] = frozenset()
    services: Mapping[str, int] = field(default_factory=dict)
    stems: frozenset[str] = frozenset()
    secure: frozenset[str] = frozenset()
    rounds: Mapping[str, int] = field(default_factory=dict)
    applications: Mapping[str, frozenset[str]] = field(default_factory=dict)
    trained: dict[str, int] = field(default_factory=dict)

    def role(self, task: CallTask, caller: str) -> CallerRole:
        """The role of a caller, by the name that the transport found.

        That a site may speak for the party which its envelope names, its desk has checked.
        """
        if caller == COORDINATOR:
            return CallerRole.COORDINATOR
        if task.caller and task.caller in self.applications.get(task.service, ()):
            return CallerRole.APPLICATION
        return CallerRole.PEER if caller in self.peers else CallerRole.STRANGER

    def check(self, task: CallTask, message: Message, caller: str) -> None:
        """Refuse a call that no rule allows.

        Raises:
            ExchangeError: what is not allowed, with the value.
        """
        role = self.role(task, caller)
        rule = self.rules.get(message.verb)
        if rule is None or role not in rule.roles:
            raise ExchangeError(f"{caller} ({role}) may not ask for {message.verb!r}")
        if rule.in_training:
            self._check_training(task)
        if rule.secure and task.service not in self.secure:
            raise ExchangeError(f"{message.verb!r}, but {task.service!r} has no secure sums here")
        if rule.plain and task.service in self.secure:
            raise ExchangeError(f"{message.verb!r}, but {task.service!r} has secure sums here")
        granted = self._granted(rule, task)
        if foreign := [name for name in message.layers if name not in granted]:
            raise ExchangeError(
                f"{', '.join(foreign)} may not come with {message.verb!r}: granted are "
                f"{', '.join(granted) or 'no layers'}"
            )
        if rule.round:
            self._check_round(task, message)

    def done(self, task: CallTask, message: Message) -> None:
        """An allowed call was answered; rounds up to it are not trained again but after RESTORE."""
        if message.verb == TRAIN:
            self.trained[task.training] = int(message.numbers[ROUND])
        elif message.verb == RESTORE:
            self.trained[task.training] = int(message.numbers[ROUND]) - 1
        elif message.verb == JOIN:
            self.trained.pop(task.training, None)

    def _granted(self, rule: Rule, task: CallTask) -> tuple[str, ...]:
        """Names of the layers and other arrays that may come."""
        common = layers_up_to(
            min(task.level, self.services.get(task.service, 0)),
            common_stem=task.common_stem and task.service in self.stems,
        )
        masks = (MASKS,) if rule.masks and task.service in self.secure else ()
        return (*(common if rule.layers else ()), *masks, *rule.arrays)

    def _check_training(self, task: CallTask) -> None:
        if task.service not in self.services:
            known = ", ".join(self.services) or "none"
            raise ExchangeError(f"no service {task.service!r} here; known: {known}")
        if not task.training.startswith(f"{task.service}."):
            raise ExchangeError(f"training {task.training!r} is not one of {task.service!r}")

    def _check_round(self, task: CallTask, message: Message) -> None:
        number = message.numbers.get(ROUND, math.nan)
        last = self.rounds.get(task.service, 0)
        if not (math.isfinite(number) and number == int(number) and 0 <= number <= last):
            raise ExchangeError(f"{message.verb!r} of round {number}; rounds here are 0 to {last}")
        newest = self.trained.get(task.training, -1)
        if message.verb == TRAIN and number <= newest:
            raise ExchangeError(f"round {number:g} was trained already; the newest is {newest}")
