"""Let a node go on: a step whenever one is due, until it is told to stop."""

import threading
from collections.abc import Callable

from deepcity.city.errors import DeepCityError, StoreError
from deepcity.live.node.node import Node

_RETRY_S = 2.0


def run_node(
    node: Node,
    stop: threading.Event,
    pause_s: float,
    tell: Callable[[str], None],
    until_s: int | None = None,
) -> None:
    """Tick until it is stopped; a database that is away is waited for.

    Args:
        pause_s: seconds between two looks at the clock; while events come, there is none.
        tell: is told of trouble, once for each.
        until_s: stop once the city's time is there; None: go on.
    """
    told = ""
    while not stop.is_set():
        try:
            changed = node.tick()
            told = ""
        except DeepCityError as error:
            text = " ".join(str(error).split())
            if text != told:
                tell(text)
            told, changed = text, 0
            stop.wait(_RETRY_S if isinstance(error, StoreError) else pause_s)
        if until_s is not None and node.clock.now() >= until_s:
            return
        if not changed:
            stop.wait(pause_s)


def start_node(
    node: Node, pause_s: float, tell: Callable[[str], None]
) -> tuple[threading.Thread, threading.Event]:
    """Let it go on in a thread of its own; returns it, and what stops it."""
    stop = threading.Event()
    thread = threading.Thread(
        target=run_node, args=(node, stop, pause_s, tell), name="node", daemon=True
    )
    thread.start()
    return thread, stop
