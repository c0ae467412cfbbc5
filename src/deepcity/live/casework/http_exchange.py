"""Messages of cases over HTTP: one request a city, all at once, each with an end in time.

Whoever carries a message need not be believed: the city that asks has signed it, and TLS keeps
others from reading it. What comes back is another's: it is read up to a bound.
"""

import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import httpx

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Failure, Handler, unknown_party
from deepcity.exchange.message import Message, from_bytes, to_bytes
from deepcity.live.casework.other_cities import OtherCities, OtherCity

PATH = "/case"
BLOB = "application/octet-stream"
_MOST_ANSWER = 100_000
"""Bytes: 20 sightings take some 600."""
_MOST_REASON = 2_000
_AT_ONCE = 16
_MORE_S = 1.0


@dataclass(frozen=True)
class HttpExchange:
    """The cities of a file, asked over HTTP; the own city answers in this process.

    Attributes:
        cities: by name.
        own: the own city's answers, where its cameras are searched too; by its name.
        timeout_s: seconds for one city's whole answer.
    """

    cities: Mapping[str, OtherCity]
    own: Mapping[str, Handler]
    timeout_s: float = 10.0

    @property
    def parties(self) -> tuple[str, ...]:
        """Names of the cities that can be asked."""
        named = (name for name, one in self.cities.items() if one.address)
        return tuple(dict.fromkeys((*self.own, *named)))

    def call(self, party: str, message: Message) -> Message:
        """Ask one city and wait for its answer.

        Raises:
            ExchangeError: if it is unknown, not reached in time, refuses, or answers with what is
                no message.
        """
        if party in self.own:
            return from_bytes(to_bytes(self.own[party].handle(message, party)))
        if party not in self.parties:
            raise ExchangeError(unknown_party(party, self.parties))
        try:
            status, body = self._post(self.cities[party], to_bytes(message))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            reason = str(error) or type(error).__name__
            raise ExchangeError(f"{party} cannot be reached: {reason}. Ask again later") from error
        if status == httpx.codes.OK:
            return from_bytes(body)
        raise ExchangeError(f"{party} refused (HTTP {status}): {_reason(body)}")

    def call_group(self, messages: Mapping[str, Message]) -> dict[str, Message | Failure]:
        """Ask several cities at once; one that fails costs no other's answer, nor any time beyond
        the limit.
        """
        pool = ThreadPoolExecutor(_AT_ONCE)
        asked = {
            party: pool.submit(self._outcome, party, message) for party, message in messages.items()
        }
        turns = -(-len(asked) // _AT_ONCE)
        done, _ = wait(asked.values(), timeout=turns * (self.timeout_s + _MORE_S))
        pool.shutdown(wait=False, cancel_futures=True)  # who drips bytes is waited for by nobody
        late = f"no whole answer within {self.timeout_s:g} s"
        return {
            party: one.result() if one in done else Failure(party, late)
            for party, one in asked.items()
        }

    def _outcome(self, party: str, message: Message) -> Message | Failure:
        try:
            return self.call(party, message)
        except Exception as error:  # the own city's refusals too; none costs another's answer
            return Failure(party, str(error))

    def _post(self, city: OtherCity, body: bytes) -> tuple[int, bytes]:
        """The status and body of an answer, which must come whole within the time."""
        ends_s = time.monotonic() + self.timeout_s
        with (
            httpx.Client(
                verify=_verified(city),
                timeout=self.timeout_s,
                trust_env=False,
                follow_redirects=False,
            ) as client,
            client.stream(
                "POST",
                f"{(city.address or '').rstrip('/')}{PATH}",
                content=body,
                headers={"Content-Type": BLOB},
            ) as answer,
        ):
            found = bytearray()
            for chunk in answer.iter_bytes():
                found += chunk
                if len(found) > _MOST_ANSWER:
                    raise httpx.ReadError(f"an answer of over {_MOST_ANSWER:,} bytes")
                if time.monotonic() > ends_s:
                    raise httpx.ReadTimeout(f"no whole answer within {self.timeout_s:g} s")
            return answer.status_code, bytes(found)


def http_exchange(cities: OtherCities, own: Mapping[str, Handler] | None = None) -> HttpExchange:
    """The cities of a file."""
    return HttpExchange({one.name: one for one in cities.city}, own or {})


def _verified(city: OtherCity) -> ssl.SSLContext | bool:
    if city.certificate is None:
        return True
    return ssl.create_default_context(cafile=str(city.certificate))


def _reason(body: bytes) -> str:
    """What a refusal says, of its first bytes."""
    text = body[:_MOST_REASON].decode("utf-8", "replace")
    try:
        errors = httpx.Response(200, content=body[:_MOST_ANSWER]).json()["errors"]
        reason = "; ".join(f"{one['reason']}. {one['next']}" for one in errors)
    except (ValueError, KeyError, TypeError):
        reason = text
    return reason[:_MOST_REASON]
