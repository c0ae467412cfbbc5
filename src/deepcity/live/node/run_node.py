"""Let a node go on: a step whenever one is due, until it is stopped."""

import logging
import threading
import time
from collections.abc import Callable

from deepcity.city.errors import DeepCityError
from deepcity.live.node.node import Node
from deepcity.store.events.event import EventDraft, EventKind

_log = logging.getLogger(__name__)
_RETRY_S = 2.0


def start_node(
    node: Node, pause_s: float, report: Callable[[str], None]
) -> tuple[threading.Thread, threading.Event]:
    """Let a node go on in a thread of its own; returns it, and what stops it.

    A database that is away is waited for, and no fault ends the thread.

    Args:
        pause_s: seconds between two looks at the clock; while events come, there is none.
        report: called with trouble, once for each.
    """
    stop = threading.Event()
    thread = threading.Thread(
        target=_go_on, args=(node, stop, pause_s, report), name="node", daemon=True
    )
    thread.start()
    return thread, stop


def _go_on(
    node: Node, stop: threading.Event, pause_s: float, report: Callable[[str], None]
) -> None:
    last_trouble, begun = "", False
    known = _troubles(node)
    while not stop.is_set():
        try:
            begun = begun or _note(node, "started")
            changed = node.tick()
            last_trouble, before, known = "", known, _troubles(node)
            for agency, text in known.items():
                if text != before.get(agency, ""):
                    report(f"{agency}: {text or 'its records can be read again'}")
        except Exception as error:  # whatever it is, the city goes on
            text = " ".join(str(error).split())
            if text != last_trouble:
                report(text)
                if not isinstance(error, DeepCityError):
                    _log.exception("a step of the node failed")
            last_trouble = text
            stop.wait(_RETRY_S)
        else:
            if not changed:
                stop.wait(pause_s)
    try:
        _note(node, "stopped")
    except DeepCityError:
        _log.exception("that it stopped could not be kept")


def _troubles(node: Node) -> dict[str, str]:
    """Agency -> what prevents its records from being read; empty: nothing."""
    now_s = node.clock.now()
    return {name: node.source(name, now_s).trouble for name in node.agencies}


def _note(node: Node, what: str) -> bool:
    """Keep that the node started or stopped: between two starts without a stop, it was killed."""
    parties = [f"{service} {party}" for service, party in node.parties]
    body = {"what": what, "parties": parties}
    key = f"node/{what}/{time.time_ns()}"
    node.keep([EventDraft(EventKind.NODE, key, node.clock.now(), body=body)])
    return True
