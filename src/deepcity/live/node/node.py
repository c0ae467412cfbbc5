"""A node: one city, its records, forecasts, decisions and alarms, all of it as events.

At every step of a party's clock: rows that have come are kept, the party forecasts from what is
known, its application decides, alarms are raised or end. Each is an event with a key of its own,
so a node that is killed at any point goes on where it was, and nothing happens twice.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from typing import Self
from zoneinfo import ZoneInfo

from deepcity.city.errors import DataError, ProblemsError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile, empty_panel
from deepcity.data.panel import Panel
from deepcity.forecasting.gaps import Gap
from deepcity.forecasting.table import PartyForecasts
from deepcity.live.forecasters import AnyForecaster
from deepcity.live.node.agency_records import changed_rows, folded, merged, rows_events, with_places
from deepcity.live.node.alarm_book import AlarmBook
from deepcity.live.node.clock import NodeClock
from deepcity.live.node.decision_book import DecisionBook, decision_event, known_decision
from deepcity.live.node.forecast_event import (
    StoredForecast,
    forecast_event,
    forecast_key,
    stored_forecast,
)
from deepcity.live.node.party import KnownPanel, NodeParty, PartyAnswer, node_party
from deepcity.live.node.record_sources import RecordSource
from deepcity.live.node.source_status import (
    RecordSummary,
    SourceState,
    SourceStatus,
    source_state,
)
from deepcity.store.events.event import Event, EventDraft, EventKind, EventQuery
from deepcity.store.events.event_store import EventStore

PartyKey = tuple[str, str]
"""Service and party."""
_BACK = 20_000  # events among which decisions and their answers are looked for at a start
_FORECASTS = 64  # that are kept beside the newest, for what became of decisions
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class RecordsNow:
    """An agency's records as they are now.

    Attributes:
        panel: its records; no step before the first have come.
        summary: of them.
        trouble: what prevents its source from being read; empty: nothing.
    """

    panel: Panel
    summary: RecordSummary
    trouble: str = ""

    @classmethod
    def of(cls, panel: Panel) -> Self:
        """With these records, and no trouble."""
        return cls(panel, RecordSummary.of(panel))


@dataclass(frozen=True, eq=False)
class PartyNow:
    """A party as it is now.

    Attributes:
        party: asked at every step.
        forecast: its newest one; None: there is none.
        failed: the event that says why it has no newer one; None: it has.
    """

    party: NodeParty
    forecast: StoredForecast | None = None
    failed: Event | None = None


class Node:
    """A running city. Threads may share it; `tick` is called by one.

    Args of `Node(...)`:
        city_file: the city.
        sources: agency -> its records; those of every agency that a party needs.
        forecasters: the parties that are forecast.
        events: where everything is kept; other events in it are those of the same city.
        clock: the time to go by.
        update: lets forecasters learn from new days, at the beginning of each day of the city;
            None: they stay as they are.
    """

    def __init__(
        self,
        city_file: CityFile,
        sources: Mapping[str, RecordSource],
        forecasters: Sequence[AnyForecaster],
        events: EventStore,
        clock: NodeClock,
        update: Callable[[KnownPanel, int], list[EventDraft]] | None = None,
    ) -> None:
        self.city_file, self.events, self.clock = city_file, events, clock
        self.decisions, self.alarms = DecisionBook(), AlarmBook()
        self.started = threading.Event()
        self._sources = dict(sources)
        self._lock = threading.RLock()
        self._agencies = {name: RecordsNow.of(empty_panel(city_file, name)) for name in sources}
        self._states: dict[str, SourceStatus] = {}
        self._parties: dict[PartyKey, PartyNow] = {}
        self._asked: dict[PartyKey, str] = {}
        self._forecasts: OrderedDict[str, StoredForecast | None] = OrderedDict()
        self._last, self._update, self._day = 0, update, ""
        self._join(forecasters)

    @property
    def last(self) -> int:
        """The number of the newest event that is part of what can be seen here."""
        return self._last

    @property
    def parties(self) -> Mapping[PartyKey, PartyNow]:
        """All parties as they are now."""
        with self._lock:
            return dict(self._parties)

    @property
    def agencies(self) -> tuple[str, ...]:
        """All agencies whose records are known here."""
        return tuple(self._sources)

    def panel(self, agency: str) -> Panel:
        """An agency's records; no step before the first have come."""
        return self._agencies[agency].panel

    def source(self, agency: str, now_s: int) -> SourceState:
        """How new an agency's records are at a time."""
        found = self._agencies[agency]
        trouble = found.trouble or self._sources[agency].trouble
        return source_state(agency, found.summary, now_s, trouble)

    def forecast(self, key: str) -> StoredForecast | None:
        """The forecast of an event's key; None if that says why there is none.

        Raises:
            StoreError: if it cannot be read.
        """
        with self._lock:
            if key in self._forecasts:
                self._forecasts.move_to_end(key)
                return self._forecasts[key]
        event = self.events.find(key)
        found = None if event is None else stored_forecast(event)
        with self._lock:
            self._forecasts[key] = found
            while len(self._forecasts) > _FORECASTS:
                self._forecasts.popitem(last=False)
        return found

    def add(self, forecasters: Sequence[AnyForecaster]) -> None:
        """Let more parties take part, as far as their agencies' records are known here.

        Raises:
            StoreError: if what they did before cannot be read.
        """
        for key in self._join(forecasters):
            self._resume_party(key)

    def resume(self) -> None:
        """Take up what the events hold: records, newest forecasts, decisions and alarms.

        Raises:
            DataError: if the records kept are of another step than the city file's.
            StoreError: if they cannot be read.
        """
        for agency, now in self._agencies.items():
            rows = self.events.read(EventQuery((EventKind.ROWS,), party=agency))
            self._agencies[agency] = RecordsNow.of(folded(rows, now.panel))
        recent = self.events.last() - _BACK
        decided = (EventKind.DECISION, EventKind.ANSWER)
        alarms = self.events.read(EventQuery((EventKind.ALARM,), data=False))
        for event in [*self.events.read(EventQuery(decided, after=recent, data=False)), *alarms]:
            self._apply(event)
        for key in self._parties:
            self._resume_party(key)
        self._last, newest_s = self.events.last(), self.events.newest_s()
        self._day = "" if newest_s is None else self._day_of(newest_s)

    def tick(self) -> int:
        """Do what is due now; returns how many events that gave.

        Raises:
            StoreError: if they cannot be kept: nothing of the step that failed is.
        """
        now_s, before = self.clock.now(), self._last
        for agency in self._sources:
            self._take_rows(agency, now_s)
        self._learn(now_s)
        for key in self.parties:
            self._ask(key, now_s)
        self.clock.done(now_s)
        self.started.set()
        return self._last - before

    def keep(
        self, drafts: Sequence[EventDraft], then: Callable[[], None] | None = None
    ) -> list[Event]:
        """Store events, and let them count; returns those that are new.

        Args:
            then: done once they are stored, before anybody learns of them.

        Raises:
            StoreError: if they cannot be kept.
        """
        with self._lock:
            stored = self.events.append(drafts)
            for event in stored:
                self._apply(event)
            if then is not None:
                then()
            self._last = max([self._last, *(event.seq for event in stored)])
        return stored

    def change(self, draft: Callable[[], EventDraft]) -> Event | None:
        """Store the event of a person's answer or change; None if another was quicker.

        Args:
            draft: makes it from the books as they then are.

        Raises:
            LiveError: if it is not allowed now.
            StoreError: if it cannot be kept.
        """
        with self._lock:
            return next(iter(self.keep([draft()])), None)

    def close(self) -> None:
        """Let go of the sources; the events are closed by whoever opened them."""
        for source in self._sources.values():
            source.close()

    def _join(self, forecasters: Sequence[AnyForecaster]) -> list[PartyKey]:
        found = {
            (one.party.service, one.party.party): PartyNow(node_party(one, self._known))
            for one in forecasters
        }
        with self._lock:
            self._parties = {**self._parties, **found}
        return list(found)

    def _known(self, _city_file: CityFile, agency: str) -> Panel:
        """An agency's records, for those who look at more than their own.

        Raises:
            DataError: if none are known here.
        """
        found = self._agencies.get(agency)
        if found is None or not len(found.panel.time_T):
            right = "see whether its source can be read"
            raise DataError([Problem(agency, "records", None, "none have come yet", right)])
        return found.panel

    def _take_rows(self, agency: str, now_s: int) -> None:
        known = self._agencies[agency]
        try:
            found = self._sources[agency].poll(now_s)
        except (ProblemsError, OSError) as error:
            self._agencies[agency] = replace(known, trouble=" ".join(str(error).split()))
        else:
            if found is not None:
                before = with_places(known.panel, found.places)
                drafts = rows_events(agency, found, changed_rows(before, found), now_s)
                now = RecordsNow.of(merged(before, found))
                self.keep(drafts, partial(self._agencies.__setitem__, agency, now))
        self._note_state(agency, now_s)

    def _note_state(self, agency: str, now_s: int) -> None:
        """Keep a source's status, and raise its alarms, if it has changed."""
        state, before = self.source(agency, now_s), self._states.get(agency)
        if before is None:
            query = EventQuery((EventKind.SOURCE,), party=agency, newest=True, limit=1)
            last = next(iter(self.events.read(query)), None)
            before = SourceStatus.WAITING if last is None else SourceStatus(last.body["status"])
        self._states[agency] = state.status
        if state.status is before:
            return
        body = {name: value for name, value in asdict(state).items() if name != "agency"}
        key = f"source/{agency}/{now_s}/{state.status.value}"
        for event in self.keep([EventDraft(EventKind.SOURCE, key, now_s, "", agency, body=body)]):
            self.keep(self.alarms.after_source(event, state))

    def _learn(self, now_s: int) -> None:
        """At the beginning of a day, let forecasters learn from the days before."""
        day = self._day_of(now_s)
        if self._update is not None and self._day and day != self._day:
            self.keep(self._update(self._known, now_s))
        self._day = day

    def _day_of(self, second: int) -> str:
        zone = ZoneInfo(self.city_file.city.clock.time_zone)
        return datetime.fromtimestamp(second, zone).date().isoformat()

    def _ask(self, key: PartyKey, now_s: int) -> None:
        """Let a party forecast and decide, if a step has begun or rows have come since."""
        party = self._parties[key].party
        evidence = self.source(party.party.agency, now_s)
        if evidence.newest_s is None:
            return
        panel = self.panel(party.party.agency)
        step_s, first = panel.clock.step_s, int(panel.time_T[0])
        origin_s = first + (now_s - first) // step_s * step_s
        newest_s = min(evidence.newest_s, origin_s)
        name = forecast_key(*key, origin_s, newest_s)
        if self._asked.get(key) == name:
            return
        try:
            found = party.answer(panel.between(first, origin_s), origin_s)
        except Exception as error:  # a fault of one party must not stop the others
            _log.exception("no forecast of %s", party.party.party)
            gap = Gap("forecaster", detail=f"{type(error).__name__}: {error}")
            failed = PartyForecasts(party.party.service, party.party.party, None, gap)
            found = PartyAnswer(failed, None)
        drafts = _drafts(found, now_s, origin_s, newest_s, evidence)
        for event in self.keep(drafts):
            if event.kind is EventKind.DECISION:
                self._raise_alarms(event)
        self._asked[key] = name

    def _raise_alarms(self, event: Event) -> None:
        made = known_decision(event)
        self.keep(self.alarms.after_decision(event, made.decision, made.task))

    def _apply(self, event: Event) -> None:
        with self._lock:
            self.decisions.apply(event)
            self.alarms.apply(event)
            key = event.service, event.party
            if event.kind is EventKind.FORECAST and key in self._parties:
                found, party = stored_forecast(event), self._parties[key]
                if found is None:
                    self._parties[key] = replace(party, failed=event)
                else:
                    self._parties[key] = replace(party, forecast=found, failed=None)

    def _resume_party(self, key: PartyKey) -> None:
        found = self._newest(EventKind.FORECAST, key)
        if found is not None:
            self._apply(found)
            self._asked[key] = found.key
        decided = self._newest(EventKind.DECISION, key)
        if decided is not None:  # a node killed before it raised the alarms of this
            self._raise_alarms(decided)

    def _newest(self, kind: EventKind, key: PartyKey) -> Event | None:
        service, party = key
        query = EventQuery((kind,), service=service, party=party, newest=True, limit=1)
        return next(iter(self.events.read(query)), None)


def _drafts(
    found: PartyAnswer, now_s: int, origin_s: int, newest_s: int, evidence: SourceState
) -> list[EventDraft]:
    """The events of an answer: its forecast, and its decision if there is one."""
    forecast = forecast_event(found.forecasts, now_s, origin_s, newest_s)
    if found.decision is None:
        return [forecast]
    service, party = found.forecasts.service, found.forecasts.party
    return [
        forecast,
        decision_event(service, party, found.decision, found.task, evidence, forecast),
    ]
