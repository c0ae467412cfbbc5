"""Answers kept ready to send, until what they were made from changes.

Many clients ask for the same forecast: it is made and serialised once, also when they ask at the
same moment. An answer has an entity tag, so that a client that has it already gets none again.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

MOST_BYTES = 64_000_000
"""Of all answers that are kept."""
LONGEST_S = 5.0
"""An answer is made anew after so long, in case that another process wrote into the store."""


@dataclass(frozen=True, eq=False)
class Answer:
    """A response's body and headers.

    Attributes:
        tag: its entity tag, a digest of the body.
    """

    body: bytes
    headers: dict[str, str]
    tag: str

    @staticmethod
    def of(response: Response) -> "Answer":
        """From a response."""
        body = bytes(response.body)
        tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
        own = {name: value for name, value in response.headers.items() if name != "content-length"}
        headers = {**own, "etag": tag, "cache-control": "no-cache", "vary": "accept, authorization"}
        return Answer(body, headers, tag)

    def reply(self, request: Request) -> Response:
        """As a response; 304 without a body to a client that has it."""
        known = request.headers.get("if-none-match", "")
        if known and ("*" in known or self.tag in known):
            kept = {name: self.headers[name] for name in ("etag", "cache-control", "vary")}
            return Response(status_code=304, headers=kept)
        return Response(self.body, headers=self.headers)


class AnswerCache:
    """Answers by what was asked for, made once a version.

    Used in one event loop.

    Args:
        version: of what answers are made from; when it changes, none is valid any more.
        most_bytes: of all answers; the one made longest ago goes first.
        longest_s: how long an answer is valid at most.
        clock: seconds.
    """

    def __init__(
        self,
        version: Callable[[], Hashable],
        most_bytes: int = MOST_BYTES,
        longest_s: float = LONGEST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._version, self._most_bytes, self._longest_s = version, most_bytes, longest_s
        self._clock = clock
        self._kept: OrderedDict[Hashable, tuple[Hashable, float, Answer]] = OrderedDict()
        self._bytes = 0
        self._being_made: dict[Hashable, asyncio.Task[Answer]] = {}

    async def get(self, key: Hashable, make: Callable[[], Response]) -> Answer:
        """The answer to a question; made in a thread, and only once if many ask.

        Raises:
            whatever `make` raises; that is not kept.
        """
        version = self._version()
        found = self._kept.get(key)
        if found is not None and found[0] == version and self._clock() < found[1]:
            return found[2]
        task = self._being_made.get((key, version))
        if task is None:
            task = asyncio.create_task(self._make(key, version, make))
            self._being_made[key, version] = task
            task.add_done_callback(lambda _: self._being_made.pop((key, version), None))
        return await asyncio.shield(task)

    async def _make(self, key: Hashable, version: Hashable, make: Callable[[], Response]) -> Answer:
        answer = await run_in_threadpool(lambda: Answer.of(make()))
        self._drop(key)
        self._kept[key] = (version, self._clock() + self._longest_s, answer)
        self._bytes += len(answer.body)
        while self._bytes > self._most_bytes or self._oldest_is_over():
            self._drop(next(iter(self._kept)))
        return answer

    def _oldest_is_over(self) -> bool:
        oldest = next(iter(self._kept.values()), None)  # they are in the order they were made
        return oldest is not None and oldest[1] <= self._clock()

    def _drop(self, key: Hashable) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._bytes -= len(found[2].body)
