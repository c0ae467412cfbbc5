"""Verbs and options of 0.1: accepted for one version more, with a line that names the new word."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from deepcity.city.errors import RecordsWarning
from deepcity.cli.progress_bars import errors
from deepcity.data.config.renamed_keys import GOES_WITH, RenamedWarning

RENAMED_VERBS: Mapping[str, str] = {
    "meet": "train-vertical",
    "agency": "agent",
    "refine": "update",
}
RENAMED_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "update": {"--bound": "--max-forgetting"},
    "agent": {
        "--most-mb": "--max-mb",
        "--patience": "--late-wait",
        "--look-back": "--revision-window",
    },
    "serve": {"--most-mb": "--max-mb", "--most-rows": "--max-rows"},
}
"""Verb, by its new name -> old option -> new option."""


def with_new_words(words: list[str]) -> list[str]:
    """A command line under the new names; each old verb or option is warned of once."""
    place = next((at for at, word in enumerate(words) if not word.startswith("-")), None)
    if place is None:
        return words
    old = words[place]
    verb = RENAMED_VERBS.get(old, old)
    if verb != old:
        _warn(f"deepcity {old}", f"deepcity {verb}")
    return [*words[:place], verb, *_new_options(verb, words[place + 1 :])]


def _new_options(verb: str, words: list[str]) -> list[str]:
    """A verb's words with old options replaced, up to "--"; each is warned of once."""
    known, warned = RENAMED_OPTIONS.get(verb, {}), set[str]()
    end = words.index("--") if "--" in words else len(words)
    found = []
    for word in words[:end]:
        option, equals, value = word.partition("=")
        if option in known and option not in warned:
            _warn(option, known[option])
            warned.add(option)
        found.append(f"{known.get(option, option)}{equals}{value}")
    return found + words[end:]


def _warn(old: str, new: str) -> None:
    _print(f"`{old}` is now `{new}`; the old word goes with deepcity {GOES_WITH}")


def _print(line: str) -> None:
    errors.print(line, style="yellow", markup=False)


@contextmanager
def readable_warnings() -> Iterator[None]:
    """Old keys of a map file, and what is odd about records: a line each on standard error. Other
    warnings: as usual.
    """
    usual = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, RenamedWarning | RecordsWarning):
            _print(str(message))
        else:
            usual(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.simplefilter("once", RenamedWarning)
        warnings.showwarning = show
        yield
