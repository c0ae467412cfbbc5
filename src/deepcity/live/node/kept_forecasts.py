"""Earlier forecasts that decisions are followed by: read once, kept for a while."""

import threading
from collections import OrderedDict

from deepcity.live.node.forecast_event import StoredForecast, stored_forecast
from deepcity.store.events.event_store import EventStore

_MOST = 64  # beside the newest of each party


class KeptForecasts:
    """The forecasts that were asked for last. Threads may share it."""

    def __init__(self, events: EventStore) -> None:
        self._events, self._lock = events, threading.Lock()
        self._found: OrderedDict[str, StoredForecast | None] = OrderedDict()

    def find(self, key: str) -> StoredForecast | None:
        """The forecast of an event's key; None if that says why there is none.

        Raises:
            StoreError: if it cannot be read.
        """
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        event = self._events.find(key)
        found = None if event is None else stored_forecast(event)
        with self._lock:
            self._found[key] = found
            while len(self._found) > _MOST:
                self._found.popitem(last=False)
        return found
