"""What a run's folder says of its map: read from the coordinator's and the sites' own files.

    results.json, rounds.json    the coordinator's: all parties, who was in which round
    sites/*/result.json          a site's own, where the coordinator's are not here
    sites/*/checkpoints/         a site's own: in which round it last trained, and when
    vertical.json                agencies of one city that meet at a hidden layer

A file may come from another party: it is read up to a size, checked, and refused whole with the
reason. What is kept in memory is what the map shows, until the file changes.
"""

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TypeVar

from deepcity.city.errors import CheckpointError, DeepCityError
from deepcity.city.level import LADDER, MAX_LEVEL, STEM
from deepcity.city.localized_text import LocalizedText
from deepcity.parties.method_errors import AUTOMATIC
from deepcity.runs.machines.federated_map import map_on_machine
from deepcity.runs.outcome.round_records import (
    ROUNDS,
    Records,
    TakingPart,
    TrainingRecord,
    read_rounds,
    records_of,
    taking_part,
)
from deepcity.runs.results import PartyResult, RunResults, ServiceResult, SiteResults
from deepcity.runs.site import RESULT
from deepcity.store.result_bounds import FIRST_S, LAST_S
from deepcity.store.run_folder import read_results, recorded_map, site_folder
from deepcity.vertical.results import VerticalResults
from deepcity.web.control.intercity_map.vertical_records import (
    VerticalPart,
    check_names,
    vertical_parts,
)
from deepcity.web.report.findings import gain_over, traffic_of
from deepcity.web.report.notes import note
from deepcity.web.report.text import Text

Found = TypeVar("Found")
MOST_BYTES = 50_000_000
"""Of a results file."""
RESULTS, VERTICAL = "results.json", "vertical.json"
_MOST_SITES, _MOST_PARTIES, _LONGEST_REASON, _LONGEST_TEXT = 1000, 10_000, 500, 1000
_LAYERS = (STEM, *LADDER)
_READING = Lock()  # a file of the largest size takes seconds and hundreds of MB
_LEVEL = re.compile(r"level_([1-6])(-.*)?")
_CHECKPOINT = re.compile(r"(?P<method>.+)\.(?P<round>\d{6,12})\.checkpoint")


@dataclass(frozen=True)
class MapParty:
    """A party of a service, as far as it is known here.

    Attributes:
        level: that it chose; None: not known here.
        layers: that left it during training; of these, others may use all.
        granted: the deepest level that it may share; None: not recorded.
        change: of its error against learning alone; below 0 is better. None: not known here.
        sent, received: bytes of the training that it chose from.
        part: when it last took part in the rounds; None: not recorded.
        by_site: that comes from its own checkpoints, which know of no failure.
        bound: what set the level: accuracy, a limit or a grant; None: not recorded.
        values_shared: whether measured values of it are in results; None: not known here.
    """

    name: str
    title: LocalizedText
    newcomer: bool = False
    level: int | None = None
    layers: tuple[str, ...] = ()
    granted: int | None = None
    change: float | None = None
    sent: int | None = None
    received: int | None = None
    part: TakingPart | None = None
    by_site: bool = False
    values_shared: bool | None = None
    bound: Text | None = None


@dataclass(frozen=True)
class MapService:
    """A service of a map: its parties by name; `title` None: no more is known than its name."""

    name: str
    title: LocalizedText | None
    parties: Mapping[str, MapParty]
    question: LocalizedText | None = None


@dataclass(frozen=True)
class FolderRecords:
    """All of a folder; `unread` names files that could not be read, and why."""

    services: tuple[MapService, ...] = ()
    vertical: tuple[VerticalPart, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()


@dataclass
class _Reader:
    """Reads files of one folder, and notes those that cannot be."""

    folder: Path
    unread: list[tuple[str, str]] = field(default_factory=list)

    def read(self, path: Path, how: Callable[[], Found]) -> Found | None:
        """What a file holds; None: it is not there, or cannot be read."""
        if not path.is_file():
            return None
        try:
            return how()
        except DeepCityError as error:
            self.note(path, error)
            return None

    def note(self, path: Path, error: DeepCityError) -> None:
        """Name a file, without the folders of this machine above it."""
        inside = path.is_relative_to(self.folder)
        file = path.relative_to(self.folder).as_posix() if inside else path.name
        reason = " ".join(str(error).split()).replace(f"{path.parent}{os.sep}", "")
        self.unread.append((file, reason[:_LONGEST_REASON]))


def folder_records(folder: Path) -> FolderRecords:
    """What a folder says now; read again only when a file has changed, once for all who ask."""
    with _READING:
        return _read(folder, _fingerprint(folder))


def _fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    paths = [folder / name for name in (RESULTS, ROUNDS, VERTICAL, "map.json")]
    paths += [*_site_results(folder), *folder.glob("sites/*/checkpoints")]
    found = []
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            continue
        found.append((str(path), state.st_mtime_ns, state.st_size))
    return tuple(found)


def _site_results(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"sites/*/{RESULT}"))[:_MOST_SITES]


