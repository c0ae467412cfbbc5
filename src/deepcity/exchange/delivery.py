"""Delivers an outbox to an application over HTTP: in order, until each parcel is confirmed.

A connection that breaks, a receiver that is down, busy or full: the parcel waits and is tried
again, later each time. One that the receiver will never take (other rows, another version) is
set aside with the reason, so that it blocks nobody; a wrong token stops everything, as any
parcel would meet the same.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import httpx

from deepcity.exchange.deep_wire import BLOB
from deepcity.store.outbox import Outbox, Parcel

SENT_AT = "Deepcity-Sent-At"
_SHORTEST_S, _LONGEST_S = 1.0, 60.0
_NEVER = {400, 404, 409, 413, 415, 422}


class Outcome(StrEnum):
    """What became of a parcel."""

    NOTHING = "nothing"  # to send
    SENT = "sent"
    REFUSED = "refused"
    WAITS = "waits"


@dataclass(frozen=True)
class Told:
    """What became of a parcel, with the receiver's words.

    Attributes:
        expired: rows of it that arrived, and were older than the receiver keeps: it let them go.
    """

    outcome: Outcome
    rows: int = 0
    reason: str = ""
    expired: int = 0


@dataclass
class Delivery:
    """Sends parcels one after the other.

    Attributes:
        url: of the application, e.g. ``https://metro.example:8080``.
        token: the agency's own.
        clock: seconds since 1970; the receiver compares them with its own.
    """

    outbox: Outbox
    url: str
    token: str = field(repr=False)
    clock: Callable[[], float] = time.time
    timeout_s: float = 30.0
    _client: httpx.Client | None = field(default=None, repr=False)
    _pause_s: float = 0.0
    _not_before: float = 0.0

    def deliver(self, *, patient: bool = True) -> list[Told]:
        """Send all that waits, until one must wait longer.

        Args:
            patient: keep to the pause after a failure; else try at once.
        """
        found: list[Told] = []
        while not patient or time.monotonic() >= self._not_before:
            told = self._first()
            if told.outcome is Outcome.NOTHING:
                break
            found.append(told)
            if told.outcome is Outcome.WAITS:
                break
        return found

    @property
    def pause_s(self) -> float:
        """Seconds until the next try; 0: at once."""
        return max(0.0, self._not_before - time.monotonic())

    def close(self) -> None:
        """Let go of the connection. Twice is fine."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _first(self) -> Told:
        parcel = self.outbox.first()
        if parcel is None:
            return Told(Outcome.NOTHING)
        try:
            reply = self._post(parcel)
        except httpx.HTTPError as error:
            self.close()
            return self._wait(parcel, f"{self.url} cannot be reached: {error}", None)
        if reply.is_success:
            self.outbox.confirm(parcel.number)
            self._pause_s = self._not_before = 0.0
            expired, why = _expired(reply)
            return Told(Outcome.SENT, parcel.rows, why, expired)
        reason = _reason(reply)
        if reply.status_code in _NEVER:
            self.outbox.refuse(parcel.number, reason)
            return Told(Outcome.REFUSED, parcel.rows, reason)
        return self._wait(parcel, reason, reply.headers.get("Retry-After"))

    def _post(self, parcel: Parcel) -> httpx.Response:
        if self._client is None:
            self._client = httpx.Client(timeout=self.timeout_s, trust_env=False)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": BLOB,
            SENT_AT: str(int(self.clock())),
        }
        return self._client.post(
            f"{self.url.rstrip('/')}/deep-data",
            params={"space": parcel.topic, "revision": parcel.revision},
            content=parcel.body,
            headers=headers,
        )

    def _wait(self, parcel: Parcel, reason: str, asked: str | None) -> Told:
        self._pause_s = min(max(_SHORTEST_S, 2 * self._pause_s), _LONGEST_S)
        if asked is not None and asked.isdigit():
            self._pause_s = min(max(self._pause_s, float(asked)), _LONGEST_S)
        self._not_before = time.monotonic() + self._pause_s
        return Told(Outcome.WAITS, parcel.rows, reason)


def _reason(reply: httpx.Response) -> str:
    """The receiver's own words, else its status."""
    try:
        errors = reply.json()["errors"]
        said = _words(errors)
    except (ValueError, LookupError, TypeError):
        said = reply.text[:200].strip()
    return f"HTTP {reply.status_code}: {said}"


def _expired(reply: httpx.Response) -> tuple[int, str]:
    """How many rows were not kept, and why; an application of before does not say."""
    try:
        answer = reply.json()
        return int(answer["expired"]), _words(answer["told"])
    except (ValueError, LookupError, TypeError):
        return 0, ""


def _words(told: list[dict[str, str]]) -> str:
    return "; ".join(f"{one['value']}: {one['reason']}. {one['next']}" for one in told)
