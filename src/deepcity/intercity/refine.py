"""Refine a finished run: every party learns from the rows that have come since.

No rebuild: each party's own package (`own_package`) is loaded, its networks learn from the
new rows among old ones for a few steps, forget no more than a bound on old days kept aside
(`deepcity.learning.continual`), and are taken only if they err less on the newest days. A
party whose networks stay gets a new package too, in which weights have moved on. Nothing is
sent to anybody, and common layers stay as they were fused.
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
from deepcity.data.toml_file import did_you_mean
from deepcity.intercity.city_map import CityMap, Member, Service
from deepcity.intercity.claim import CLAIM, claimed_map
from deepcity.intercity.new_days import NewDays
from deepcity.intercity.own_package import OwnPackage, OwnPackages
from deepcity.intercity.present_rows import Rows, days_of, rows_of
from deepcity.intercity.refine_party import Judged, judge_new
from deepcity.intercity.refine_results import (
    Asked,
    Outcome,
    PartyRefined,
    ProblemTold,
    Refinement,
)
from deepcity.intercity.results import DriftFound, Note
from deepcity.intercity.run_folder import locked, site_folder
from deepcity.intercity.watch import Silent, Watch, task_name
from deepcity.intercity.watched_days import drift_of, joined


def refine_map(
    city_map: CityMap,
    folder: Path,
    watch: Watch | None = None,
    asked: Asked | None = None,
    *,
    threads: int = 1,
) -> tuple[Refinement, RefineError | None]:
    """Refine every party of every service; one party's trouble keeps no other from learning.

    Returns:
        What was found, and the problems of parties that could not be refined, if any.

    Raises:
        ConfigError: if a party asked for is none of the map.
        CheckpointError: if the folder holds no finished run of the map, or cannot be written.
    """
    begun = time.perf_counter()
    torch.set_num_threads(threads)
    asked, watch = asked or Asked(), watch or Silent()
    _check_parties(city_map, asked.parties)
    _check_run(city_map, folder)
    found: list[PartyRefined] = []
    problems: list[Problem] = []
    with locked(folder):
        for service in city_map.services:
            for member in service.members:
                if asked.parties and member.name not in asked.parties:
                    continue
                packages = OwnPackages.of(site_folder(folder, member.name))
                work = _PartyUpdate(city_map, service, member, packages, asked.bound, watch)
                try:
                    found.append(work.refine())
                except ProblemsError as error:
                    problems += error.problems
    told = [_as_told(problem) for problem in problems]
    seconds = time.perf_counter() - begun
    refinement = Refinement(
        map=city_map.settings.name,
        version=__version__,
        seconds=seconds,
        parties=found,
        problems=told,
    )
    return refinement, RefineError(problems) if problems else None


@dataclass(frozen=True)
class _PartyUpdate:
    """One party being refined."""

    city_map: CityMap
    service: Service
    member: Member
    packages: OwnPackages
    bound: float
    watch: Watch

    def refine(self) -> PartyRefined:
        """Its refining, written where something was new."""
        package = self._package()
        rows = rows_of(self.service, self.member, package)
        days = days_of(rows)
        if days is None:
            return self._nothing_new(rows)
        seed, advance = self.city_map.settings.seed, self._advancing(package)
        judged = judge_new(self.service, rows, days, seed, self.bound, advance)
        usual = round((package.times.aside_to - package.times.train_to) / DAY_S)
        logged = joined(package.days, judged.told.days(judged.kept.forecast_BNH))
        drift, watch_from = drift_of(logged, package.watch_from, usual)
        told = self._told(rows, days, judged, drift)
        changed = _refined_package(rows, days, judged)
        self.packages.save(replace(changed, days=logged, watch_from=watch_from, last=told))
        return told

    def _package(self) -> OwnPackage:
        service, party = self.service.settings.name, self.member.name
        try:
            found = self.packages.load(service, party)
        except CheckpointError as error:  # another party's may well be whole
            right = "put back a copy, or run the map anew into another folder"
            problem = Problem(party, "own package", None, str(error), right)
            raise RefineError([problem]) from error
        if found is None:
            raise RefineError([_no_package(service, party, self.packages)])
        return found

    def _advancing(self, package: OwnPackage) -> Callable[[int], None]:
        task = task_name(self.service.settings.name, self.member.name)
        self.watch.begin(task, len(package.experts))
        return lambda done: self.watch.advance(task, done)

    def _nothing_new(self, rows: Rows) -> PartyRefined:
        last = rows.package.last or self._bare(rows)
        seen_to = rows.package.times.seen_to
        return last.model_copy(update={"outcome": Outcome.NOTHING_NEW, "seen_to": seen_to})

    def _bare(self, rows: Rows) -> PartyRefined:
        """What is known before any refining."""
        title = self.service.title_of(self.member)
        return PartyRefined(
            service=self.service.settings.name,
            party=self.member.name,
            title=title,
            unit=rows.package.identity.unit,
            time_zone=rows.panel.clock.time_zone,
            outcome=Outcome.NOTHING_NEW,
            number=rows.package.number,
            seen_to=rows.package.times.seen_to,
        )

    def _told(
        self, rows: Rows, days: NewDays, judged: Judged, drift: DriftFound | None
    ) -> PartyRefined:
        kept_by = judged.better if judged.taken else judged.own
        bare = self._bare(rows)
        outcome = Outcome.REFINED if judged.taken else Outcome.KEPT
        return bare.model_copy(
            update={
                "outcome": outcome,
                "number": rows.package.number + 1,
                "learned_from": rows.second(days.fresh.start),
                "learned_to": rows.second(days.fresh.end),
                "judged_from": rows.second(days.judged.start),
                "judged_to": rows.second(days.judged.end),
                "last_week": judged.error(judged.told.last_week()),
                "kept": judged.error(judged.kept.forecast_BNH),
                "refined": judged.error(judged.changed.forecast_BNH),
                "forgot": max((one.forgot for one in kept_by), default=0.0),
                "bound": self.bound,
                "moved": judged.moved,
                "drift": drift,
                "notes": _notes(rows, judged),
            }
        )


def _notes(rows: Rows, judged: Judged) -> list[Note]:
    found = [Note(code="update_corrected")] if judged.corrected else []
    if rows.new_places:
        count, first = len(rows.new_places), ", ".join(rows.new_places[:3])
        places = first + (" ..." if count > 3 else "")
        found.append(
            Note(code="update_new_places", numbers={"count": count}, names={"places": places})
        )
    skipped = [Note(code="update_skipped", names={"reason": one}) for one in rows.package.skipped]
    return found + skipped


def _refined_package(rows: Rows, days: NewDays, judged: Judged) -> OwnPackage:
    """The party's package after this; rows that nothing was taken from are learned later."""
    package = rows.package
    experts = judged.better if judged.taken else judged.own
    learned_to = rows.second(days.fresh.end) if judged.taken else package.times.learned_to
    old = rows.values_TN[rows.step(package.times.train_from) : rows.known.aside_to]
    return replace(
        package,
        times=package.times.model_copy(
            update={"learned_to": learned_to, "seen_to": rows.second(rows.known.end)}
        ),
        experts=tuple(one.kept for one in experts),
        council=(judged.changed if judged.taken else judged.kept).council,
        old_rows=type(package.old_rows).of(old),
        number=package.number + 1,
    )


