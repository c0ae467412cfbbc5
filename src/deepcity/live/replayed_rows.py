"""An agency's recorded rows, played by the clock of a node that replays (`deepcity up --replay`).

The node has the time: the agency's process asks for it, and reads no row that is not over by then.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx

from deepcity.city.errors import LiveError
from deepcity.data.panel import Panel
from deepcity.live.node.clock import ClockMode
from deepcity.live.node.records.record_sources import part, steps_over
from deepcity.store.deep_data.batch import moment
from deepcity.store.result_bounds import FIRST_S, LAST_S

CLOCK = "/deep-data/clock"
"""The node's route that answers its time."""
_TIMEOUT_S, _MOST_BYTES = 30.0, 10_000


@dataclass
class NodeTime:
    """The time of a node that replays.

    Attributes:
        url: of the node.
        token: gives the agency's own, at each request.
        sent: the newest time that the agency has encoded, UTC seconds; None: none yet.
    """

    url: str
    token: Callable[[], str] = field(repr=False)
    sent: Callable[[], int | None] = lambda: None
    _client: httpx.Client | None = field(default=None, repr=False)

    def now(self) -> int:
        """The replay's time, UTC seconds.

        Raises:
            LiveError: if the node cannot be reached, does not replay, or plays a time before that
                of what was encoded (it was killed; what it has not played yet it would refuse).
        """
        try:
            code, content = self._ask()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._error(f"cannot be reached: {error}", "it is tried again") from error
        now_s = self._read(code, content)
        sent_s = self.sent()
        if sent_s is not None and sent_s > now_s:
            reason = (
                f"it plays {moment(now_s)}, and rows until {moment(sent_s)} are encoded already"
            )
            right = "nothing to do if it goes on; if this replay begins anew, give another --state"
            raise self._error(reason, right)
        return now_s

    def close(self) -> None:
        """Close the connection; may be called repeatedly."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ask(self) -> tuple[int, bytes]:
        """What the node answers: its status, and as much as a time needs; nothing is unpacked."""
        if self._client is None:
            plain = {"Accept-Encoding": "identity"}
            self._client = httpx.Client(headers=plain, timeout=_TIMEOUT_S, trust_env=False)
        content, end = b"", time.monotonic() + _TIMEOUT_S
        whose = {"Authorization": f"Bearer {self.token()}"}
        clock = f"{self.url.rstrip('/')}{CLOCK}"
        with self._client.stream("GET", clock, headers=whose) as answer:
            for piece in answer.iter_raw():
                content += piece
                if len(content) > _MOST_BYTES or time.monotonic() > end:
                    return answer.status_code, b""
            return answer.status_code, content

    def _read(self, code: int, content: bytes) -> int:
        right = code == HTTPStatus.OK
        try:
            answer = json.loads(content)
            if right and answer["mode"] == ClockMode.REPLAY:
                return _moment(answer["now_s"])
            replays = not right
        except (ValueError, LookupError, TypeError, RecursionError):
            replays = True
        if not replays:
            raise self._error("it does not replay", "leave out --replay")
        named = "name a node of `deepcity up --replay --access` that knows this token"
        what = "what is no time" if right else f"HTTP {code}"
        raise self._error(f"its clock answers {what}", named)

    def _error(self, reason: str, right: str) -> LiveError:
        return LiveError(self.url, reason, right)


def _moment(value: object) -> int:
    """Whole seconds of a time that can be.

    Raises:
        ValueError: if it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not FIRST_S <= value <= LAST_S:
        raise ValueError("no second between 1900 and 2200")
    return value


@dataclass
class ReplayedRows:
    """An agency's recorded rows as far as they are over.

    Attributes:
        whole: all of them.
    """

    whole: Panel
    _shown_s: int = 0

    def poll(self, now_s: int) -> Panel | None:
        """All rows until a time (UTC seconds), whenever another step is over; None if none is."""
        end_s = steps_over(self.whole, now_s)
        if end_s <= self._shown_s or not (self.whole.time_T < end_s).any():
            return None
        self._shown_s = end_s
        return part(self.whole, 0, end_s)
