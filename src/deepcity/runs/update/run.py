"""Update a finished run: every party is trained on the rows that have come since.

Each party's forecaster bundle is loaded, and its networks take a few steps on new rows mixed with
old ones (`deepcity.learning.training.continual`). They may forget no more than a bound on old days
kept aside, and are accepted only if their error on the newest days, by their application's own
metric, is lower. Where they are not, the ensemble's weights are updated all the same. Nothing is
sent, and shared layers are unchanged.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from deepcity import __version__
from deepcity.city.clock import DAY_S
from deepcity.city.errors import CheckpointError, ConfigError, ProblemsError, RefineError
from deepcity.city.problem import Problem
from deepcity.city.progress import NoProgress, ProgressListener, task_name
from deepcity.data.config.toml_file import did_you_mean
from deepcity.maps.city_map import CityMap, Member, Service
from deepcity.parties.weather import weather_of
from deepcity.runs.identity import IDENTITY_FILE, map_of_run
from deepcity.runs.note import Note
from deepcity.runs.results import DriftFound
from deepcity.runs.update.bundle_replay import with_replay
from deepcity.runs.update.earlier_bundle import with_earlier_times, with_earlier_weights
from deepcity.runs.update.error_log import append_days, latest_drift
from deepcity.runs.update.forecaster_bundle import BundleStore, ForecasterBundle
from deepcity.runs.update.party import UpdateComparison, compare_update
from deepcity.runs.update.record_check import PartyRecords, load_records, spans_of
from deepcity.runs.update.refine_spans import RefineSpans
from deepcity.runs.update.request import UpdateRequest
from deepcity.runs.update.results import (
    PartyUpdate,
    ProblemRecord,
    UpdateOutcome,
    UpdateResults,
)
from deepcity.store.run_folder import is_whole_run, locked, site_folder


def refine_map(
    city_map: CityMap,
    folder: Path,
    listener: ProgressListener | None = None,
    asked: UpdateRequest | None = None,
    *,
    threads: int = 1,
) -> tuple[UpdateResults, RefineError | None]:
    """Update every party of every service; a party that fails does not stop the others.

    Returns:
        The results, and the problems of parties that could not be updated, if any.

    Raises:
        ConfigError: if a requested party is not in the map.
        CheckpointError: if the folder holds no finished run of the map, or cannot be written.
    """
    begun = time.perf_counter()
    torch.set_num_threads(threads)
    asked, listener = asked or UpdateRequest(), listener or NoProgress()
    _check_parties(city_map, asked.parties)
    _check_run(city_map, folder)
    found: list[PartyUpdate] = []
    problems: list[Problem] = []
    apart = not (asked.parties or is_whole_run(folder))
    with locked(folder):
        for service in city_map.services:
            for member in service.members:
                if asked.parties and member.name not in asked.parties:
                    continue
                bundles = BundleStore.of(site_folder(folder, member.name))
                if apart and bundles.newest(service.settings.name, member.name) is None:
                    continue  # it is at a site of its own
                update = _PartyUpdate(city_map, service, member, bundles, asked, listener)
                try:
                    found.append(update.refine())
                except ProblemsError as error:
                    problems += error.problems
    summary = [_problem_record(problem) for problem in problems]
    seconds = time.perf_counter() - begun
    refinement = UpdateResults(
        map=city_map.settings.name,
        version=__version__,
        seconds=seconds,
        parties=found,
        problems=summary,
    )
    return refinement, RefineError(problems) if problems else None


@dataclass(frozen=True)
class _PartyUpdate:
    """The update of one party."""

    city_map: CityMap
    service: Service
    member: Member
    bundles: BundleStore
    asked: UpdateRequest
    listener: ProgressListener

    def refine(self) -> PartyUpdate:
        """Update the party, and write its new bundle if rows are new."""
        rows = self._records()
        bundle = rows.bundle
        days = spans_of(rows)
        if days is None:
            return self._nothing_new(rows)
        seed, advance = self.city_map.settings.seed, self._advancing(bundle)
        comparison = compare_update(
            self.service, rows, days, seed, self.asked.max_forgetting, advance
        )
        usual = round((bundle.times.aside_to - bundle.times.train_to) / DAY_S)
        logged = append_days(bundle.days, comparison.log.days(comparison.kept.forecast_BNH))
        drift, watch_from = latest_drift(logged, bundle.watch_from, usual)
        summary = self._party_update(rows, days, comparison, drift)
        changed = _refined_bundle(rows, days, comparison)
        changed = replace(changed, days=logged, watch_from=watch_from, last=summary)
        self.bundles.save(with_replay(changed, rows.panel))
        return summary

    def _records(self) -> PartyRecords:
        """The party's records beside its bundle, or in a replay of test days the earlier one."""
        bundle = self._bundle()
        if not self.asked.replayed or bundle.number or bundle.terms is None:
            return load_records(self.service, self.member, bundle, self.asked.load)
        earlier = with_earlier_times(bundle)
        rows = load_records(self.service, self.member, earlier, self.asked.load)
        if rows.second(rows.known.end) >= bundle.times.seen_to:
            return load_records(self.service, self.member, bundle, self.asked.load)
        weather = weather_of(self.service, self.member, rows.panel)
        return replace(rows, bundle=with_earlier_weights(earlier, rows.panel, weather))

    def _bundle(self) -> ForecasterBundle:
        service, party = self.service.settings.name, self.member.name
        try:
            found = self.bundles.load(service, party)
        except CheckpointError as error:  # another party's may be intact
            right = "restore a copy, or run the map again into another folder"
            problem = Problem(party, "forecaster bundle", None, str(error), right)
            raise RefineError([problem]) from error
        if found is None:
            raise RefineError([_no_bundle(service, party, self.bundles)])
        return found

    def _advancing(self, bundle: ForecasterBundle) -> Callable[[int], None]:
        task = task_name(self.service.settings.name, self.member.name)
        self.listener.begin(task, len(bundle.experts))
        return lambda done: self.listener.advance(task, done)

    def _nothing_new(self, rows: PartyRecords) -> PartyUpdate:
        last = rows.bundle.last or self._bare(rows)
        seen_to = rows.bundle.times.seen_to
        return last.model_copy(update={"outcome": UpdateOutcome.NOTHING_NEW, "seen_to": seen_to})

    def _bare(self, rows: PartyRecords) -> PartyUpdate:
        """The result before any update."""
        title = self.service.title_of(self.member)
        return PartyUpdate(
            service=self.service.settings.name,
            party=self.member.name,
            title=title,
            unit=rows.bundle.identity.unit,
            time_zone=rows.panel.clock.time_zone,
            outcome=UpdateOutcome.NOTHING_NEW,
            number=rows.bundle.number,
            seen_to=rows.bundle.times.seen_to,
        )

    def _party_update(
        self,
        rows: PartyRecords,
        days: RefineSpans,
        comparison: UpdateComparison,
        drift: DriftFound | None,
    ) -> PartyUpdate:
        kept_by = comparison.updated if comparison.accepted else comparison.current
        bare = self._bare(rows)
        outcome = UpdateOutcome.REFINED if comparison.accepted else UpdateOutcome.KEPT
        metric = comparison.evaluated_by
        return bare.model_copy(
            update={
                "outcome": outcome,
                "number": rows.bundle.number + 1,
                "learned_from": rows.second(days.fresh.start),
                "learned_to": rows.second(days.fresh.end),
                "holdout_from": rows.second(days.holdout.start),
                "holdout_to": rows.second(days.holdout.end),
                "last_week": comparison.error(comparison.log.last_week()),
                "kept": comparison.error(comparison.kept.forecast_BNH),
                "refined": comparison.error(comparison.changed.forecast_BNH),
                "forgetting": max((one.forgetting for one in kept_by), default=0.0),
                "max_forgetting": self.asked.max_forgetting,
                "moved": comparison.moved,
                "drift": drift,
                "notes": _notes(rows, comparison),
                "metric": metric.title,
                "metric_in_unit": metric.in_unit,
            }
        )


