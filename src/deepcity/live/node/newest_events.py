"""The newest event of some kinds about each service and party, for what is shown as it is now."""

from collections.abc import Iterable

from deepcity.store.events.event import Event, EventKind, EventQuery
from deepcity.store.events.event_store import EventStore


class NewestEvents:
    """A fold of events. Threads may read it while one applies events.

    Args of `NewestEvents(...)`:
        kinds: that it keeps.
    """

    def __init__(self, *kinds: EventKind) -> None:
        self._kinds = kinds
        self._found: dict[tuple[EventKind, str, str], Event] = {}

    def apply(self, event: Event) -> None:
        """Keep an event, if it is of these kinds and not older than the one that is kept."""
        if event.kind not in self._kinds:
            return
        key = event.kind, event.service, event.party
        before = self._found.get(key)
        if before is None or before.seq < event.seq:
            self._found[key] = event

    def find(self, kind: EventKind, service: str, party: str) -> Event | None:
        """The newest event of a kind about a service and party; None: there is none."""
        return self._found.get((kind, service, party))

    def resume(self, events: EventStore, about: Iterable[tuple[EventKind, str, str]]) -> None:
        """Take up what is stored about some services and parties.

        Raises:
            StoreError: if it cannot be read.
        """
        for kind, service, party in about:
            query = EventQuery((kind,), service=service, party=party, newest=True, limit=1)
            for event in events.read(query):
                self.apply(event)
