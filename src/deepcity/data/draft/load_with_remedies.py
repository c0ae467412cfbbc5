"""Loads a drafted city, and takes the remedies that its messages offer and that lose nothing.

An hour that clocks showed twice or skipped is at most two rows a year: where nothing shows which
it is, it is left out.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.city.errors import ConfigError, DataError
from deepcity.city.field import Kind
from deepcity.city.problem import Problem
from deepcity.data.check.rules.running_total import is_running_total
from deepcity.data.city_file import CityFile, check_raw, load_with_findings
from deepcity.data.config.settings import TOTAL_AMOUNTS
from deepcity.data.config.toml_file import Raw
from deepcity.data.draft.answers import Ask, OpenQuestionsError
from deepcity.data.panel import Panel

_TRIES = 6
_HOUR = timedelta(hours=1)
_PRICE = "; not without loss:"
_TAKEN = {
    "infer": "the first of the two is the earlier",
    "earlier": "it is taken as the earlier",
    "mask": "these rows are left out",
    "first": "rows that hold the same twice count once",
}


def load_with_remedies(
    raw: Raw, city_file: CityFile
) -> tuple[Raw, CityFile, dict[str, Panel], list[str]]:
    """The city with its panels, and what was taken for granted on the way.

    Raises:
        DataError: with the problems that no such remedy ends.
    """
    assumed: list[str] = []
    for _ in range(_TRIES):
        try:
            panels = _load(city_file)
        except DataError as error:
            changed, stated = _stamped(raw, error.problems)
            if changed == raw:
                changed, stated = _remedied(raw, error.problems)
            else:
                assumed.clear()
            if changed == raw:
                asks = tuple(ask for one in error.problems for ask in _ask(one))
                if len(asks) == len(error.problems):
                    raise OpenQuestionsError(error.problems[0].file, asks) from error
                raise
            assumed += stated
        else:
            changed, stated = _differenced(raw, panels)
            if changed == raw:
                return raw, city_file, panels, list(dict.fromkeys(assumed))
            assumed += stated
        raw = changed
        city_file = _checked(raw, city_file.path)
    return raw, city_file, _load(city_file), list(dict.fromkeys(assumed))


def _checked(raw: Raw, path: Path) -> CityFile:
    city_file, problems = check_raw(raw, path)
    if city_file is None:
        raise ConfigError(problems)
    return city_file


def _load(city_file: CityFile) -> dict[str, Panel]:
    names = [agency.name for agency in city_file.city.agencies]
    panels: dict[str, Panel] = {}
    problems: dict[Problem, None] = {}
    for name in names:
        try:
            panels[name] = load_with_findings(city_file, name).panel
        except DataError as error:
            problems.update(dict.fromkeys(error.problems))
    if problems:
        raise DataError(list(problems))
    return panels


def _stamped(raw: Raw, problems: tuple[Problem, ...]) -> tuple[Raw, list[str]]:
    """Rows doubled an hour after the one that clocks repeat: each is stamped with its end."""
    zone = raw["clock"]["time_zone"]
    texts = " ".join(str(one.value) for one in problems if "time.duplicates" in one.right)
    times = [
        datetime.fromisoformat(found)
        for found in re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d(?=[+-])", texts)
    ]
    sources = [
        source
        for source in raw["source"]
        if times
        and "stamp" not in source["time"]
        and all(_is_doubled(one - _HOUR, source["time"].get("zone", zone)) for one in times)
        and not any(_is_doubled(one, source["time"].get("zone", zone)) for one in times)
    ]
    if not sources:
        return raw, []
    ends = {"stamp": "wall_end", "step": raw["clock"]["step"]}
    changed = [
        one | {"time": _undecided(one["time"]) | ends} if one in sources else one
        for one in raw["source"]
    ]
    shown = f"{times[0]:%Y-%m-%d %H:%M}"
    text = f"{shown} stands twice, the hour after the one that clocks repeated: rows are stamped "
    return raw | {"source": changed}, [f"{text}with the end of their hour (stamp = wall_end)"]


def _undecided(time: Raw) -> Raw:
    """Without what was decided of clock changes, which another stamp makes other rows of."""
    return {key: one for key, one in time.items() if key not in ("ambiguous", "nonexistent")}


def _is_doubled(wall: datetime, zone: str) -> bool:
    """Whether clocks show a wall time twice."""
    first, second = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    back = first.utcoffset(), second.utcoffset()
    return back[0] is not None and back[1] is not None and back[0] > back[1]


def _remedied(raw: Raw, problems: tuple[Problem, ...]) -> tuple[Raw, list[str]]:
    """With a remedy for each problem that has one of its own; the same where none has."""
    found: dict[str, str] = {}
    stated: list[str] = []
    for problem in problems:
        one = _remedy(problem)
        if one is not None:
            found[one[0]] = one[1]
            stated.append(f"{problem.reason}: {_TAKEN[one[1]]} ({one[0]} = {one[1]})")
    sources = [source | {"time": source["time"] | found} for source in raw["source"]]
    return raw | {"source": sources}, stated


def _remedy(problem: Problem) -> tuple[str, str] | None:
    offered, _, costly = problem.right.partition(_PRICE)
    for value in ("infer", "earlier"):
        if re.search(rf"time\.ambiguous = '{value}'", offered):
            return "ambiguous", value
    if "time.duplicates = 'first' (" in offered:
        return "duplicates", "first"
    for key in ("ambiguous", "nonexistent"):
        if f"time.{key} = 'mask'" in offered + costly:
            return key, "mask"
    return None


def _ask(problem: Problem) -> list[Ask]:
    """What an option of `deepcity init` can answer."""
    texts = re.search(r"missing = \[([^\]]*)\]", problem.right)
    if texts is not None:
        first = texts[1].split(",")[0].strip(" '\"")
        text = f"{problem.key} = {problem.value!r}: {problem.reason}. Does it mean 'not measured'?"
        return [Ask("missing", text, first, example=f"'{first}'")]
    if "time.duplicates = " in problem.right:
        text = f"{problem.value}: {problem.reason}. {problem.right}. Which is kept?"
        return [Ask("duplicates", text, "mask", ("mask", "first", "last", "sum"))]
    return []


def _differenced(raw: Raw, panels: dict[str, Panel]) -> tuple[Raw, list[str]]:
    """Fields that are running totals at all their places are differenced."""
    stated: list[str] = []
    agencies = []
    for agency in raw["agency"]:
        panel = panels[agency["name"]]
        fields = []
        for f, entry in enumerate(agency["fields"]):
            total = not entry.get("cumulative") and _is_total(panel, f)
            unknown = entry["kind"] == Kind.LEVEL.value and entry["unit"] == "1"
            if total and (unknown or Kind(entry["kind"]) in TOTAL_AMOUNTS):
                amount = {"kind": "count", "unit": "count"} if unknown else {}
                fields.append(entry | amount | {"cumulative": True})
                stated.append(f"{entry['name']!r} only adds up: it is a running total (cumulative)")
            else:
                fields.append(entry)
        agencies.append(agency | {"fields": fields})
    return raw | {"agency": agencies}, stated


def _is_total(panel: Panel, f: int) -> bool:
    values_TN = np.asarray(panel.values_TNF[:, :, f], dtype=float)
    known = [n for n in range(values_TN.shape[1]) if np.isfinite(values_TN[:, n]).any()]
    return bool(known) and all(is_running_total(values_TN[:, n], panel.time_T) for n in known)
