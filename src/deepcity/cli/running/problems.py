"""All that is wrong with a command at once: each check runs, and what they refuse is one list."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from deepcity.city.errors import ConfigError, LayerPackageError
from deepcity.city.given_path import no_run
from deepcity.city.problem import Problem
from deepcity.city.regular_file import check_regular

if TYPE_CHECKING:
    from deepcity.data.city_file import CityFile

_Found = TypeVar("_Found")


class Problems:
    """Problems of checks, in the order in which they are made."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def of(self, check: Callable[[], _Found]) -> _Found | None:
        """What a check gives; None, with its problems kept, if it refuses."""
        try:
            return check()
        except ConfigError as error:
            self._found += error.problems
        except LayerPackageError as error:  # it ends with the next step, too
            reason, _, right = str(error).partition("; ")
            self._found.append(Problem("command line", "PACKAGE", None, reason, right))
        return None

    def refuse(self) -> None:
        """End here if there are any.

        Raises:
            ConfigError: with all of them.
        """
        if self._found:
            raise ConfigError(self._found)


def read_city(path: Path, *, later: bool) -> "CityFile":
    """The city file.

    Args:
        later: records may come later.

    Raises:
        ConfigError: with every problem of the file.
    """
    from deepcity.data.city_file import check_city

    found, problems = check_city(path, later=later)
    if found is None:
        raise ConfigError(problems)
    return found


def check_runs(folders: Sequence[Path]) -> None:
    """See that folders that `--run` names hold something trained.

    Raises:
        ConfigError: with every folder that holds nothing.
    """
    from deepcity.live.node.open_node import run_folders

    empty = [one for one in folders if not run_folders(one)]
    lacking = "it holds no forecaster"
    if empty:
        named = [(one, *no_run(one, lacking)) for one in empty]
        raise ConfigError(
            [Problem("command line", "--run", str(one), why, right) for one, why, right in named]
        )


def check_files(**files: Path | None) -> None:
    """See that files which options name can be read.

    Args:
        files: by the option's name without its dashes.

    Raises:
        ConfigError: with every file that cannot.
    """
    found = []
    for option, path in files.items():
        if path is None:
            continue
        try:
            check_regular(path)
        except OSError as error:
            right = "correct the path, or leave the option out"
            reason = (error.strerror or str(error)).lower()
            found.append(Problem("command line", f"--{option}", str(path), reason, right))
    if found:
        raise ConfigError(found)
