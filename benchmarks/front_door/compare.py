"""Whether what `deepcity init` wrote reads a file as it is read by hand.

Shapes: T steps.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.front_door.by_hand import Reading, readings
from benchmarks.front_door.files import PLAIN, Tried
from benchmarks.front_door.plain import plain_difference
from deepcity.city.arrays import Doubles, Ints
from deepcity.city.errors import DeepCityError
from deepcity.city.field import Field, Resample
from deepcity.city.units import convert
from deepcity.data.city_file import check_raw, load_city, load_panel
from deepcity.data.config.duration import duration_text, parse_duration
from deepcity.data.draft.rows_of_one_time import slug
from deepcity.data.panel import Panel

RULES = (
    "*Places*: every place by hand and no other, of the same id or column (a single place may "
    "have any id).",
    "*Times*: the step by hand, or a finer one that divides it and is then compared at the step "
    "by hand; every value by hand stands at its own time.",
    "*Values and totals*: equal to the last digit of a panel (float32), so totals are too; no "
    "factor is fitted. A value that is masked by hand (outside `valid`, or a service that was "
    "closed) may be known, if it is what the file says; no other value may. Where a blank means "
    "'as before', that is the value before it, for as long as it takes (README of the set).",
    "*Kind and unit*: the kind by hand and a unit that converts to the one by hand, values "
    "converted; or, where the file does not show the unit, `1` or `count`, stated in the city "
    "file's head, with the numbers as they stand in the file and of a kind that adds up if and "
    "only if the one by hand does.",
    "*Fields*: every field by hand of numbers; further columns of numbers that by hand are left "
    "out may be fields, and are counted.",
    "*Where the reading by hand is set aside*: Seoul's snow, by hand an amount, falls from "
    "4.3 to 0.4 cm by itself and is compared as a level; Guangzhou's column that repeats "
    "another's values may be a place; both rows of an hour that clocks showed twice may be "
    "known where they are masked by hand.",
    "Files without a city file by hand: every column of numbers, cell by cell at its own time, "
    "and no other; kind and unit are not compared. Cases: kind and unit are those of a count of an "
    "unknown unit, unless stated otherwise.",
)
_UNKNOWN = ("1", "count")
LEFT_OUT = {"us-post"}  # of Guangzhou: a column of the file that repeats another's values
LAST_DIGIT = 2e-7  # of float32, and of a conversion, as a share of the largest value


@dataclass
class Comparisons:
    """What was found of the files compared so far.

    Attributes:
        fields: of all right drafts by hand.
        as_numbers: those of them whose unit the file does not show.
        masked: values that are known as written, and masked by hand.
        values: known by hand.
        further: fields that are left out by hand.
    """

    fields: int = 0
    as_numbers: int = 0
    masked: int = 0
    values: int = 0
    further: int = 0

    def add(self, other: "Comparisons") -> None:
        """Count another file's too."""
        for name, count in vars(other).items():
            setattr(self, name, getattr(self, name) + count)

    def __str__(self) -> str:
        return (
            f"In the right drafts of files with a city file by hand: {self.fields} fields, "
            f"{self.as_numbers} of them numbers whose unit the file does not show; "
            f"{self.values:,} values known by hand, {self.masked:,} more known as written; "
            f"{self.further} further fields."
        )


@dataclass(frozen=True)
class _Draft:
    """An agency as it was written; `assumed` are its fields whose unit was taken for granted."""

    panel: Panel
    agency: str
    assumed: frozenset[str]


def difference(tried: Tried, city: Path, compared: Comparisons) -> str:
    """What differs from the right reading; empty where nothing does, which is then counted."""
    if tried.right == PLAIN:
        city_file = load_city(city)
        panels = [load_panel(city_file, one.name) for one in city_file.city.agencies]
        return plain_difference(tried.path, tried.zone, panels)
    right = readings(tried)
    if not right:
        return "no city file by hand reads it"
    found, used, drafts = Comparisons(), set(), list[_Draft]()
    for reading in right:
        drafts = _drafts(city, duration_text(reading.panel.clock.step_s))
        for f, field in enumerate(reading.panel.fields):
            differs, one = _field_difference(reading, f, drafts, found)
            if differs:
                return f"{reading.agency} {field.name}: {differs}"
            used.add(one)
    places = {name for reading in right for names in reading.names for name in names}
    for draft in drafts:
        more = [one.id for one in draft.panel.places if _name(one.id) not in places | LEFT_OUT]
        if len(draft.panel.places) > 1 and more:
            return f"{more[0]} is no place by hand"
    found.further = sum(len(one.panel.fields) for one in drafts) - len(used)
    if tried.set != "cases":
        compared.add(found)
    return ""


def _name(place: str) -> str:
    return slug(place) or place


