"""Run the meetings of a map: each party with the agencies of its own city.

FOLDER/meeting.json          what was found out
FOLDER/parties/*.json        each party's part of it, kept as soon as it is done: a run that was
                             stopped goes on with the party it stood at
FOLDER/packages/PARTY/       encoders and application for daily use (`deepcity agency`,
                             `deepcity serve`)
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from deepcity import __version__
from deepcity.city.errors import CheckpointError, ConfigError
from deepcity.city.problem import Problem
from deepcity.exchange.exchange import Failure
from deepcity.exchange.meeting import Mode
from deepcity.intercity import meeting_methods as methods
from deepcity.intercity.city_map import CityMap, Service
from deepcity.intercity.guests import Table, lay, teach
from deepcity.intercity.meeting_methods import Fused
from deepcity.intercity.meeting_packages import save_packages
from deepcity.intercity.meeting_results import (
    SILENT,
    TOGETHER,
    Cost,
    MeetingParty,
    MeetingResults,
    MeetingService,
)
from deepcity.intercity.parties import parties_of
from deepcity.intercity.results import ALONE, AUTOMATIC, POOLED, Errors, Words
from deepcity.intercity.summary import errors_of, naive_errors
from deepcity.intercity.watch import Silent, Task, Watch
from deepcity.store.atomic import why_not, write_whole


@dataclass(frozen=True)
class _Work:
    """One service's meetings."""

    service: Service
    seed: int
    folder: Path
    watch: Watch
    fingerprint: str

    def task(self, party: str, method: str) -> str:
        """How a piece of work is called on the screen."""
        return f"{party}: {method}"


def run_meetings(
    city_map: CityMap, folder: Path, watch: Watch | None = None, *, threads: int = 1
) -> MeetingResults:
    """Run every service of a map that has a meeting; parties done by an earlier run are kept.

    Raises:
        ConfigError: if no service of the map has a meeting.
        CheckpointError: if the folder cannot be written.
        DataError: if records do not suffice.
        ExchangeError: if an agency cannot come.
    """
    torch.set_num_threads(threads)
    services = [service for service in city_map.services if service.settings.meeting is not None]
    if not services:
        right = "add [service.meeting] with an [[service.meeting.agency]] to a service"
        file = city_map.path.name
        raise ConfigError([Problem(file, "service", None, "no service has a meeting", right)])
    watch = watch or Silent()
    watch.plan([task for service in services for task in _tasks(service)])
    results = MeetingResults(
        map=city_map.settings.name,
        version=__version__,
        seed=city_map.settings.seed,
        services=[
            _service(_Work(service, city_map.settings.seed, folder, watch, city_map.fingerprint()))
            for service in services
        ],
    )
    _write(folder / "meeting.json", results.model_dump_json(indent=1))
    return results


def _tasks(service: Service) -> list[Task]:
    training = service.settings.training
    return [
        Task(f"{member.name}: {method}", training.rounds, float(training.total_steps))
        for member in service.members
        for method in (ALONE, TOGETHER, POOLED)
    ]


def _service(work: _Work) -> MeetingService:
    settings = work.service.settings
    assert settings.meeting is not None
    parties = parties_of(work.service)
    tables = [
        lay(work.service, member, party, work.seed)
        for member, party in zip(work.service.members, parties, strict=True)
    ]
    kept = {table.party.name: _kept(work, table) for table in tables}
    if any(found is None for found in kept.values()):
        teach(tables, work.seed)
    title = settings.title or work.service.application.title
    return MeetingService(
        name=settings.name,
        title=Words(en=title.en, ko=title.ko),
        mode=settings.meeting.mode,
        level=settings.meeting.level,
        labels_stay=settings.meeting.labels_stay,
        parties=[kept[table.party.name] or _party(work, table) for table in tables],
    )


def _party(work: _Work, table: Table) -> MeetingParty:
    """Every method for one party; kept when done."""
    party, settings = table.party, work.service.settings
    test: dict[str, Errors] = naive_errors(party)
    alone = methods.alone(table, settings.training, work.seed, _after(work, party.name, ALONE))
    begun = time.perf_counter()
    together = _together(work, table)
    seconds = time.perf_counter() - begun
    pooled, samples = methods.pooled(
        table, settings.training, work.seed, _after(work, party.name, POOLED)
    )
    said = {
        ALONE: alone.forecast(party.test, {}),
        TOGETHER: together.forecast(party.test, together.test),
        POOLED: pooled.forecast(samples, {}),
        AUTOMATIC: methods.careful(table, alone, together).forecast_BNH,
    }
    for agency in table.guests:
        said[f"{SILENT}{agency}"] = methods.without(table, alone, together, agency)
    metric, truth = work.service.application.metric, party.test.truth_BNH
    test |= {method: errors_of(forecast, truth) for method, forecast in said.items()}
    found = MeetingParty(
        name=party.name,
        title=Words(en=party.title.en, ko=party.title.ko),
        unit=party.unit,
        agencies=list(table.guests),
        test=test,
        judged={method: metric.error(forecast, truth) for method, forecast in said.items()},
        metric=metric.name,
        cost=_cost(together, seconds),
        failures=_failures(together),
    )
    if not table.meeting.labels_stay:
        folder = work.folder / "packages" / party.name.replace("/", "-").replace(":", "-")
        member = next(m for m in work.service.members if m.name == party.name)
        save_packages(table, together, alone, member.city_file, settings.window, folder)
    _write(_path(work, table), found.model_dump_json(indent=1))
    return found


def _together(work: _Work, table: Table) -> Fused:
    settings = work.service.settings
    meet = methods.fused_elsewhere if table.meeting.labels_stay else methods.fused
    after = _after(work, table.party.name, TOGETHER)
    return meet(table, settings.training, work.seed, Mode(table.meeting.mode), after)


def _after(work: _Work, party: str, method: str) -> methods.AfterRound:
    task = work.task(party, method)
    work.watch.begin(task, work.service.settings.training.rounds)
    return lambda done: work.watch.advance(task, done)


def _cost(fused: Fused, seconds: float) -> Cost:
    assert fused.exchange is not None
    ledger = fused.exchange.ledger
    kinds: dict[str, int] = dict(ledger.left_by_layer())
    for kind, size in ledger.received_by_layer().items():
        kinds[kind] = kinds.get(kind, 0) + size
    return Cost(messages=ledger.messages, bytes=ledger.total, by_kind=kinds, seconds=seconds)


def _failures(fused: Fused) -> list[str]:
    rounds: Sequence[Sequence[Failure]] = fused.minutes.failures if fused.minutes else ()
    return sorted({f"{failure.party}: {failure.reason}" for one in rounds for failure in one})


def _path(work: _Work, table: Table) -> Path:
    """Where a party's part is kept; another map, seed or version has another name."""
    said = f"{work.fingerprint}/{work.seed}/{__version__}/{work.service.settings.name}"
    digest = hashlib.sha256(f"{said}/{table.party.name}".encode()).hexdigest()[:12]
    name = table.party.name.replace("/", "-").replace(":", "-")
    return work.folder / "parties" / f"{name}-{digest}.json"


def _kept(work: _Work, table: Table) -> MeetingParty | None:
    path = _path(work, table)
    try:
        return MeetingParty.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as error:
        raise CheckpointError(why_not(path, error, len(text))) from error
