"""Forecasters of a city learn from new days, within the bound on forgetting."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.city.errors import DeepCityError
from deepcity.forecasting.run_parties import map_of
from deepcity.live.node.party import KnownPanel
from deepcity.runs.update.forecaster_bundle import BundleStore, saved_forecasters
from deepcity.runs.update.request import UpdateRequest
from deepcity.runs.update.results import PartyUpdate, UpdateOutcome
from deepcity.runs.update.run import refine_map
from deepcity.store.events.event import EventDraft, EventKind
from deepcity.store.run_folder import site_folder


@dataclass(frozen=True)
class DailyUpdate:
    """Updates the parties of a city in the folders of their runs.

    Attributes:
        folders: of runs; those of vertical runs have nothing to update.
        city: name of the city whose parties are updated.
        before: forecasters' numbers (`bundle_numbers`) before an update that was broken off: what
            it had saved by then is an event too. Empty: none was.
        replayed: whether the city's days are replayed, as those that runs were tested on.
    """

    folders: Sequence[Path]
    city: str
    before: Mapping[str, int] = field(default_factory=dict)
    replayed: bool = False

    def __call__(self, known: KnownPanel, now_s: int) -> list[EventDraft]:
        """The events of what changed; a run that cannot be updated says why."""
        found: list[EventDraft] = []
        for folder in tuple(self.folders):
            try:
                found += self._update(folder, known, now_s)
            except DeepCityError as error:
                found.append(problem_event(str(folder), str(error), now_s))
        return found

    def _update(self, folder: Path, known: KnownPanel, now_s: int) -> list[EventDraft]:
        city_map = map_of(folder, None)
        own = [
            member.name
            for service in city_map.services
            for member in service.members
            if member.city_file.city.name == self.city
        ]
        parties = tuple(dict.fromkeys(own))
        asked = UpdateRequest(parties=parties, load=known, replayed=self.replayed)
        results, _ = refine_map(city_map, folder, asked=asked)
        updates = [self._with_broken_off(folder, one) for one in results.parties]
        changed = [one for one in updates if one.outcome is not UpdateOutcome.NOTHING_NEW]
        problems = [
            problem_event(
                one.party, f"{one.key} {one.value or ''}: {one.reason}. {one.right}", now_s
            )
            for one in results.problems
        ]
        return [_changed(one, now_s) for one in changed] + problems

    def _with_broken_off(self, folder: Path, one: PartyUpdate) -> PartyUpdate:
        """A party's update; where nothing was left for it, that of the one broken off."""
        before = self.before.get(_forecaster_name(folder, one.service, one.party), one.number)
        if one.outcome is not UpdateOutcome.NOTHING_NEW or one.number <= before:
            return one
        bundle = BundleStore.of(site_folder(folder, one.party)).load(one.service, one.party)
        return one if bundle is None or bundle.last is None else bundle.last


def bundle_numbers(folders: Sequence[Path]) -> dict[str, int]:
    """How often each forecaster of some runs was updated."""
    found = {}
    for folder in folders:
        for service, party in saved_forecasters(folder):
            number = BundleStore.of(site_folder(folder, party)).newest(service, party)
            if number is not None:
                found[_forecaster_name(folder, service, party)] = number
    return found


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


def _forecaster_name(folder: Path, service: str, party: str) -> str:
    return f"{folder} {service} {party}"


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
        "metric": {"en": one.metric.en, "ko": one.metric.ko},
        "unit": one.unit if one.metric_in_unit else "",
        "problem": "",
    }
    key = f"update/{one.service}/{one.party}/{one.number}"
    return EventDraft(EventKind.UPDATE, key, now_s, one.service, one.party, body=body)


def problem_event(party: str, text: str, now_s: int) -> EventDraft:
    """The event that something could not be updated."""
    key = f"update/problem/{party}/{now_s}"
    body = {"outcome": "problem", "problem": " ".join(text.split())}
    return EventDraft(EventKind.UPDATE, key, now_s, "", party, body=body)


def summary_of(events: Sequence[EventDraft]) -> str:
    """What the events of an update come to, in a line."""
    outcomes = Counter(str(one.body["outcome"]) for one in events)
    refined, kept = outcomes[UpdateOutcome.REFINED.value], outcomes[UpdateOutcome.KEPT.value]
    learned = refined + kept
    parts = [f"{refined} of {learned} forecasters go on with what they learned"] if learned else []
    problems = [f"{one.party}: {one.body['problem']}" for one in events if one.body["problem"]]
    if problems:
        parts.append(f"{len(problems)} could not learn ({problems[0]})")
    return f"Learned: {'; '.join(parts)}. Errors of each are in its update event."


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
