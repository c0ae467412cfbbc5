"""The contract of a service: which question it answers, from what, for which decision.

A new service is one new file beside this one that sets `APPLICATION`; the folder is the
registry.
"""

import importlib
import pkgutil
from dataclasses import dataclass, field

import deepcity.applications
from deepcity.applications.metric import AbsoluteError, Metric
from deepcity.city.agency import DomainName
from deepcity.city.field import Kind
from deepcity.city.title import Title


@dataclass(frozen=True)
class Application:
    """One service of the City Application Layer.

    Attributes:
        name: how a map file names it.
        title: how people name it.
        question: what it answers.
        decision: what the answer is good for.
        domains: the domains of the Deep Data Layer it reads.
        kinds: the kinds of field it can forecast.
        unit: the unit its answers are usually told in; a map's own field decides.
        horizon_hours: how far ahead its decision looks; a map's own window decides.
        metric: what its answers are judged by.
    """

    name: str
    title: Title
    question: Title
    decision: Title
    domains: tuple[DomainName, ...]
    kinds: tuple[Kind, ...]
    unit: str
    horizon_hours: float
    metric: Metric = field(default_factory=AbsoluteError)


def applications() -> dict[str, Application]:
    """Every service there is, by name.

    >>> sorted(applications())[:3]
    ['air', 'air-warning', 'crime-prevention']
    """
    found: dict[str, Application] = {}
    for module in pkgutil.iter_modules(deepcity.applications.__path__):
        loaded = importlib.import_module(f"deepcity.applications.{module.name}")
        application = getattr(loaded, "APPLICATION", None)
        if application is not None:
            found[application.name] = application
    return found
