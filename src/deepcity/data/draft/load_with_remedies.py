"""Loads a drafted city, and takes the remedies that its problems offer and that lose nothing.

An hour that clocks showed twice or skipped is at most two rows a year: where nothing shows which
it is, it is left out.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from deepcity.city.errors import ConfigError, DataError
from deepcity.city.field import Kind
from deepcity.city.problem import Problem, Trial
from deepcity.data.check.rules.running_total import is_running_total
from deepcity.data.city_file import CityFile, check_raw, load_with_findings
from deepcity.data.config.settings import TOTAL_AMOUNTS
from deepcity.data.config.toml_file import Raw
from deepcity.data.draft.answers import Ask, OpenQuestionsError
from deepcity.data.load import source_file
from deepcity.data.panel import Panel

_TRIES = 6
_TAKEN = {  # the first that every problem of a setting offers
    ("stamp", "wall_end"): "it is the hour after the one that clocks repeated, so rows are stamped "
    "with the end of their hour",
    ("ambiguous", "infer"): "the first of the two is the earlier",
    ("ambiguous", "earlier"): "it is taken as the earlier",
    ("ambiguous", "mask"): "these rows are left out",
    ("nonexistent", "mask"): "these rows are left out",
    ("duplicates", "first"): "rows that hold the same twice count once",
}
_OF_CLOCK_CHANGES = ("ambiguous", "nonexistent")  # of other rows, once their stamp is another
Stated = Mapping[tuple[str, str], str]
"""What was taken for granted, by source or agency and the setting it is about."""


def load_with_remedies(
    raw: Raw, city_file: CityFile
) -> tuple[Raw, CityFile, dict[str, Panel], list[str]]:
    """The city with its panels, and what was taken for granted on the way.

    Raises:
        DataError: with the problems that no such remedy ends.
    """
    stated: Stated = {}
    for _ in range(_TRIES):
        try:
            panels = _load(city_file)
        except DataError as error:
            changed, stated = _remedied(raw, city_file, error.problems, stated)
            if changed == raw:
                asks = tuple(ask for one in error.problems for ask in _ask(one))
                if len(asks) == len(error.problems):
                    raise OpenQuestionsError(error.problems[0].file, asks) from error
                raise
        else:
            changed, stated = _differenced(raw, panels, stated)
            if changed == raw:
                return raw, city_file, panels, list(dict.fromkeys(stated.values()))
        raw = changed
        city_file = _checked(raw, city_file.path)
    return raw, city_file, _load(city_file), list(dict.fromkeys(stated.values()))


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


def _remedied(
    raw: Raw, city_file: CityFile, problems: Sequence[Problem], stated: Stated
) -> tuple[Raw, Stated]:
    """With remedies for the problems of each source; the same where none has one to take."""
    sources = []
    for source in raw["source"]:
        name, time = source["name"], source["time"]
        file = source_file(city_file.sources[name])
        for problem, settings in _taken([one for one in problems if one.file == file]):
            key, value = next(iter(settings.items()))
            if key == "stamp":
                time = {one: time[one] for one in time if one not in _OF_CLOCK_CHANGES}
                obsolete = {(name, one) for one in _OF_CLOCK_CHANGES}
                stated = {one: text for one, text in stated.items() if one not in obsolete}
            time = time | settings
            text = f"{problem.reason}: {_TAKEN[key, value]} ({key} = {value})"
            stated = {**stated, (name, key): text}
        sources.append(source | {"time": time})
    return raw | {"source": sources}, stated


def _taken(problems: Sequence[Problem]) -> list[tuple[Problem, dict[str, str]]]:
    """Settings that end problems of one source, each with the first problem that offers it."""
    found: dict[str, tuple[Problem, dict[str, str]]] = {}
    for key, value in _TAKEN:
        naming = [one for one in problems if any(key in _settings(trial) for trial in one.tried)]
        offers = [_offer(one, key, value) for one in naming]
        known = [one for one in offers if one is not None]
        if key not in found and naming and len(known) == len(naming):
            found[key] = naming[0], known[0]
        if "stamp" in found:
            break  # decides which rows the other problems are about
    return list(found.values())


def _offer(problem: Problem, key: str, value: str) -> dict[str, str] | None:
    """The settings of a remedy that begins with a setting and loses nothing but masked rows."""
    for trial in problem.tried:
        settings = _settings(trial)
        if next(iter(settings.items()), None) == (key, value) and (trial.keeps or value == "mask"):
            return settings
    return None


def _settings(trial: Trial) -> dict[str, str]:
    """Settings of a source's times, the first one each where there is a choice."""
    return {
        key.removeprefix("time."): str(values[0])
        for key, values in trial.settings().items()
        if key.startswith("time.")
    }


def _ask(problem: Problem) -> list[Ask]:
    """What an option of `deepcity init` can answer."""
    settings = {key: one for trial in problem.tried for key, one in trial.settings().items()}
    if "missing" in settings:
        texts = settings["missing"][0]
        assert isinstance(texts, list)
        first = str(problem.value if problem.value in texts else texts[0])
        text = f"{problem.key} = {problem.value!r}: {problem.reason}. Does it mean 'not measured'?"
        return [Ask("missing", text, first, example=f"'{first}'")]
    if "time.duplicates" in settings:
        text = f"{problem.value}: {problem.reason}. {problem.right}. Which is kept?"
        return [Ask("duplicates", text, "mask", ("mask", "first", "last", "sum"))]
    return []


def _differenced(raw: Raw, panels: dict[str, Panel], stated: Stated) -> tuple[Raw, Stated]:
    """Fields that are running totals at all their places are differenced."""
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
                text = f"{entry['name']!r} only adds up: it is a running total (cumulative)"
                stated = {**stated, (agency["name"], entry["name"]): text}
            else:
                fields.append(entry)
        agencies.append(agency | {"fields": fields})
    return raw | {"agency": agencies}, stated


def _is_total(panel: Panel, f: int) -> bool:
    values_TN = np.asarray(panel.values_TNF[:, :, f], dtype=float)
    known = [n for n in range(values_TN.shape[1]) if np.isfinite(values_TN[:, n]).any()]
    return bool(known) and all(is_running_total(values_TN[:, n], panel.time_T) for n in known)
