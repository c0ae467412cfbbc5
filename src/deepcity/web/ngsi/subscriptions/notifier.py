"""Sends notifications: several at once, slow ones cut, those that cannot be reached disabled."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fastapi.concurrency import run_in_threadpool

from deepcity.city.errors import DeepCityError
from deepcity.store.run_folder import write_file
from deepcity.web.ngsi.city_entities import CityEntities
from deepcity.web.ngsi.entity import Json
from deepcity.web.ngsi.problems import NgsiError
from deepcity.web.ngsi.subscriptions.endpoints import AllowedHost, address_of, check_endpoint
from deepcity.web.ngsi.subscriptions.notifications import changed_entities, notifications
from deepcity.web.ngsi.subscriptions.subscription import (
    Subscription,
    SubscriptionBook,
    SubscriptionChange,
)

_log = logging.getLogger(__name__)
_LOOK_S, _AT_ONCE = 0.2, 8
_SLOW_S, _SLOW_AT_ONCE = 1.0, 4
_MOST_FAILURES, _LONGEST_S = 8, 300.0
_SAVED_S, _STORE_S = 2.0, 5.0


@dataclass
class Notifier:
    """Notifies other systems of a node's changes. Runs in one event loop.

    Endpoints that took their last notification at once need not wait for the others: those that
    were slow, failed or are new take turns of their own. A delivery that fails is tried again after
    1, 2, 4 … seconds, with all that changed until then; after eight failures one after another the
    subscription is disabled, and says so. Whoever is killed goes on from the last saved position: a
    notification may come twice, and none is lost.

    Attributes:
        file: where the position of each subscription is kept.
        retry_s: seconds before the first retry.
    """

    city: CityEntities
    book: SubscriptionBook
    allowed: tuple[AllowedHost, ...]
    file: Path
    retry_s: float = 1.0
    monotonic: Callable[[], float] = time.monotonic
    _busy: set[str] = field(default_factory=set)
    _quick: set[str] = field(default_factory=set)
    _saved: dict[str, int] = field(default_factory=dict)
    _saved_at: float = 0.0

    async def run(self) -> None:
        """Go on until it is cancelled."""
        await run_in_threadpool(self._resume)
        turns, tasks = asyncio.Semaphore(_AT_ONCE), set[asyncio.Task[None]]()
        slow = asyncio.Semaphore(_SLOW_AT_ONCE)
        async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
            try:
                while True:
                    last = self.city.node.last
                    for one in self.book.all():
                        if self._is_due(one, last):
                            self._busy.add(one.id)
                            lane = turns if one.id in self._quick else slow
                            task = asyncio.create_task(self._notify(client, lane, one, last))
                            tasks.add(task)
                            task.add_done_callback(tasks.discard)
                    await self._save(at_once=False)
                    await asyncio.sleep(_LOOK_S)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await self._save(at_once=True)

    def _is_due(self, one: Subscription, last: int) -> bool:
        if one.id in self._busy or one.cursor >= last or not one.active(time.time()):
            return False
        throttled = one.success_s or 0.0
        if one.document.throttling and time.time() - throttled < one.document.throttling:
            return False
        return self.monotonic() >= one.next_try

    async def _notify(
        self, client: httpx.AsyncClient, turns: asyncio.Semaphore, one: Subscription, last: int
    ) -> None:
        try:
            async with turns:
                begun = self.monotonic()
                was_quick = one.id in self._quick
                self._quick.discard(one.id)  # until it has shown that it is
                found = await run_in_threadpool(changed_entities, self.city, one, last)
                bodies = list(notifications(one, found, time.time()))
                for body, headers in bodies:
                    await self._send(client, one, body, headers)
                took_s = self.monotonic() - begun
                is_quick = took_s < _SLOW_S if bodies else was_quick  # sent none it shows nothing
                if is_quick:
                    self._quick.add(one.id)
                self._succeeded(one, last, len(bodies))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, NgsiError, OSError) as error:
            await self._failed(one, f"{type(error).__name__}: {error}"[:300])
        except DeepCityError:  # the node's database is away: no fault of the endpoint
            self.book.note(one.id, next_try=self.monotonic() + _STORE_S)
        except Exception:  # whatever it is, the others are notified
            _log.exception("a notification of %s failed", one.id)
            await self._failed(one, "the node's own fault; see its log")
        finally:
            self._busy.discard(one.id)

    async def _send(
        self, client: httpx.AsyncClient, one: Subscription, body: Json, headers: dict[str, str]
    ) -> None:
        """Deliver one notification; of the answer only the status is read.

        Raises:
            httpx.HTTPError: if the endpoint does not take it.
            NgsiError: if the host is allowed no longer.
            TimeoutError: if it takes too long.
        """
        endpoint = one.document.notification.endpoint
        check_endpoint(endpoint.uri, self.allowed)
        limit_s, url = endpoint.timeout / 1000, httpx.URL(endpoint.uri)
        data = json.dumps(body, ensure_ascii=False).encode()
        async with asyncio.timeout(limit_s):  # httpx bounds each part of it, not the whole
            request = client.stream(
                "POST",
                url.copy_with(host=await address_of(endpoint.uri)),
                content=data,
                headers={**headers, "Host": url.netloc.decode("ascii")},
                timeout=limit_s,
                extensions={"sni_hostname": url.host},  # certificates are of the name
            )
            async with request as answer:
                if not answer.is_success:
                    text = f"status {answer.status_code}"
                    raise httpx.HTTPStatusError(text, request=answer.request, response=answer)

    def _succeeded(self, one: Subscription, last: int, count: int) -> None:
        changes: dict[str, object] = {"cursor": last, "failures": 0, "next_try": 0.0}
        if count:
            now_s = time.time()
            changes |= {"sent": one.sent + count, "last_s": now_s, "success_s": now_s}
        self.book.note(one.id, **changes)

    async def _failed(self, one: Subscription, reason: str) -> None:
        failures, now_s = one.failures + 1, time.time()
        wait_s = min(self.retry_s * 2 ** (failures - 1), _LONGEST_S)
        self.book.note(
            one.id,
            failures=failures,
            next_try=self.monotonic() + wait_s,
            last_s=now_s,
            failure_s=now_s,
        )
        if failures < _MOST_FAILURES:
            return
        try:
            await run_in_threadpool(
                self.book.keep, SubscriptionChange.FAILED, one.id, "", reason=reason
            )
        except (NgsiError, DeepCityError):
            _log.warning("that %s is disabled could not be kept", one.id)

    def _resume(self) -> None:
        """Take up the positions that were saved; without them, notify of what comes from now on."""
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = {}
        for one in self.book.all():
            saved = found.get(one.id) if isinstance(found, dict) else None
            known = saved if isinstance(saved, int) else self.city.node.last
            self.book.note(one.id, cursor=max(one.cursor, known))

    async def _save(self, *, at_once: bool) -> None:
        found = {one.id: one.cursor for one in self.book.all()}
        early = self.monotonic() - self._saved_at < _SAVED_S and not at_once
        if found == self._saved or early:
            return
        self._saved, self._saved_at = found, self.monotonic()
        try:
            await run_in_threadpool(write_file, self.file, json.dumps(found).encode())
        except DeepCityError:
            _log.warning("positions of subscriptions could not be saved to %s", self.file)
