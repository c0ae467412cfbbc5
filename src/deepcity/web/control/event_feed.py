"""New events for all who watch a city: each is read from the store once, however many watch."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from itertools import takewhile

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import ServerSentEvent

from deepcity.live.node.node import Node
from deepcity.store.events.event import Event, EventQuery
from deepcity.web.api.refusals import Refusal

MOST_BEHIND = 1_000
"""Events that a client may have missed; one that missed more looks at everything anew."""
MOST_WATCHING = 500
"""Streams open at once: half of a server's connections, so that requests are still answered."""


class EventFeed:
    """A node's newest events. Used in one event loop.

    Args:
        node: whose.
    """

    def __init__(self, node: Node) -> None:
        self._node, self._read = node, 0
        self._recent: deque[tuple[int, ServerSentEvent]] = deque(maxlen=MOST_BEHIND)
        self._reading = asyncio.Lock()
        self._watching = 0

    async def watch(self) -> AsyncIterator[None]:
        """Counts who watches.

        Raises:
            Refusal: if too many do.
        """
        if self._watching >= MOST_WATCHING:
            reason = "so many watch already"
            raise Refusal(503, f"{MOST_WATCHING} streams", reason, "close pages, or try again")
        self._watching += 1
        try:
            yield
        finally:
            self._watching -= 1

    async def newer(self, after: int) -> list[tuple[int, ServerSentEvent]]:
        """Events after one, with their numbers; at most the newest `MOST_BEHIND`.

        Raises:
            StoreError: if they cannot be read.
        """
        if self._node.last > self._read:
            async with self._reading:
                await self._read_newest()
        return [*takewhile(lambda one: one[0] > after, reversed(self._recent))][::-1]

    async def _read_newest(self) -> None:
        last = self._node.last
        if self._read >= last:  # another has read them
            return
        begin = max(self._read, last - MOST_BEHIND)
        query = EventQuery(after=begin, limit=MOST_BEHIND, data=False)
        found = await run_in_threadpool(self._node.events.read, query)
        self._recent += [(event.seq, _sent(event)) for event in found]
        self._read = max([last, *(event.seq for event in found)])


def _sent(event: Event) -> ServerSentEvent:
    data = {
        "seq": event.seq,
        "kind": event.kind.value,
        "at_s": event.at_s,
        "service": event.service,
        "party": event.party,
    }
    raw = json.dumps(data, ensure_ascii=False)
    return ServerSentEvent(raw_data=raw, event=event.kind.value, id=str(event.seq))