def _notes(rows: PartyRecords, comparison: UpdateComparison) -> list[Note]:
    found = [Note(code="update_corrected")] if comparison.corrected else []
    wanted = comparison.metric
    if comparison.evaluated_by.title != wanted.title:
        found.append(
            Note(
                code="update_metric_undefined",
                names={"metric": [wanted.title.en, wanted.title.ko]},
            )
        )
    if rows.new_places:
        count, first = len(rows.new_places), ", ".join(rows.new_places[:3])
        places = first + (" ..." if count > 3 else "")
        found.append(
            Note(code="update_new_places", numbers={"count": count}, names={"places": places})
        )
    skipped = [Note(code="update_skipped", names={"reason": one}) for one in rows.bundle.skipped]
    return found + skipped


def _refined_bundle(
    rows: PartyRecords, days: RefineSpans, comparison: UpdateComparison
) -> ForecasterBundle:
    """The party's bundle after the update; if it was not accepted, its rows stay fresh."""
    bundle = rows.bundle
    experts = comparison.updated if comparison.accepted else comparison.current
    learned_to = rows.second(days.fresh.end) if comparison.accepted else bundle.times.learned_to
    old = rows.values_TN[rows.step(bundle.times.train_from) : rows.known.aside_to]
    return replace(
        bundle,
        times=bundle.times.model_copy(
            update={"learned_to": learned_to, "seen_to": rows.second(rows.known.end)}
        ),
        experts=tuple(one.kept for one in experts),
        ensemble=(comparison.changed if comparison.accepted else comparison.kept).ensemble,
        old_rows=type(bundle.old_rows).of(old),
        number=bundle.number + 1,
    )


def _check_parties(city_map: CityMap, asked: Sequence[str]) -> None:
    known = [member.name for service in city_map.services for member in service.members]
    unknown = [name for name in asked if name not in known]
    if unknown:
        file = city_map.path.name
        raise ConfigError(
            [
                Problem(file, "--party", name, "not a party of this map", did_you_mean(name, known))
                for name in unknown
            ]
        )


def _check_run(city_map: CityMap, folder: Path) -> None:
    """Refuse a folder that holds no run of this map."""
    name = city_map.settings.name
    found = map_of_run(folder)
    if found is None:
        msg = (
            f"{folder} has no readable run (no {IDENTITY_FILE} in coordinator/ or sites/*/); "
            f"run the map first: deepcity run {city_map.path} --out {folder}"
        )
        raise CheckpointError(msg)
    if found != name:
        msg = f"{folder} holds a run of {found!r}, not of {name!r}; name its folder with --out"
        raise CheckpointError(msg)


def _no_bundle(service: str, party: str, bundles: BundleStore) -> Problem:
    reason = f"{bundles.store.folder} has none for {service}"
    right = (
        "finish the run first, with the rows it began with (deepcity run); a party that was not "
        "in it joins by a run into another folder, as a newcomer"
    )
    return Problem(party, "forecaster bundle", None, reason, right)


def _problem_record(problem: Problem) -> ProblemRecord:
    value = None if problem.value is None else str(problem.value)
    return ProblemRecord(
        party=problem.file,
        key=problem.key,
        value=value,
        reason=problem.reason,
        right=problem.right,
    )
