"""A play: one attempt of one adversary, tried for true, and how it ended."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx

from deepcity.city.errors import DeepCityError

_MOST_WORDS = 110


class Stage(StrEnum):
    """Where a play is played."""

    SIMULATED = "simulated"
    MACHINES = "machines"
    RUNNING_CITY = "running-city"


class Result(StrEnum):
    """How an attempt ended; the last two must not be."""

    STOPPED = "stopped"
    MEASURED = "measured"
    GOT_THROUGH = "got through"
    UNNAMED = "failed without a name"


GOOD = frozenset({Result.STOPPED, Result.MEASURED})


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, and by what."""

    result: Result
    by: str

    @property
    def good(self) -> bool:
        """Whether it was stopped by name, or measured within its limit."""
        return self.result in GOOD


@dataclass(frozen=True)
class Play:
    """One attempt.

    Attributes:
        name: as `--only` takes it.
        wants: what the adversary is after.
        does: what it does.
        run: tries it on a stage.
        slow: it takes more than a few seconds, so that tests leave it out.
    """

    name: str
    adversary: str
    stage: Stage
    wants: str
    does: str
    run: Callable[[Any], Ending]
    slow: bool = False

    def end(self, stage: object) -> Ending:
        """Play it; an error that no play names beforehand is a failure."""
        try:
            return self.run(stage)
        except Exception as error:
            return Ending(Result.UNNAMED, _words(error))


PLAYS: dict[str, Play] = {}
"""By name, in the order in which adversaries are imported."""


def play(
    adversary: str, stage: Stage, wants: str, *, slow: bool = False
) -> Callable[[Callable[[Any], Ending]], Callable[[Any], Ending]]:
    """Enter a function into `PLAYS`; its docstring says what the adversary does.

    Raises:
        ValueError: if it has no docstring, or its name is taken.
    """

    def enter(run: Callable[[Any], Ending]) -> Callable[[Any], Ending]:
        name, does = run.__name__.replace("_", "-"), " ".join((run.__doc__ or "").split())
        if not does or name in PLAYS:
            msg = f"play {name!r} needs a docstring and a name of its own"
            raise ValueError(msg)
        PLAYS[name] = Play(name, adversary, stage, wants, does.rstrip("."), run, slow)
        return run

    return enter


def stopped_by(kind: type[Exception], words: str, attempt: Callable[[], object]) -> Ending:
    """An attempt that must end in this error, with these words (a regular expression).

    Another error is raised on: whoever is stopped for another reason was not stopped by this.
    """
    try:
        found = attempt()
    except kind as error:
        if not isinstance(error, DeepCityError) or not re.search(words, str(error)):
            raise
        return Ending(Result.STOPPED, _words(error, words))
    return Ending(Result.GOT_THROUGH, f"it was answered: {str(found)[:_MOST_WORDS]}")


def named(words: str, found: str) -> Ending:
    """An attempt that must be named in a report, a finding or a log, by these words."""
    if match := re.search(words, found):
        long = match.end() - match.start() > _MOST_WORDS // 2
        start = max(0, match.end() - _MOST_WORDS // 2 if long else match.start() - 20)
        return Ending(Result.STOPPED, f"named: {_one_line(found[start : start + _MOST_WORDS])}")
    return Ending(Result.GOT_THROUGH, f"nothing names it: {_one_line(found)[:_MOST_WORDS]}")


def refused(status: int, answer: httpx.Response, words: str = "") -> Ending:
    """A request that must be answered with this status, and with these words."""
    text = _one_line(answer.text)
    if answer.status_code == status and re.search(words, text):
        return Ending(Result.STOPPED, f"HTTP {status}: {_reason(answer)}")
    result = Result.GOT_THROUGH if answer.status_code < 400 else Result.UNNAMED
    return Ending(result, f"HTTP {answer.status_code}: {text[:_MOST_WORDS]}")


def measured(value: float, limit: float, what: str) -> Ending:
    """Harm as a number, which must not be over its limit; one that is not finite is."""
    result = Result.MEASURED if value <= limit else Result.GOT_THROUGH
    return Ending(result, f"{what} {value:.4g} (limit {limit:.4g})")


def stated(what: str) -> Ending:
    """Harm that nothing here limits, and that the threat model names as such."""
    return Ending(Result.MEASURED, f"{what} (no limit: see the threat model)")


def all_of(endings: Iterable[Ending]) -> Ending:
    """Several attempts of one play: the first that is not good, else the first; how many."""
    found = list(endings)
    shown = next((one for one in found if not one.good), found[0])
    more = f" ({len(found)} attempts)" if len(found) > 1 else ""
    return Ending(shown.result, shown.by + more)


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["errors"][0]["reason"])[:_MOST_WORDS]
    except (ValueError, LookupError, TypeError):
        return _one_line(answer.text)[:_MOST_WORDS] or answer.reason_phrase


def _words(error: Exception, words: str = "") -> str:
    text = _one_line(str(error))
    match = re.search(words, text) if words else None
    start = max(0, match.start() - 40) if match and match.end() > _MOST_WORDS else 0
    shown = ("… " if start else "") + text[start : start + _MOST_WORDS]
    return f"{type(error).__name__}: {shown}{'…' if len(text) > start + _MOST_WORDS else ''}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