@lru_cache(maxsize=32)
def _read(folder: Path, _fingerprint: object) -> FolderRecords:
    reader = _Reader(folder)
    rounds = reader.read(folder / ROUNDS, lambda: read_rounds(folder)) or {}
    path = folder / RESULTS
    whole = reader.read(path, lambda: _whole(path))
    services = _services(whole) if whole is not None else _own_services(reader)
    for name in dict.fromkeys(one.partition(".")[0] for one in rounds):
        services.setdefault(name, MapService(name, None, {}))
    found = [_with_rounds(folder, one, rounds) for one in services.values()]
    vertical = reader.read(folder / VERTICAL, lambda: _vertical(folder / VERTICAL)) or ()
    return FolderRecords(tuple(found), vertical, tuple(reader.unread))


def _whole(path: Path) -> RunResults:
    found = read_results(path, RunResults, "deepcity run", MOST_BYTES)
    _check(path, [party for service in found.services for party in service.parties])
    for service in found.services:
        check_names(path, (service.name, service.title.en, service.title.ko))
        for traffic in service.traffic:
            sizes = (*traffic.bytes_by_party.values(), *traffic.received_by_party.values())
            if any(size < 0 for size in sizes):
                raise CheckpointError(f"{path} holds fewer than 0 bytes: put back a copy of it")
    return found


def _own(path: Path) -> SiteResults:
    found = read_results(path, SiteResults, "deepcity federation", MOST_BYTES)
    _check(path, list(found.services.values()))
    check_names(path, tuple(found.services))
    return found


def _check(path: Path, parties: list[PartyResult]) -> None:
    """Refuse what no run writes, and what would spoil the map.

    Raises:
        CheckpointError: naming the first.
    """
    if len(parties) > _MOST_PARTIES:
        raise CheckpointError(f"{path} has over {_MOST_PARTIES:,} parties: put back a copy of it")
    for one in parties:
        levels = (one.level, 0 if one.granted_level is None else one.granted_level)
        if not all(0 <= level <= MAX_LEVEL for level in levels):
            raise CheckpointError(f"{path} has levels {levels}, and there are 0 to {MAX_LEVEL}")
        check_names(path, (one.name, one.title.en, one.title.ko))


def _vertical(path: Path) -> tuple[VerticalPart, ...]:
    found = read_results(path, VerticalResults, "deepcity train-vertical", MOST_BYTES)
    return vertical_parts(path, found)


def _services(found: RunResults) -> dict[str, MapService]:
    return {
        one.name: MapService(
            one.name, one.title, {p.name: _party(p, one) for p in one.parties}, _shown(one.question)
        )
        for one in found.services
    }


def _shown(text: LocalizedText) -> LocalizedText | None:
    """A text that a page can show; else none."""
    both = (text.en, text.ko)
    fits = all(one.isprintable() and len(one) <= _LONGEST_TEXT for one in both)
    return text if fits else None


def _party(found: PartyResult, service: ServiceResult | None = None) -> MapParty:
    """A party by its results; with those of its service, its bytes too."""
    gain = gain_over(found, AUTOMATIC)
    traffic = None if service is None else traffic_of(service, AUTOMATIC)
    sent = received = None
    if traffic is not None:
        sent = 0 if found.newcomer else traffic.bytes_by_party.get(found.name)
        received = traffic.received_by_party.get(found.name)
    common = traffic is not None and traffic.bytes_by_layer.get(STEM, 0) > 0
    return MapParty(
        name=found.name,
        title=found.title,
        newcomer=found.newcomer,
        level=found.level,
        layers=_up_to(found.granted_level or 0, common=common) if sent else (),
        granted=found.granted_level,
        change=None if gain is None or not math.isfinite(gain) else -gain,
        sent=sent,
        received=received,
        values_shared=found.forecast.truth is not None,
        bound=_bound(found),
    )


