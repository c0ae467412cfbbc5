"""Vertical training of a small city in a second: what each party was asked, and what came of it."""

from dataclasses import dataclass, field

from vertical_town import QUICK, agencies, application, exchange_of, parties, plan, town

from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.vertical.training import forward_all, handshake, train_vertical

TOWN = town()
BRIEF = QUICK.model_copy(update={"rounds": 3, "local_steps": 2, "batch_size": 24})
NAMES = ("mill", "office")


@dataclass
class Counting:
    """A handler that counts what it is asked, and fails or lies when told to."""

    inner: object
    asked: list[str] = field(default_factory=list)
    fails: object = lambda count, verb: False
    lies: object = None

    def handle(self, message: Message, caller: str) -> Message:
        self.asked.append(message.verb)
        if self.fails(len(self.asked), message.verb):
            raise ConnectionResetError("the line went dead")
        answer = self.inner.handle(message, caller)
        if self.lies is not None and message.verb == "forward":
            return Message("forward", answer.numbers, self.lies(answer.layers))
        return answer


@dataclass
class Held:
    """A meeting that took place."""

    exchange: InProcessExchange
    parties_asked: dict
    learner: object
    history: object
    handlers: dict
    encoders: dict
    asked: dict

    def error(self, without=()):
        """On the validation span, by what agencies say now."""
        times = TOWN.time_T[TOWN.validation_rows]
        deep, failed = forward_all(self.exchange, self.parties_asked, times)
        assert not failed
        deep = {name: activations for name, activations in deep.items() if name not in without}
        return self.learner.labels.error(self.learner.predict(self.learner.validation, deep))


def train_once(mode, names=("office",), *, settings=QUICK, taught=0, seed=0, how=None, **app):
    encoders = agencies(TOWN, names, taught=taught, seed=seed)
    handlers = {
        name: Counting(party, **(how or {}).get(name, {}))
        for name, party in parties(encoders).items()
    }
    exchange = exchange_of(handlers)
    parties_asked = handshake(exchange, names)
    learner = application(TOWN, names, settings=settings, seed=seed, **app)
    history = train_vertical(
        exchange, parties_asked, learner, plan(TOWN, mode, settings=settings, seed=seed)
    )
    asked = {name: tuple(handler.asked) for name, handler in handlers.items()}
    return Held(exchange, parties_asked, learner, history, handlers, encoders, asked)


def brief(mode="block-wise", names=NAMES, **how):
    return train_once(mode, names, settings=BRIEF, **how)
