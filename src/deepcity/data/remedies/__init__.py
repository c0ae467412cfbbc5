"""Remedies: changes of a city file that a message may propose. This folder is the registry.

A message that refuses records gives its *evidence*; every remedy for that kind of evidence is
tried on it first (`trials`), and the message is made from what they gave (`next_step`). One that
keeps totals, places and distinct times is offered. Of the others the message names what each
would lose, so that nobody is led to wrong data. No message outside this folder proposes one of
these keys.

A module defines `REMEDIES`, a tuple of `Remedy`; a new one costs no other edit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from deepcity.city.problem import Trial


@dataclass(frozen=True)
class Remedy:
    """A change of a city file, and how it is tried.

    Attributes:
        name: unique, e.g. ``duplicates-first``.
        evidence: the class of evidence that it is for.
        attempt: tries it; None where it has nothing to do with the evidence.
    """

    name: str
    evidence: type
    attempt: Callable[[Any], Trial | None]


@cache
def remedies() -> tuple[Remedy, ...]:
    """Every remedy of this folder, in the order of files and of their lists."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return tuple(one for module in modules for one in getattr(module, "REMEDIES", ()))


def trials(evidence: object) -> tuple[Trial, ...]:
    """What each remedy for this kind of evidence has given."""
    fitting = [one for one in remedies() if isinstance(evidence, one.evidence)]
    return tuple(trial for one in fitting if (trial := one.attempt(evidence)) is not None)


def next_step(found: Sequence[Trial], otherwise: str) -> str:
    """The next step after trials: remedies that work, else the choices and their price.

    Args:
        found: what was tried on the evidence of what was refused.
        otherwise: what can be done without a remedy, e.g. ``correct these cells``.
    """
    offered, costly = ([one for one in found if one.keeps is kept] for kept in (True, False))
    price = f"; not without loss: set {_listed(costly)}" if costly else ""
    if len(offered) == 1:
        return f"{otherwise}, or set {offered[0].change} ({offered[0].effect}){price}"
    if offered:
        return f"say which is right: set {_listed(offered)}; or {otherwise}{price}"
    return f"{otherwise}{price}"


def _listed(found: Sequence[Trial]) -> str:
    return "; ".join(f"{one.change} ({one.effect})" for one in found)
