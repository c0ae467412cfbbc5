"""Delivers an outbox to an application over HTTP: in order, until each parcel is confirmed.

If the connection breaks, or the receiver is down, busy or full, the parcel is retried with
growing pauses. One that the receiver will never accept (invalid rows, another version) is set
aside with the reason, so that it does not block the rest; after a wrong token everything waits,
since any parcel would be refused.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import httpx

from deepcity.city.errors import GrantError, LedgerError
from deepcity.live.wire import BLOB
from deepcity.store.outbox import Outbox, Parcel

SENT_AT = "Deepcity-Sent-At"
_SHORTEST_S, _LONGEST_S = 1.0, 60.0
_NEVER = {400, 404, 409, 413, 415, 422}


class DeliveryOutcome(StrEnum):
    """Outcome of a delivery."""

    NOTHING = "nothing"  # nothing to send
    SENT = "sent"
    REFUSED = "refused"
    WAITS = "waits"


@dataclass(frozen=True)
class DeliveryResult:
    """Outcome of a parcel's delivery.

    Attributes:
        rows: of the parcel.
        reason: the receiver's answer, if it did not take all.
        expired: rows that the receiver dropped, as they are older than it keeps.
    """

    outcome: DeliveryOutcome
    rows: int = 0
    reason: str = ""
    expired: int = 0


@dataclass
class Delivery:
    """Sends parcels one after the other.

    Attributes:
        url: of the application, e.g. ``https://metro.example:8080``.
        token: gives the agency's own, at each request.
        clock: gives seconds since 1970; the receiver compares them with its own clock. None: the
            sender goes by the receiver's.
        before: called before each parcel leaves; what it raises makes the parcel wait.
    """

    outbox: Outbox
    url: str
    token: Callable[[], str] = field(repr=False)
    clock: Callable[[], float] | None = time.time
    timeout_s: float = 30.0
    before: Callable[[Parcel], None] | None = None
    _client: httpx.Client | None = field(default=None, repr=False)
    _pause_s: float = 0.0
    _not_before: float = 0.0

    def deliver(self, *, patient: bool = True) -> list[DeliveryResult]:
        """Send waiting parcels, until one fails and has to wait.

        Args:
            patient: whether to keep the pause after a failure; else try at once.
        """
        found: list[DeliveryResult] = []
        while not patient or time.monotonic() >= self._not_before:
            result = self._first()
            if result.outcome is DeliveryOutcome.NOTHING:
                break
            found.append(result)
            if result.outcome is DeliveryOutcome.WAITS:
                break
        return found

    @property
    def pause_s(self) -> float:
        """Seconds until the next try; 0: at once."""
        return max(0.0, self._not_before - time.monotonic())

    def close(self) -> None:
        """Close the connection; may be called repeatedly."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _first(self) -> DeliveryResult:
        parcel = self.outbox.first()
        if parcel is None:
            return DeliveryResult(DeliveryOutcome.NOTHING)
        try:
            if self.before is not None:
                self.before(parcel)
            reply = self._post(parcel)
        except (GrantError, LedgerError) as error:
            return self._wait(parcel, str(error), None)
        except httpx.HTTPError as error:
            self.close()
            return self._wait(parcel, f"{self.url} cannot be reached: {error}", None)
        if reply.is_success:
            self.outbox.confirm(parcel.number)
            self._pause_s = self._not_before = 0.0
            expired, why = _expired(reply)
            return DeliveryResult(DeliveryOutcome.SENT, parcel.rows, why, expired)
        reason = _reason(reply)
        if reply.status_code in _NEVER:
            self.outbox.refuse(parcel.number, reason)
            return DeliveryResult(DeliveryOutcome.REFUSED, parcel.rows, reason)
        return self._wait(parcel, reason, reply.headers.get("Retry-After"))

    def _post(self, parcel: Parcel) -> httpx.Response:
        if self._client is None:
            self._client = httpx.Client(timeout=self.timeout_s, trust_env=False)
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": BLOB}
        if self.clock is not None:
            headers[SENT_AT] = str(int(self.clock()))
        return self._client.post(
            f"{self.url.rstrip('/')}/deep-data",
            params={"space": parcel.topic, "revision": parcel.revision},
            content=parcel.body,
            headers=headers,
        )

    def _wait(self, parcel: Parcel, reason: str, asked: str | None) -> DeliveryResult:
        self._pause_s = min(max(_SHORTEST_S, 2 * self._pause_s), _LONGEST_S)
        if asked is not None and asked.isdigit():
            self._pause_s = min(max(self._pause_s, float(asked)), _LONGEST_S)
        self._not_before = time.monotonic() + self._pause_s
        return DeliveryResult(DeliveryOutcome.WAITS, parcel.rows, reason)


def _reason(reply: httpx.Response) -> str:
    """The receiver's reason, with its HTTP status."""
    try:
        errors = reply.json()["errors"]
        text = _problem_text(errors)
    except (ValueError, LookupError, TypeError):
        text = reply.text[:200].strip()
    return f"HTTP {reply.status_code}: {text}"


def _expired(reply: httpx.Response) -> tuple[int, str]:
    """Number of rows not kept, and why; earlier versions of the application do not report it."""
    try:
        answer = reply.json()
        return int(answer["expired"]), _problem_text(answer["notices"])
    except (ValueError, LookupError, TypeError):
        return 0, ""


def _problem_text(problems: list[dict[str, str]]) -> str:
    return "; ".join(f"{one['value']}: {one['reason']}. {one['next']}" for one in problems)
