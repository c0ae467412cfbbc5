"""All feeds of a city: a door for each source, and what asks or listens for its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from deepcity.city.errors import LiveError
from deepcity.data.city_file import CityFile
from deepcity.data.connectors.mqtt import MqttSettings
from deepcity.data.feeds.polled import PolledSettings
from deepcity.data.feeds.settings import FeedSettings
from deepcity.live.feeds.mqtt_subscriber import start_subscriber
from deepcity.live.feeds.poller import start_poller
from deepcity.live.feeds.refused_rows import Refused
from deepcity.live.feeds.row_door import RowDoor, open_door


class Collector(Protocol):
    """Asks or listens for rows in a thread of its own, and hands them to a door."""

    @property
    def trouble(self) -> str:
        """What prevents rows from coming; empty: nothing."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


@dataclass
class Feeds:
    """The feeds of a city.

    Attributes:
        city_file: the city.
        doors: by source.
        collectors: by source; of those whose rows do not come by themselves.
        faults: source -> why it has no door.
    """

    city_file: CityFile
    doors: Mapping[str, RowDoor] = field(default_factory=dict)
    collectors: Mapping[str, Collector] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    def trouble(self, agency: str) -> str:
        """What prevents rows from coming to the feeds of an agency; empty: nothing."""
        found = {name: self._trouble(name) for name in self._sources(agency)}
        return " ".join(f"{name}: {text}" for name, text in found.items() if text)

    def refused(self, agency: str) -> list[tuple[str, Refused]]:
        """Rows refused of late at the feeds of an agency, each with its source."""
        doors = [(name, self.doors.get(name)) for name in self._sources(agency)]
        return [(name, one) for name, door in doors if door for one in door.refused.recent()]

    def door(self, agency: str, source: str) -> RowDoor | None:
        """The door of an agency's source; None if rows do not come to it."""
        return self.doors.get(source) if source in self._sources(agency) else None

    @property
    def names(self) -> list[str]:
        """Where rows may come, as ``agency/source``."""
        agencies = [one.name for one in self.city_file.settings.agency]
        return [f"{one}/{source}" for one in agencies for source in self._sources(one)]

    def close(self) -> None:
        """Stop all that asks and listens; close the doors."""
        for collector in self.collectors.values():
            collector.close()
        for door in self.doors.values():
            door.spool.close()

    def _sources(self, agency: str) -> list[str]:
        found = {
            one.source: self.city_file.sources[one.source]
            for entry in self.city_file.settings.agency
            if entry.name == agency
            for one in entry.fields
        }
        return [name for name, source in found.items() if isinstance(source, FeedSettings)]

    def _trouble(self, source: str) -> str:
        collector = self.collectors.get(source)
        return self.faults.get(source) or ("" if collector is None else collector.trouble)


def open_feeds(city_file: CityFile) -> Feeds:
    """Open the doors of all feeds that agencies read; a door that does not open is a fault."""
    doors: dict[str, RowDoor] = {}
    collectors: dict[str, Collector] = {}
    faults: dict[str, str] = {}
    used = {one.source for entry in city_file.settings.agency for one in entry.fields}
    for name, source in city_file.sources.items():
        if name not in used or not isinstance(source, FeedSettings):
            continue
        try:
            doors[name] = open_door(city_file, name)
            collectors |= _collector(doors[name], city_file)
        except (LiveError, OSError) as error:
            faults[name] = str(error)
    return Feeds(city_file, doors, collectors, faults)


def _collector(door: RowDoor, city_file: CityFile) -> dict[str, Collector]:
    """What asks or listens for the rows of a source; nothing where they come by themselves."""
    source = door.source
    if isinstance(source, MqttSettings):
        return {source.name: start_subscriber(source, door, city_file)}
    if isinstance(source, PolledSettings):
        return {source.name: start_poller(source, door, city_file.path.parent)}
    return {}
