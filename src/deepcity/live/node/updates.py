"""A node's forecasters learn from new days, once a day, within the bound on forgetting."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepcity.city.errors import DeepCityError
from deepcity.forecasting.run_parties import map_of
from deepcity.live.node.party import KnownPanel
from deepcity.runs.update.request import UpdateRequest
from deepcity.runs.update.results import PartyUpdate, UpdateOutcome
from deepcity.runs.update.run import refine_map
from deepcity.store.events.event import EventDraft, EventKind


@dataclass(frozen=True)
class DailyUpdate:
    """Updates the parties of a city in the folders of their runs.

    Attributes:
        folders: of runs, to which more may be added; those of vertical runs have nothing to update.
        city: name of the city whose parties are updated.
    """

    folders: Sequence[Path]
    city: str

    def __call__(self, known: KnownPanel, now_s: int) -> list[EventDraft]:
        """The events of what changed; a run that cannot be updated says why."""
        found: list[EventDraft] = []
        for folder in tuple(self.folders):
            try:
                found += self._update(folder, known, now_s)
            except DeepCityError as error:
                found.append(_problem(str(folder), str(error), now_s))
        return found

    def _update(self, folder: Path, known: KnownPanel, now_s: int) -> list[EventDraft]:
        city_map = map_of(folder, None)
        own = [
            member.name
            for service in city_map.services
            for member in service.members
            if member.city_file.city.name == self.city
        ]
        asked = UpdateRequest(parties=tuple(dict.fromkeys(own)), load=known)
        results, _ = refine_map(city_map, folder, asked=asked)
        changed = [one for one in results.parties if one.outcome is not UpdateOutcome.NOTHING_NEW]
        problems = [
            _problem(one.party, f"{one.key} {one.value or ''}: {one.reason}. {one.right}", now_s)
            for one in results.problems
        ]
        return [_changed(one, now_s) for one in changed] + problems


def working_copies(folders: Sequence[Path], state: Path) -> list[Path]:
    """Copies of runs to be updated in a replay, so that the runs stay as they are.

    Raises:
        OSError: if they cannot be made.
    """
    found = []
    for folder in folders:
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
        copy = state / "runs" / f"{folder.name}-{name}"
        if not copy.exists():
            half = copy.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            shutil.copytree(folder, half)
            half.rename(copy)
        found.append(copy)
    return found


def _changed(one: PartyUpdate, now_s: int) -> EventDraft:
    body = {
        "outcome": one.outcome.value,
        "number": one.number,
        "learned_from_s": one.learned_from,
        "learned_to_s": one.learned_to,
        "kept": _finite(one.kept),
        "refined": _finite(one.refined),
        "last_week": _finite(one.last_week),
        "forgetting": one.forgetting,
        "max_forgetting": one.max_forgetting,
        "drift_since_s": None if one.drift is None else one.drift.since,
        "problem": "",
    }
    key = f"update/{one.service}/{one.party}/{one.number}"
    return EventDraft(EventKind.UPDATE, key, now_s, one.service, one.party, body=body)


def _problem(party: str, text: str, now_s: int) -> EventDraft:
    key = f"update/problem/{party}/{now_s}"
    body = {"outcome": "problem", "problem": " ".join(text.split())}
    return EventDraft(EventKind.UPDATE, key, now_s, "", party, body=body)


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
