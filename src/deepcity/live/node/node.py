"""A node: one city, its records, forecasts, decisions and alarms, all of it as events.

At every step of a party's clock: rows that have come are kept, the party forecasts from what is
known, its application decides, alarms are raised or end. Each is an event with a key of its own,
so a node that is killed at any point goes on where it was, and nothing happens twice.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from deepcity.city.errors import DeepCityError, ProblemsError
from deepcity.data.city_file import CityFile
from deepcity.data.panel import Panel
from deepcity.live.forecasters import AnyForecaster
from deepcity.live.node.agency_records import changed_rows, folded, merged, rows_events
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
from deepcity.live.node.source_status import SourceState, SourceStatus, source_state
from deepcity.store.events.event import Event, EventDraft, EventKind, EventQuery
from deepcity.store.events.event_store import EventStore

PartyKey = tuple[str, str]
"""Service and party."""
_FOLDED = (EventKind.DECISION, EventKind.ANSWER, EventKind.ALARM)
_BACK = 20_000  # events that the books are folded from at a start
_log = logging.getLogger(__name__)


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
        self._panels: dict[str, Panel | None] = dict.fromkeys(sources)
        self._trouble: dict[str, str] = dict.fromkeys(sources, "")
        self._states: dict[str, SourceState] = {}
        self._parties = {
            (one.party.service, one.party.party): PartyNow(node_party(one, self._known))
            for one in forecasters
        }
        self._asked: dict[PartyKey, str] = {}
        self._last, self._update, self._day = 0, update, ""

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

    def panel(self, agency: str) -> Panel | None:
        """An agency's records; None before the first have come."""
        with self._lock:
            return self._panels[agency]

    def source(self, agency: str, now_s: int) -> SourceState:
        """How new an agency's records are at a time."""
        with self._lock:
            panel, trouble = self._panels[agency], self._trouble[agency]
        return source_state(agency, panel, now_s, trouble)

    def add(self, forecasters: Sequence[AnyForecaster]) -> None:
        """Let more parties take part, as far as their agencies' records are known here.

        Raises:
            StoreError: if what they did before cannot be read.
        """
        for one in forecasters:
            key = one.party.service, one.party.party
            with self._lock:
                self._parties = {**self._parties, key: PartyNow(node_party(one, self._known))}
            self._resume_party(key)

    def resume(self) -> None:
        """Take up what the events hold: records, newest forecasts, decisions and alarms.

        Raises:
            StoreError: if they cannot be read.
        """
        newest = self.events.last()
        for event in self.events.read(EventQuery(_FOLDED, after=newest - _BACK, data=False)):
            self._apply(event)
        for key in self._parties:
            self._resume_party(key)
        self._last = self.events.last()

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

    def keep(self, drafts: Sequence[EventDraft]) -> list[Event]:
        """Store events, and let them count; returns those that are new.

        Raises:
            StoreError: if they cannot be kept.
        """
        with self._lock:
            stored = self.events.append(drafts)
            for event in stored:
                self._apply(event)
                self._last = max(self._last, event.seq)
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

    def _known(self, _city_file: CityFile, agency: str) -> Panel:
        panel = self._panels.get(agency)
        if panel is None:
            raise DeepCityError(f"{agency} has no records yet")
        return panel

    def _take_rows(self, agency: str, now_s: int) -> None:
        try:
            found = self._sources[agency].poll(now_s)
            trouble = self._trouble[agency] if found is None else ""
        except (ProblemsError, OSError) as error:
            found, trouble = None, " ".join(str(error).split())
        if found is not None:
            known = self._panels[agency]
            if known is None:
                known = self._stored_panel(agency, found)
            drafts = rows_events(agency, found, changed_rows(known, found), now_s)
            panel = merged(known, found)
            with self._lock:
                self.keep(drafts)
                self._panels[agency] = panel
        self._trouble[agency] = trouble
        self._note_state(agency, now_s)

    def _stored_panel(self, agency: str, found: Panel) -> Panel | None:
        """What earlier runs of this node have kept."""
        empty = replace(found, time_T=found.time_T[:0], values_TNF=found.values_TNF[:0])
        stored = self.events.read(EventQuery((EventKind.ROWS,), party=agency))
        return folded(stored, empty)

    def _note_state(self, agency: str, now_s: int) -> None:
        """Keep a source's status, and raise its alarms, if it has changed."""
        state, before = self.source(agency, now_s), self._states.get(agency)
        self._states[agency] = state
        if before is None:
            query = EventQuery((EventKind.SOURCE,), party=agency, newest=True, limit=1)
            last = next(iter(self.events.read(query)), None)
            status = SourceStatus.WAITING if last is None else SourceStatus(last.body["status"])
        else:
            status = before.status
        if state.status is status:
            return
        body = {name: value for name, value in asdict(state).items() if name != "agency"}
        key = f"source/{agency}/{now_s}/{state.status.value}"
        for event in self.keep([EventDraft(EventKind.SOURCE, key, now_s, "", agency, body=body)]):
            self.keep(self.alarms.after_source(event, state))

    def _learn(self, now_s: int) -> None:
        """At the beginning of a day, let forecasters learn from the days before."""
        zone = ZoneInfo(self.city_file.city.clock.time_zone)
        day = datetime.fromtimestamp(now_s, zone).date().isoformat()
        if self._update is not None and self._day and day != self._day:
            self.keep(self._update(self._known, now_s))
        self._day = day

    def _ask(self, key: PartyKey, now_s: int) -> None:
        """Let a party forecast and decide, if a step has begun or rows have come since."""
        party = self._parties[key].party
        panel = self._panels[party.party.agency]
        if panel is None or not panel.mask_TNF.any():
            return
        step_s, first = panel.clock.step_s, int(panel.time_T[0])
        origin_s = first + (now_s - first) // step_s * step_s
        evidence = self.source(party.party.agency, now_s)
        newest_s = min(evidence.newest_s or first, origin_s)
        name = forecast_key(*key, origin_s, newest_s)
        if self._asked.get(key) == name:
            return
        found = party.answer(panel.between(first, origin_s), origin_s)
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
