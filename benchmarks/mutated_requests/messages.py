"""Messages between machines, mutated: a site's desk with its table of who may ask for what."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.damaged_files import damaged
from benchmarks.mutated_files.mutations import of_arrays, of_json
from benchmarks.mutated_requests.endings import OTHER, REFUSED, TAKEN, UNNAMED, Kind
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.flare.access import CallAccess
from deepcity.exchange.flare.desk import Desk, PartyDesk
from deepcity.exchange.flare.link import ANSWER
from deepcity.exchange.flare.link import REFUSED as REFUSED_REPLY
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.message import ROUND, Message, to_bytes
from deepcity.store.blob import BlobError, pack, unpack

_PARTY, _LEVEL, _ROUNDS = "north/water", 2, 5
_TASK = CallTask(party=_PARTY, service="water", training="water.level-2", level=_LEVEL)
_VERBS = ("train", "validate", "evaluate", "status", "restore", "join", "describe", "choose")
_STRANGERS = (
    "south", "mallory", "", "server", "COORDINATOR", "coordinator ", "coordinator\x00", "north",
    "ｃoordinator",
)  # fmt: skip


@dataclass
class _Reached:
    """A party that keeps what reached it, and answers."""

    messages: list[Message] = field(default_factory=list)

    def handle(self, message: Message, _caller: str) -> Message:
        self.messages.append(message)
        return Message(message.verb)


def message_kinds() -> list[Kind]:
    """One of each kind."""
    return [
        Kind("message, damaged", _damaged),
        Kind("message, mutated", _mutated),
        Kind("message, of a stranger", _of_stranger),
        Kind("message, its envelope", _envelope),
    ]


def _whole(draw: random.Random) -> Message:
    layers = {name: {"w": np.ones((2, 3), np.float32)} for name in ("h1", "h2")}
    verb = draw.choice(_VERBS)
    taken = layers if verb in ("train", "validate", "evaluate", "choose") else {}
    return Message(verb, {ROUND: float(draw.randrange(_ROUNDS))}, taken)


def _damaged(draw: random.Random) -> str:
    return _asked(_TASK.model_dump_json(), damaged(to_bytes(_whole(draw)), draw)[1], COORDINATOR)


def _mutated(draw: random.Random) -> str:
    arrays, header = unpack(to_bytes(_whole(draw)))
    for key in [one for one in header if one not in ("verb", "numbers")]:
        header.pop(key)
    if draw.random() < 0.5 or not any(arrays.values()):
        header = of_json(header, draw)
    else:
        arrays = of_arrays(arrays, draw)
    if draw.random() < 0.2:  # a private layer beside the common ones
        foreign = draw.choice(("stem", "head", "h3", "h5", "header", "../h1", "masks"))
        arrays = {**arrays, foreign: {"w": np.ones(2, np.float32)}}
    try:
        blob = pack(arrays, header)
    except BlobError:  # no such message can be written
        return REFUSED
    return _asked(_TASK.model_dump_json(), blob, COORDINATOR)


def _of_stranger(draw: random.Random) -> str:
    task = _TASK.model_copy(update={"caller": draw.choice(("", _PARTY, "south/water", "x" * 500))})
    return _asked(task.model_dump_json(), to_bytes(_whole(draw)), draw.choice(_STRANGERS))


def _envelope(draw: random.Random) -> str:
    task: Any = json.loads(_TASK.model_dump_json())
    text = json.dumps(of_json(task, draw))
    if draw.random() < 0.3:
        text = damaged(_TASK.model_dump_json().encode(), draw)[1].decode("latin-1")
    return _asked(text, to_bytes(_whole(draw)), COORDINATOR)


def _asked(task: str, blob: bytes, caller: str) -> str:
    """How a site's desk ends with a call."""
    party = _Reached()
    access = CallAccess(
        peers=frozenset({"south"}), services={"water": _LEVEL}, rounds={"water": _ROUNDS}
    )
    desk = Desk({_PARTY: PartyDesk(access, lambda _task: party)}, ("north", "south"))
    try:
        reply = desk.answer(task, blob, caller)
    except Exception as error:
        return f"{UNNAMED}: {type(error).__name__}: {str(error)[:100]}"
    if reply["kind"] == REFUSED_REPLY:
        return REFUSED if reply["text"] and not party.messages else f"{TAKEN}: {reply['text']}"
    if reply["kind"] != ANSWER:
        return f"{UNNAMED}: {reply['kind']}: {reply['text'][:200]}"
    [reached] = party.messages
    return OTHER if caller == COORDINATOR and _is_allowed(reached) else f"{TAKEN}: {reached}"


def _is_allowed(message: Message) -> bool:
    """By what the map of these parties grants, written apart from the table that is tried."""
    number = message.numbers.get(ROUND, -1.0)
    rounds = message.verb in ("train", "validate", "evaluate", "status", "restore")
    held = message.verb in ("train", "validate", "evaluate", "choose", "start")
    within = not rounds or (0 <= number <= _ROUNDS and number == int(number))
    known = message.verb in (*_VERBS, "collect", "finish", "start", "advance")
    return known and within and set(message.layers) <= ({"h1", "h2"} if held else set())
