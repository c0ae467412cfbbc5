"""What lies at a path that a person named, where something else was expected, and what to do then.

Each command that takes a path asks here once it cannot use it: the reason says what is there, the
next step is right for that, and names what is near.
"""

import difflib
import json
import tomllib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from deepcity.city.sentence import as_sentence

_NEAR = 0.6
_SHOWN = 5
_MOST_BYTES = 1_000_000
_RUN_PARTS = ("results.json", "vertical.json", "coordinator", "sites", "own")


class PathKind(StrEnum):
    """What lies at a path, in words that end a sentence."""

    NOTHING = "no such file or folder"
    CITY = "this is a city file"
    MAP = "this is a map"
    FILE = "this is a file"
    PIPE = "this is a named pipe, not a file"
    RUN = "this is the folder of a run"
    EMPTY = "this folder is empty"
    FOLDER = "this is a folder"


FOLDERS = frozenset({PathKind.RUN, PathKind.EMPTY, PathKind.FOLDER})


def path_kind(path: Path) -> PathKind:
    """What lies there, by its content."""
    if not _is_there(path):
        return PathKind.NOTHING
    if path.is_dir():
        if any((path / name).exists() for name in _RUN_PARTS):
            return PathKind.RUN
        return PathKind.FOLDER if any(_inside(path)) else PathKind.EMPTY
    if path.is_fifo():
        return PathKind.PIPE
    raw = _toml(path)
    if isinstance(raw.get("cities"), list) and "agency" not in raw:
        return PathKind.MAP
    return PathKind.CITY if "agency" in raw else PathKind.FILE


def did_you_mean_path(path: Path, fits: Callable[[Path], bool] = Path.exists) -> str:
    """``did you mean 'runs/quick'? `` where a name beside the wrong one is like it; else nothing.

    Args:
        fits: whether a path is one that could have been meant.
    """
    missing = next((one for one in [*reversed(path.parents), path] if not _is_there(one)), path)
    rest = path.parts[len(missing.parts) :]
    beside = [(_stem(one), one.joinpath(*rest)) for one in _inside(missing.parent)]
    known = {name: one for name, one in beside if one != path and fits(one)}
    near = difflib.get_close_matches(_stem(missing), known, n=1, cutoff=_NEAR)
    return f"did you mean {str(known[near[0]])!r}? " if near else ""


def _stem(path: Path) -> str:
    """A name without its ending, which would make any two files of a kind alike."""
    return path.stem.lower()


def no_run(folder: Path, lacking: str = "") -> tuple[str, str]:
    """Why a path is no folder of a finished run, and the next step.

    Args:
        lacking: what a run's folder lacks, for a folder that is one.
    """
    kind = path_kind(folder)
    right = "name the folder of a finished run: deepcity run MAP.toml writes runs/NAME"
    if kind is PathKind.RUN:
        return lacking, "finish it: the same deepcity run or train-vertical command goes on"
    if kind is PathKind.MAP:
        return _map_for_run(folder)
    runs = _fitting(folder if kind is PathKind.FOLDER else Path("runs"), _is_run)
    if kind is PathKind.FOLDER and runs:
        return "this folder holds runs and is none itself", f"name one of them: {_listed(runs)}"
    there = f". Runs here: {_listed(runs)}" if runs else ""
    if kind is PathKind.NOTHING:
        return kind, _then(did_you_mean_path(folder, _has_runs), right + there)
    maps = _maps_of(folder) if kind is PathKind.CITY else []
    train = f"train a map that names it: deepcity run {maps[0]}" if maps else right
    return f"{kind}, not the folder of a run", train + there


def _map_for_run(path: Path) -> tuple[str, str]:
    made = Path("runs") / str(_toml(path).get("name", "NAME"))
    train = "" if _is_run(made) else f"train it (deepcity run {path}), then "
    return f"{PathKind.MAP}, not the folder of its run", f"{train}name {made}"