def _check_parties(city_map: CityMap, asked: Sequence[str]) -> None:
    known = [member.name for service in city_map.services for member in service.members]
    unknown = [name for name in asked if name not in known]
    if unknown:
        file = city_map.path.name
        raise ConfigError(
            [
                Problem(file, "--party", name, "no party of this map", did_you_mean(name, known))
                for name in unknown
            ]
        )


def _check_run(city_map: CityMap, folder: Path) -> None:
    """Refuse a folder that holds no run of this map."""
    name = city_map.settings.name
    found = claimed_map(folder)
    if found is None:
        msg = (
            f"{folder} holds no run that can be read (no {CLAIM} in coordinator/ or sites/*/); "
            f"learn first: deepcity run {city_map.path} --out {folder}"
        )
        raise CheckpointError(msg)
    if found != name:
        msg = f"{folder} holds a run of {found!r}, not of {name!r}; name its folder with --out"
        raise CheckpointError(msg)


def _no_package(service: str, party: str, packages: OwnPackages) -> Problem:
    reason = f"{packages.store.folder} has none for {service}"
    right = (
        "finish the run first, with the rows it began with (deepcity run); a party that was not "
        "in it joins by a run into another folder, as a newcomer"
    )
    return Problem(party, "own package", None, reason, right)


def _as_told(problem: Problem) -> ProblemTold:
    value = None if problem.value is None else str(problem.value)
    return ProblemTold(
        party=problem.file,
        key=problem.key,
        value=value,
        reason=problem.reason,
        right=problem.right,
    )
