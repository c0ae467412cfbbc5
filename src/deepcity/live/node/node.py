"""A node: one city, its records, forecasts, decisions and alarms, all of it as events.

At every step of a party's clock: rows that have come are kept, the party forecasts from what is
known, its application decides, alarms are raised or end. Each is an event with a key of its own,
so a node that is killed at any point goes on where it was, and nothing happens twice.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from deepcity.applications.application import Task
from deepcity.city.errors import DataError, ProblemsError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile, empty_panel
from deepcity.data.panel import Panel
from deepcity.forecasting.gaps import Gap
from deepcity.forecasting.table import PartyForecasts
from deepcity.live.feeds.refused_rows import Refused
from deepcity.live.forecasters import AnyForecaster
from deepcity.live.node.alarm_book import AlarmBook
from deepcity.live.node.answer_events import answer_events
from deepcity.live.node.checking.check_event import reading_drafts
from deepcity.live.node.checking.checker import RecordChecker
from deepcity.live.node.checking.reading import ReadingNotes
from deepcity.live.node.clock import ClockMode, NodeClock
from deepcity.live.node.daily_work import DailyWork
from deepcity.live.node.decision_book import DecisionBook, known_decision
from deepcity.live.node.deep_source import DeepSource, worst_states
from deepcity.live.node.forecast_event import (
    StoredForecast,
    forecast_event,
    forecast_key,
    stored_forecast,
)
from deepcity.live.node.kept_forecasts import KeptForecasts
from deepcity.live.node.learning.learner import DailyLearner
from deepcity.live.node.newest_events import NewestEvents
from deepcity.live.node.party import NodeParty, PartyAnswer, node_party
from deepcity.live.node.received import ReceivedDeepData
from deepcity.live.node.records.agency_book import AgencyBook
from deepcity.live.node.records.record_sources import RecordSource
from deepcity.live.node.records.source_status import (
    SourceState,
    SourceStatus,
    TroubleCode,
    source_state,
)
from deepcity.store.events.event import Event, EventDraft, EventKind, EventQuery
from deepcity.store.events.event_store import EventStore

PartyKey = tuple[str, str]
"""Service and party."""
_BACK = 20_000  # events among which decisions and their answers are looked for at a start
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
        learner: lets forecasters learn from new days, at the beginning of each day of the city;
            None: they stay as they are.
        snapshots: folder for snapshots of records, which make a start short; None: none are made.
        received: takes the deep data of agencies' own processes; None: none send any.
        checker: checks the records, soon after the start and each day; None: nobody does.
        refused: agency -> rows refused of late as they came, with the source that they are of.
    """

    def __init__(
        self,
        city_file: CityFile,
        sources: Mapping[str, RecordSource],
        forecasters: Sequence[AnyForecaster],
        events: EventStore,
        clock: NodeClock,
        learner: DailyLearner | None = None,
        snapshots: Path | None = None,
        received: ReceivedDeepData | None = None,
        checker: RecordChecker | None = None,
        refused: Callable[[str], Sequence[tuple[str, Refused]]] = lambda _agency: (),
    ) -> None:
        self.city_file, self.events, self.clock = city_file, events, clock
        self.received = received
        self.decisions, self.alarms = DecisionBook(), AlarmBook()
        self.started = threading.Event()
        self.first_learning_since_s: int | None = None  # by the machine's clock; None: none is
        self._sources, self._reading = dict(sources), ReadingNotes(refused)
        self._lock = threading.RLock()
        empty = {name: empty_panel(city_file, name) for name in sources}
        self._agencies = AgencyBook(empty, events, snapshots)
        self._states: dict[tuple[str, str], SourceStatus] = {}
        self._parties: dict[PartyKey, PartyNow] = {}
        self._asked: dict[PartyKey, str] = {}
        self._forecasts = KeptForecasts(events)
        self._daily = DailyWork(city_file.city.clock.time_zone, learner, checker)
        self._newest_events, self._last = NewestEvents(EventKind.CHECK, EventKind.UPDATE), 0
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

    @property
    def learning_since_s(self) -> int | None:
        """Since when forecasters learn from new days, UTC seconds; None: they do not now."""
        return self._daily.learning_since_s

    @property
    def checked_s(self) -> int | None:
        """When records were last checked, since the start; None: not yet."""
        return self._daily.checked_s

    def check(self, agency: str) -> Event | None:
        """The newest event of the data check on an agency's records; None: there is none."""
        return self._newest_events.find(EventKind.CHECK, "", agency)

    def update(self, service: str, party: str) -> Event | None:
        """The newest event of what a party's forecaster learned from new days; None: none is."""
        return self._newest_events.find(EventKind.UPDATE, service, party)

    def panel(self, agency: str) -> Panel:
        """An agency's records; no step before the first have come."""
        return self._agencies[agency].panel

    def source(self, agency: str, now_s: int) -> SourceState:
        """How new an agency's records are at a time."""
        found = self._agencies[agency]
        if found.trouble:
            trouble = found.trouble, TroubleCode.UNREADABLE
        else:
            trouble = self._sources[agency].trouble, TroubleCode.NOT_COMING
        return source_state(agency, found.summary, now_s, *trouble)

    def deep_sources(self, now_s: int) -> list[DeepSource]:
        """The agencies whose own processes send deep data, as they are at a time."""
        parties = self.parties.values()
        return [found for one in parties for found in one.party.deep_sources(now_s)]

    def forecast(self, key: str) -> StoredForecast | None:
        """The forecast of an event's key; None if that says why there is none.

        Raises:
            StoreError: if it cannot be read.
        """
        return self._forecasts.find(key)

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
        self._agencies.resume()
        recent = self.events.last() - _BACK
        decided = (EventKind.DECISION, EventKind.ANSWER)
        alarms = self.events.read(EventQuery((EventKind.ALARM,), data=False))
        for event in [*self.events.read(EventQuery(decided, after=recent, data=False)), *alarms]:
            self._apply(event)
        for key in self._parties:
            self._resume_party(key)
        checks = [(EventKind.CHECK, "", agency) for agency in self._sources]
        problems = [(EventKind.UPDATE, "", self.city_file.city.name)]
        self._newest_events.resume(self.events, [*checks, *problems])
        self._last = self.events.last()
        self._daily.resume(self.events.newest_s(), self.clock.now())

    def tick(self) -> int:
        """Do what is due now; returns how many events that gave.

        Raises:
            StoreError: if they cannot be kept: nothing of the step that failed is.
        """
        now_s, before = self.clock.now(), self._last
        self._daily.keep_results(self.keep, self.check, now_s, self._reading.of)
        if self.clock.mode is ClockMode.REPLAY and self._daily.unfinished(now_s):
            return self._last - before  # each day's work is of that day alone, on any machine
        for agency in self._sources:
            self._take_rows(agency, now_s)
        for service, state in worst_states(self.deep_sources(now_s)):
            self._note_state(service, state, now_s)
        panels = {name: self.panel(name) for name in self.agencies}
        self._daily.begin_learning(panels, now_s)
        for key in self.parties:
            self._ask(key, now_s)
        self._agencies.save()
        self._daily.begin_check(panels, now_s)
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
        """End learning and checking, keep snapshots, and let go of the sources.

        Who opened the events closes them.
        """
        self._daily.close()
        self._agencies.save(all_of_them=True)
        for source in self._sources.values():
            source.close()

    def _join(self, forecasters: Sequence[AnyForecaster]) -> list[PartyKey]:
        found = {
            (one.party.service, one.party.party): PartyNow(
                node_party(one, self._known, self.received)
            )
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
        try:
            found = self._sources[agency].poll(now_s)
        except (ProblemsError, OSError) as error:
            self._agencies.fail(agency, " ".join(str(error).split()))
            self._reading.failed(agency, error)
        else:
            if found is not None:
                self._reading.read(agency, self._sources[agency].findings)
                drafts, now = self._agencies.drafts(agency, found, now_s)
                stored = self.keep(drafts, partial(self._agencies.set, agency, now))
                self._agencies.kept(agency, stored)
        self._note_state("", self.source(agency, now_s), now_s)
        self.keep(reading_drafts(agency, self.check(agency), self._reading.of(agency), now_s))

    def _note_state(self, service: str, state: SourceState, now_s: int) -> None:
        """Keep a source's status, and raise its alarms, if it has changed.

        Args:
            service: for which it is deep data; empty: it is an agency's records.
        """
        agency = state.agency
        before = self._states.get((service, agency))
        if before is None:
            last = self._newest(EventKind.SOURCE, (service, agency))
            before = SourceStatus.WAITING if last is None else SourceStatus(last.body["status"])
        self._states[service, agency] = state.status
        if state.status is before:
            return
        body = {name: value for name, value in asdict(state).items() if name != "agency"}
        key = f"source/{service and service + '/'}{agency}/{now_s}/{state.status.value}"
        draft = EventDraft(EventKind.SOURCE, key, now_s, service, agency, body=body)
        for event in self.keep([draft]):
            self.keep(self.alarms.after_source(event, state))

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
        deep_key = party.deep_key(origin_s)
        name = forecast_key(*key, origin_s, newest_s, deep_key)
        if self._asked.get(key) == name:
            return
        try:
            found = party.answer(panel.between(first, origin_s), origin_s)
        except Exception as error:  # a fault of one party must not stop the others
            _log.exception("no forecast of %s", party.party.party)
            gap = Gap("forecaster", detail=f"{type(error).__name__}: {error}")
            failed = PartyForecasts(party.party.service, party.party.party, None, gap)
            found = PartyAnswer(failed, None, deep_key=deep_key)
        parts = now_s, origin_s, newest_s, found.deep_key, found.agencies
        drafts = answer_events(found, forecast_event(found.forecasts, *parts), evidence)
        for event in self.keep(drafts):
            if event.kind is EventKind.DECISION:
                self._raise_alarms(event)
        self._asked[key] = forecast_key(*key, origin_s, newest_s, found.deep_key)

    def _raise_alarms(self, event: Event) -> None:
        made = known_decision(event)
        self.keep(self.alarms.after_decision(event, made.decision, made.task))

    def _apply(self, event: Event) -> None:
        with self._lock:
            self.decisions.apply(event)
            self.alarms.apply(event)
            self._newest_events.apply(event)
            key = event.service, event.party
            if event.kind is EventKind.FORECAST and key in self._parties:
                found, party = stored_forecast(event), self._parties[key]
                if found is None:
                    self._parties[key] = replace(party, failed=event)
                else:
                    self._parties[key] = replace(party, forecast=found, failed=None)

    def _resume_party(self, key: PartyKey) -> None:
        updates = [(EventKind.UPDATE, *key), (EventKind.UPDATE, "", key[1])]
        self._newest_events.resume(self.events, updates)
        found = self._newest(EventKind.FORECAST, key)
        decided = self._newest(EventKind.DECISION, key)
        if found is not None:
            self._apply(found)
            if decided is None or decided.body["task"] != Task.PLAN.value:
                self._asked[key] = found.key  # a plan's party is asked once more, for its state
        if decided is not None:  # a node killed before it raised the alarms of this
            self._raise_alarms(decided)

    def _newest(self, kind: EventKind, key: PartyKey) -> Event | None:
        service, party = key
        query = EventQuery((kind,), service=service, party=party, newest=True, limit=1)
        return next(iter(self.events.read(query)), None)
