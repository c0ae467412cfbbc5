"""`Exchange` between machines: the same bytes as in process, over a line to each site.

One call, one site, one deadline of our own; a group is as many calls at once. A site that refuses
or stays silent costs no other's answer. A worker that died costs the lease
(`deepcity.exchange.flare.leases`), since the engine cannot let it back into the job; as the engine
does not tell, a worker that is at work for longer is asked from time to time whether it is there.
"""

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from threading import Thread

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import (
    COORDINATOR,
    Failure,
    UnknownOutcomeError,
    unknown_party,
)
from deepcity.exchange.flare.counted_layers import counted_name, counted_sizes
from deepcity.exchange.flare.deadlines import Deadlines
from deepcity.exchange.flare.leases import LeaseLostError
from deepcity.exchange.flare.link import (
    ANSWER,
    FAILED,
    LOST,
    MOST_BYTES,
    PING,
    REFUSED,
    TIMEOUT,
    Reply,
    Wire,
)
from deepcity.exchange.flare.task import CallTask, site_of
from deepcity.exchange.ledger import Ledger, Row
from deepcity.exchange.message import Message, from_bytes, round_of, to_bytes, wire_bytes_by_layer
from deepcity.exchange.precision import Precision, lower_precision, restore_precision

_QUIET_S = 5.0
"""At work for so long, a worker is asked whether it is there."""
_PING_S = 20.0
_PINGS = 2  # without an answer, one after the other: the worker is gone
_MOST_ROWS = 10_000  # of a ledger that a site reports with an answer
_MOST_COUNTED = 1 << 33  # bytes that it reports; more are believed of no answer
_MOST_TEXT = 1000
_KINDS = frozenset({ANSWER, REFUSED, FAILED, TIMEOUT, LOST})


@dataclass(frozen=True)
class MachineExchange:
    """One caller's view of parties on other machines.

    Attributes:
        wire: carries bytes to a site and back.
        members: names of the parties that this caller may ask.
        sites: each party is answered by the nearest of them (`site_of`).
        away: those of them that are not connected; nobody answers in their place.
        city: whose agencies the members are, called by their own names; "": they are parties.
        tasks: party -> what it is asked for; by default nothing but its name.
        name: the caller of this view.
        leads_for: party at this site that leads a training of its own, as its coordinator.
        ledger: counts the bytes sent, and those that sites report of calls between them.
        precision: of layers on the wire; they arrive as float32.
    """

    wire: Wire
    members: tuple[str, ...]
    sites: tuple[str, ...]
    tasks: Mapping[str, CallTask] = field(default_factory=dict)
    name: str = COORDINATOR
    ledger: Ledger = field(default_factory=Ledger)
    precision: Precision = "float32"
    deadlines: Deadlines = field(default_factory=Deadlines)
    away: frozenset[str] = frozenset()
    city: str = ""
    leads_for: str = ""

    @property
    def parties(self) -> tuple[str, ...]:
        """Names of the parties that can be called: those whose site is connected."""
        return tuple(one for one in self.members if self._site(one) is not None)

    def call(self, party: str, message: Message) -> Message:
        """Ask one party and wait for its answer, as long as its deadline allows.

        Raises:
            ExchangeError: if the party is unknown, failed, or refused.
            UnknownOutcomeError: if it did not answer in time.
            LeaseLostError: if the party's worker, or the whole job, is gone.
        """
        if party not in self.members:
            raise ExchangeError(unknown_party(party, self.members))
        site = self._site(party)
        if site is None:
            raise ExchangeError(f"{party} is not connected in this lease; it may be in the next")
        sent = lower_precision(message, self.precision)
        blob = to_bytes(sent)
        reply = self._ask(site, party, message.verb, blob)
        sizes = wire_bytes_by_layer(sent, blob)
        self.ledger.record(message.verb, self.name, party, sizes, round=round_of(message))
        self._count(reply)
        if reply.kind != ANSWER:
            raise _error(reply, party, site, message.verb)
        if len(reply.blob) > MOST_BYTES:
            raise ExchangeError(f"{party} answered with {len(reply.blob):,} bytes; too many")
        answer = from_bytes(reply.blob)
        sizes = counted_sizes(wire_bytes_by_layer(answer, reply.blob))
        self.ledger.record(message.verb, party, self.name, sizes, round=round_of(message))
        return restore_precision(answer)

    def call_group(self, messages: Mapping[str, Message]) -> dict[str, Message | Failure]:
        """Ask several parties at once, each its own message; one failure costs no other's answer.

        Raises:
            LeaseLostError: if a party's worker, or the whole job, is gone; others are not waited
                for.
        """
        if not messages:
            return {}
        pool = ThreadPoolExecutor(max_workers=len(messages), thread_name_prefix="call")
        try:
            asked = {party: pool.submit(self._reply, party, messages[party]) for party in messages}
            return {party: reply.result() for party, reply in asked.items()}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _site(self, party: str) -> str | None:
        """The site that answers for a party, if it is connected."""
        site = site_of(self._whole_name(party), self.sites)
        return None if site in self.away else site

    def _whole_name(self, party: str) -> str:
        return f"{self.city}/{party}" if self.city else party

    def _reply(self, party: str, message: Message) -> Message | Failure:
        try:
            return self.call(party, message)
        except LeaseLostError:
            raise
        except ExchangeError as error:
            return Failure(party, str(error))

    def _ask(self, site: str, party: str, verb: str, blob: bytes) -> Reply:
        deadline = self.deadlines.of(site, verb)
        task = self.tasks.get(party, CallTask(party=party))
        caller = self.leads_for or ("" if self.name == COORDINATOR else self.name)
        whole = {"party": self._whole_name(party), "caller": caller}
        text = task.model_copy(update=whole).model_dump_json()
        begun = time.monotonic()
        reply = self._watched(site, text, blob, deadline)
        if reply.kind == TIMEOUT:
            self.deadlines.missed(site, verb, deadline)
        elif reply.kind == ANSWER:
            self.deadlines.answered(site, verb, time.monotonic() - begun)
        return reply

    def _watched(self, site: str, task: str, blob: bytes, deadline_s: float) -> Reply:
        """Ask a site; the death of its worker is noticed long before its deadline has passed."""
        asked: Future[Reply] = Future()
        arguments = asked, self.wire, site, task, blob, deadline_s
        Thread(target=_answer, args=arguments, name="ask", daemon=True).start()
        silent, begun = 0, time.monotonic()
        while not wait([asked], 0.0 if silent else _QUIET_S).done:
            silent = silent + 1 if self._is_silent(site) else 0
            if silent >= _PINGS:
                return Reply(LOST, _gone(f"no answer within {time.monotonic() - begun:.0f} s"))
        reply = _shown(asked.result())
        if reply.kind == TIMEOUT and (silent or self._is_silent(site)):
            return Reply(LOST, _gone(reply.text))
        return reply

    def _is_silent(self, site: str) -> bool:
        """Whether a site's worker does not even answer that it is there."""
        return _shown(self.wire.ask(site, PING, b"", _PING_S)).kind in {TIMEOUT, LOST}

    def _count(self, reply: Reply) -> None:
        """Count what the site reports of the calls it made to others; between them alone, for those
        with the coordinator are counted here.
        """
        rows = [row for one in reply.counts[:_MOST_ROWS] if (row := _counted(one)) is not None]
        if sum(row[-1] for row in rows) > _MOST_COUNTED:
            return
        for number, verb, sender, receiver, layer, size in rows:
            if {sender, receiver} <= {*self.members}:
                self.ledger.record(
                    verb, sender, receiver, {counted_name(layer): size}, round=number
                )