def no_map(path: Path) -> tuple[str, str]:
    """Why a path is no map, and the next step."""
    kind = path_kind(path)
    make = "deepcity init FILE writes a city file and a map for your own records"
    if kind is PathKind.CITY:
        maps = _maps_of(path)
        right = f"name a map of it: {_listed(maps)}" if maps else f'write cities = ["{path.name}"] '
        right += "" if maps else f"and a [[service]] into a map of its own; {make}"
        return f"{kind}, not a map", right
    if kind is PathKind.RUN:
        own = _map_of_run(path)
        return f"{kind}, not a map", f"name its map: {own}" if own else "name its map's file"
    return _no_toml(path, kind, PathKind.MAP, make)


def no_city(path: Path) -> tuple[str, str]:
    """Why a path is no city file, and the next step."""
    kind = path_kind(path)
    if kind is PathKind.MAP:
        named = _toml(path)["cities"]
        for place, one in enumerate(named, 1):
            if not (isinstance(one, str) and one.strip() and one.isprintable()):
                return f"{kind}, and cities[{place}] = {one!r} is no name of a file", "correct that"
        cities = [path.parent / one for one in named]
        return f"{kind}, not a city file", f"name its city files: {_listed(cities, many=True)}"
    make = "deepcity init FILE writes one for your own records"
    return _no_toml(path, kind, PathKind.CITY, make)


def no_file(path: Path, what: str, made_by: str, ending: str) -> tuple[str, str]:
    """Why a path is no file of a kind that a run writes, and the next step.

    Args:
        what: such as ``a layer package``.
        made_by: who makes it.
        ending: of its name, such as ``.layers``.
    """
    kind = path_kind(path)
    found = sorted(path.rglob(f"*{ending}")) if kind in FOLDERS else []
    if found:
        return f"{kind}, not {what}", f"name a file: {_listed(found)}"
    near = did_you_mean_path(path, lambda one: one.suffix == ending)
    return (
        kind if kind is PathKind.NOTHING else f"{kind}, not {what}",
        _then(near, made_by),
    )


def _no_toml(path: Path, kind: PathKind, wanted: PathKind, make: str) -> tuple[str, str]:
    found = _fitting(path, lambda one: path_kind(one) is wanted) if kind in FOLDERS else []
    if found:
        return f"{kind}, not a file", f"name one in it: {_listed(found)}"
    near = did_you_mean_path(path, lambda one: path_kind(one) is wanted)
    return kind, _then(near, f"correct the path, or make it: {make}")


def _then(asked: str, right: str) -> str:
    """A next step; after a question it begins with a capital."""
    return f"{asked}{as_sentence(right)}" if asked else right


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than any that a disk holds
        return False


def _is_run(path: Path) -> bool:
    return path.is_dir() and path_kind(path) is PathKind.RUN


def _has_runs(path: Path) -> bool:
    return _is_run(path) or any(map(_is_run, _inside(path)))


def _maps_of(city: Path) -> list[Path]:
    """Maps beside a city file that name it."""
    return _fitting(city.parent, lambda one: city.name in _names(_toml(one).get("cities")))


def _names(value: object) -> list[str]:
    found = value if isinstance(value, list) else []
    return [Path(one).name for one in found if isinstance(one, str)]


def _map_of_run(folder: Path) -> Path | None:
    try:
        return Path(json.loads(_text(folder / "map.json"))["absolute"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _fitting(folder: Path, fits: Callable[[Path], bool]) -> list[Path]:
    return [one for one in _inside(folder) if fits(one)]


def _inside(folder: Path) -> list[Path]:
    """What is seen in a folder, by name; nothing where it cannot be read."""
    try:
        return sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    except OSError:
        return []


def _listed(paths: list[Path], *, many: bool = False) -> str:
    more = len(paths) - _SHOWN
    shown = (" " if many else ", ").join(map(str, paths[:_SHOWN]))
    return f"{shown} and {more} more" if more > 0 else shown


def _toml(path: Path) -> dict[str, Any]:
    """Its content, or nothing if it is no TOML of a settings file's size."""
    try:
        return tomllib.loads(_text(path)) if path.suffix.lower() == ".toml" else {}
    except (OSError, ValueError, RecursionError):
        return {}


def _text(path: Path) -> str:
    """What a regular file of a settings file's size holds; of any other, such as a named pipe
    that nobody writes to, nothing.
    """
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return ""
    return path.read_text(encoding="utf-8")
