"""What code can get at: everything reachable from an object or a thread's frames.

Attributes, containers, closures, defaults, bound methods, exceptions with their frames and the
base of an array are followed; modules, classes and a function's globals are not, for they are
the program and not what it holds.
"""

import gc
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType

import numpy as np

_PROGRAM = (ModuleType, type, CodeType, BuiltinFunctionType, str, bytes, int, float, bool)


def frames() -> list[FrameType]:
    """Frames of the thread that asks, from its caller down."""
    found, frame = [], sys._getframe(1)
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found


def reachable(*roots: object) -> Iterator[object]:
    """Every object that can be got at from the roots, each once."""
    seen, waiting = set(), list(roots)
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, _PROGRAM):
            continue
        seen.add(id(one))
        yield one
        waiting += _next(one)


def _next(one: object) -> list[object]:
    if isinstance(one, FunctionType):
        cells = [cell.cell_contents for cell in one.__closure__ or () if _filled(cell)]
        return [*cells, one.__defaults__, one.__kwdefaults__, one.__dict__]
    if isinstance(one, FrameType):
        return list(one.f_locals.values())
    if isinstance(one, np.ndarray):
        return [one.base]
    return gc.get_referents(one)


def _filled(cell: object) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