def _answer(
    asked: Future[Reply], wire: Wire, site: str, task: str, blob: bytes, deadline_s: float
) -> None:
    """Ask, and hand over what came."""
    try:
        asked.set_result(wire.ask(site, task, blob, deadline_s))
    except BaseException as error:  # of any kind: who waits for this would wait for ever
        asked.set_exception(error)


def _gone(text: str) -> str:
    return f"{text}, nor to a question whether it is there"


def _shown(reply: Reply) -> Reply:
    """A reply whose text can stand in a log, a terminal and a report, and whose kind is known."""
    kind = reply.kind if isinstance(reply.kind, str) and reply.kind in _KINDS else FAILED
    text = "".join(one if one.isprintable() else " " for one in str(reply.text)[:_MOST_TEXT])
    counts = reply.counts if isinstance(reply.counts, list | tuple) else ()
    return replace(reply, kind=kind, text=text, counts=counts)


def _counted(row: object) -> Row | None:
    """A row of a ledger, if it is one."""
    match row:
        case [int(), str() as verb, str(), str(), str() as layer, int(size)] if size >= 0:
            return list(row) if (verb + layer).isprintable() and len(verb + layer) < 200 else None
    return None


def _error(reply: Reply, party: str, site: str, verb: str) -> ExchangeError:
    if reply.kind == REFUSED:
        return ExchangeError(f"{party} refused {verb!r}: {reply.text}")
    if reply.kind == TIMEOUT:
        return UnknownOutcomeError(
            f"{party} has not answered {verb!r}: {reply.text}; whether it did the work is unknown. "
            f"It is asked again in the next round, and waited for longer"
        )
    if reply.kind == LOST:
        return LeaseLostError(f"{party} is gone: {reply.text}", site)
    return ExchangeError(f"{party} {FAILED} at {verb!r}: {reply.text}")