def _bound(found: PartyResult) -> Text | None:
    """What set its level; nothing of a record that has no sentence."""
    try:
        return None if found.level_bound is None else note(found.level_bound)
    except (KeyError, TypeError, ValueError):
        return None


def _up_to(level: int, *, common: bool = False) -> tuple[str, ...]:
    return (*((STEM,) if common and level else ()), *LADDER[:level])


def _own_services(reader: _Reader) -> dict[str, MapService]:
    """Services by the results that sites keep in their own folders, and the map that they are of:
    others of the map are named, with what they grant; the rest is theirs and the coordinator's.
    """
    found: dict[str, MapService] = {}
    for path in _site_results(reader.folder):
        own = reader.read(path, lambda path=path: _own(path))  # type: ignore[misc]
        for name, party in () if own is None else own.services.items():
            known = found.get(name, MapService(name, None, {}))
            parties = {**known.parties, party.name: _party(party)}
            found[name] = replace(known, parties=parties)
    map_file = recorded_map(reader.folder) if found else None
    if map_file is None:
        return found
    try:
        return {one.name: one for one in _with_map(map_file, found)}
    except DeepCityError as error:
        reader.note(map_file, error)
        return found


def _with_map(map_file: Path, found: Mapping[str, MapService]) -> Iterator[MapService]:
    for service in map_on_machine(map_file).services:
        settings = service.settings
        known = found.get(settings.name)
        if known is None or settings.vertical is not None:
            continue
        title = settings.title.value() if settings.title else service.application.title
        parties = {
            one.name: known.parties.get(one.name)
            or MapParty(
                one.name,
                service.title_of(one),
                one.name in settings.newcomers,
                granted=settings.grant.level_of(one.name),
            )
            for one in service.members
        }
        question = service.application.question
        yield MapService(settings.name, title, {**known.parties, **parties}, question)


def _with_rounds(folder: Path, service: MapService, rounds: Records) -> MapService:
    """A service whose parties have what the rounds' records say of them; parties that are in no
    results, for they never answered, are in them by their names.
    """
    parts, joined = taking_part(rounds, service.name), _joined(rounds, service.name)
    parties = {**{name: _unknown(name) for name in parts}, **service.parties}
    found = {}
    for name, party in parties.items():
        own = None if name in parts else _own_rounds(folder, service.name, party)
        now = own or replace(party, part=parts.get(name))
        found[name] = now if joined is None else _with_bytes(now, joined)
    return replace(service, parties=found)


def _unknown(name: str) -> MapParty:
    return MapParty(name, LocalizedText(name, name))


def _joined(rounds: Records, service: str) -> TrainingRecord | None:
    """The training at the deepest level: parties choose from it."""
    found = [one for one in records_of(rounds, service).values() if any(one.levels.values())]
    return max(found, key=lambda one: max(one.levels.values()), default=None)


def _with_bytes(party: MapParty, joined: TrainingRecord) -> MapParty:
    """The layers that left it, as they were counted; bytes where its results have none."""
    sent = joined.sent.get(party.name, {})
    layers = tuple(one for one in _LAYERS if sent.get(one))
    total = sum(sent.values()) if joined.sent else None
    received = sum(joined.received.get(party.name, {}).values()) if joined.received else None
    return replace(
        party,
        layers=layers or party.layers,
        sent=total if party.sent is None else party.sent,
        received=received if party.received is None else party.received,
    )


def _own_rounds(folder: Path, service: str, party: MapParty) -> MapParty | None:
    """A party by its own newest checkpoint of a service; None: it keeps none here."""
    newest, level = (0.0, 0), 0
    for path in (site_folder(folder, party.name) / "checkpoints").glob("*.checkpoint"):
        known = _CHECKPOINT.fullmatch(path.name.removeprefix(f"{service}."))
        if known is None or not path.name.startswith(f"{service}."):
            continue
        try:
            newest = max(newest, (path.stat().st_mtime, int(known["round"])))
        except OSError:  # an older one, removed meanwhile
            continue
        if named := _LEVEL.fullmatch(known["method"]):
            level = max(level, int(named[1]))
    at_s, last = newest
    if not last or not FIRST_S <= at_s <= LAST_S:
        return None
    shared = _up_to(level if party.granted is None else min(level, party.granted))
    part = TakingPart(last, last, int(at_s))
    return replace(party, part=part, by_site=True, layers=party.layers or shared)