def _drafts(city: Path, step: str) -> list[_Draft]:
    """The agencies that were written, at a step by hand that theirs divide; else as they are."""
    head, _, _ = city.read_text(encoding="utf-8").partition("\n\n")
    raw: dict[str, Any] = tomllib.loads(city.read_text(encoding="utf-8"))
    found = []
    for agency in raw["agency"]:
        own = agency.get("step", raw["clock"]["step"])
        finer = parse_duration(step) % parse_duration(own)
        stepped = agency if finer else {**agency, "step": step}
        city_file, problems = check_raw({**raw, "agency": [stepped]}, city)
        if city_file is None:
            raise ValueError(problems)
        names = (one["name"] for one in agency["fields"])
        assumed = frozenset(name for name in names if f"# - {name!r} " in head)
        found.append(_Draft(load_panel(city_file, agency["name"]), agency["name"], assumed))
    return found


def _field_difference(
    reading: Reading, f: int, drafts: list[_Draft], found: Comparisons
) -> tuple[str, tuple[str, str]]:
    """What differs in the field that comes nearest; the agency and field that are right."""
    reasons = [(0, "no field is it")]
    for draft in drafts:
        for g, field in enumerate(draft.panel.fields):
            counted = Comparisons(fields=1)
            far, reason = _as_field(reading, f, draft, g, counted)
            if not reason:
                found.add(counted)
                return "", (draft.agency, field.name)
            reasons.append((far, reason))
    return max(reasons)[1], ("", "")


def _as_field(
    reading: Reading, f: int, draft: _Draft, g: int, counted: Comparisons
) -> tuple[int, str]:
    """How far a drafted field agrees with one by hand, and what differs; empty if nothing."""
    panel, mine, right = draft.panel, draft.panel.fields[g], reading.panel.fields[f]
    if panel.clock.step_s != reading.panel.clock.step_s:
        return 0, f"its step is {panel.clock.step_s} s"
    at_N = _places(reading, panel)
    if at_N is None:
        return 1, "its places are others"
    bare = mine.unit in _UNKNOWN and right.unit != mine.unit
    differs = _kind_differs(mine, right, bare=bare, assumed=mine.name in draft.assumed)
    if differs:
        return 2, differs
    written = reading.numbers if bare else reading.written
    for n, m in enumerate(at_N):
        series_T = panel.values_TNF[:, m, g].astype(float)
        try:
            values_T = series_T if bare else np.asarray(convert(series_T, mine.unit, right.unit))
        except (DeepCityError, ValueError):
            return 2, f"its unit is {mine.unit}"
        time_T = np.union1d(panel.time_T, written.time_T)
        series = [
            _at(time_T, panel.time_T, values_T),
            *(_at(time_T, one.time_T, one.values_TNF[:, n, f]) for one in (reading.panel, written)),
        ]
        reason = _differs(*series, counted)
        if reason:
            return 3, f"{reading.panel.places[n].id}: {reason}"
    counted.as_numbers = int(bare)
    return 4, ""


def _kind_differs(mine: Field, right: Field, *, bare: bool, assumed: bool) -> str:
    """Whether a field is of another kind than by hand; of an unknown unit, whether it adds up."""
    adds_up = {mine.kind.resample is Resample.SUM, right.kind.resample is Resample.SUM}
    if len(adds_up) > 1 or (not bare and mine.kind is not right.kind):
        return f"its kind is {mine.kind}"
    return (
        f"its unit is {mine.unit} without a word"
        if bare and not assumed and mine.unit == "1"
        else ""
    )


def _places(reading: Reading, panel: Panel) -> list[int] | None:
    """The place of a panel that each place by hand is; None if they do not match."""
    if len(panel.places) == len(reading.names) == 1:
        return [0]
    ids = {_name(one.id): m for m, one in enumerate(panel.places)}
    found = [next((ids[name] for name in names if name in ids), None) for names in reading.names]
    return [m for m in found if m is not None] if None not in found else None


def _at(time_T: Ints, of_T: Ints, values_T: Any) -> Doubles:
    """A series at other times; NaN where it has none."""
    found_T = np.full(len(time_T), np.nan)
    found_T[np.searchsorted(time_T, of_T)] = values_T
    return found_T


def _differs(draft_T: Doubles, masked_T: Doubles, written_T: Doubles, counted: Comparisons) -> str:
    """What differs between a drafted series and those by hand, as masked and as written."""
    known_T, by_hand_T = np.isfinite(draft_T), np.isfinite(masked_T)
    if (by_hand_T & ~known_T).any():
        return f"{(by_hand_T & ~known_T).sum():,} values by hand are missing"
    more_T = known_T & ~np.isfinite(written_T)
    if more_T.any():
        return f"{more_T.sum():,} values are known where the file has none"
    one, other = draft_T[known_T], written_T[known_T]
    size = np.abs(other).max(initial=0.0)
    far = np.abs(one - other) > LAST_DIGIT * np.maximum(np.abs(other), size)
    if far.any():
        return f"{far.sum():,} values differ, such as {one[far][0]:.7g} of {other[far][0]:.7g}"
    counted.values += int(by_hand_T.sum())
    counted.masked += int((known_T & ~by_hand_T).sum())
    return ""
