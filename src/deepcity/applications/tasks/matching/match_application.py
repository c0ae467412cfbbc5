"""The contract of a service that looks for one person: a question, its terms, and a decision.

A service of the task *match* forecasts nothing, so it has no target, horizon or metric. What it has
instead are the terms on which a search is allowed at all; owners of cameras check them, whatever a
searching city says.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import deepcity.applications
from deepcity.applications.application import Task
from deepcity.applications.decision import Decision
from deepcity.applications.tasks.matching.match_state import MatchState
from deepcity.city.localized_text import LocalizedText


@dataclass(frozen=True)
class SearchTerms:
    """On which terms a search is allowed.

    Attributes:
        approvals: how many persons must approve, none of them who opened the case.
        warrant: whether an authority outside of the city must sign it, too.
        most_hours: how long a case may be open.
        back_hours: how far before its opening tracks are searched.
        most_hits: sightings in one answer.
        least_score: sightings under it are not given.
        searches_an_hour: of one case, at one owner.
        cases_a_day: of one city, at one owner.
    """

    approvals: int = 2
    warrant: bool = False
    most_hours: int = 72
    back_hours: int = 24
    most_hits: int = 20
    least_score: float = 0.3
    searches_an_hour: int = 120
    cases_a_day: int = 20


@dataclass(frozen=True)
class MatchApplication:
    """One service that looks for a person.

    Attributes:
        name: its name in grants and cases.
        title: its name for people.
        question: what it answers.
        decision: what is decided from the answer.
        reads: the domains of the Deep Data Layer that it reads.
        decide: from sightings to what to look at.
        terms: on which a search is allowed.
    """

    name: str
    title: LocalizedText
    question: LocalizedText
    decision: LocalizedText
    decide: Callable[[MatchState], Decision]
    terms: SearchTerms
    reads: tuple[str, ...] = ("cctv",)
    task: Task = Task.MATCH


def match_applications() -> dict[str, MatchApplication]:
    """Every service that looks for a person, by name.

    >>> sorted(match_applications())
    ['missing-child', 'wanted-person']
    """
    found: dict[str, MatchApplication] = {}
    for module in pkgutil.iter_modules(deepcity.applications.__path__):
        loaded = importlib.import_module(f"deepcity.applications.{module.name}")
        application = getattr(loaded, "APPLICATION", None)
        if isinstance(application, MatchApplication):
            found[application.name] = application
    return found
