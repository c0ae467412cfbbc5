"""Checks of a batch of deep data, a space's settings and a search: all problems at once.

Shapes: R rows, W width of a vector.
"""

from collections.abc import Collection

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.errors import DeepDataError
from deepcity.city.problem import Problem
from deepcity.store.deep_data.batch import (
    MAX_WIDTH,
    MIN_WIDTH,
    SHOWN,
    DeepData,
    Space,
    coded,
    moment,
    name_problem,
    rows_text,
)

TOLERANCE_SECONDS = 300
"""How far ahead of the receiver's clock a sender's may run."""


def check_batch(batch: DeepData, now: int, cells: Collection[str] | None = None) -> None:
    """Check a batch.

    Args:
        now: seconds since 1970 in UTC by the receiver's clock.
        cells: the only cells allowed; None: any.

    Raises:
        DeepDataError: with every problem.
    """
    problems = _shape_problems(batch)
    if not problems:
        problems = [
            *_time_problems(batch, now),
            *_cell_problems(batch, cells),
            *_vector_problems(batch),
            *_withdrawn_problems(batch),
            *_twice_problems(batch),
        ]
    if problems:
        raise DeepDataError(problems)


def check_query(space: Space, vector_W: Floats, k: int, width: int, by: str) -> None:
    """Check a search.

    Raises:
        DeepDataError: with every problem.
    """
    place, problems = str(space), []
    if vector_W.shape != (width,):
        reason = f"its shape is {vector_W.shape}, the space holds vectors of {width} numbers"
        problems.append(Problem(place, "vector_W", None, reason, "take it from the same layer"))
    elif not np.isfinite(vector_W).all():
        reason = "some of its numbers are not finite"
        problems.append(Problem(place, "vector_W", None, reason, "search for finite numbers"))
    elif by == "cosine" and not vector_W.any():
        reason = "a vector of zeros has no direction"
        problems.append(Problem(place, "vector_W", None, reason, "search by l2"))
    if by not in {"l2", "cosine"}:
        problems.append(Problem(place, "by", by, "no such distance", "write l2 or cosine"))
    if k < 1:
        problems.append(Problem(place, "k", k, "it must be at least 1", "ask for 1 or more"))
    if problems:
        raise DeepDataError(problems)


def check_space_settings(
    space: Space, width: int, days: int | None, held: int | None = None
) -> None:
    """Check a width and a time to live.

    Raises:
        DeepDataError: with every problem; `held` is the width that the space has already.
    """
    place, problems = str(space), []
    if not MIN_WIDTH <= width <= MAX_WIDTH:
        reason = f"a vector of deep data has {MIN_WIDTH} to {MAX_WIDTH} numbers"
        problems.append(Problem(place, "width", width, reason, "store a bottleneck's activations"))
    if held is not None and held != width:
        reason = f"the space holds vectors of {held} numbers"
        right = "give another model a version of its own"
        problems.append(Problem(place, "width", width, reason, right))
    if days is not None and days < 1:
        reason = "vectors are kept for a day or longer"
        problems.append(Problem(place, "days", days, reason, "give 1 or more, or None for good"))
    if problems:
        raise DeepDataError(problems)


def _shape_problems(batch: DeepData) -> list[Problem]:
    place, problems = str(batch.space), []
    wanted = {"time_R": ("int64", 1), "cell_R": ("text", 1), "vectors_RW": ("float32", 2)}
    if batch.known_R is not None:
        wanted["known_R"] = ("bool", 1)
    for name, (dtype, axes) in wanted.items():
        array = np.asarray(getattr(batch, name))
        found = "text" if array.dtype.kind == "U" else array.dtype.name
        if (found, array.ndim) != (dtype, axes):
            reason = f"it is {found} with {array.ndim} axes"
            right = f"give {dtype} with {axes} {'axis' if axes == 1 else 'axes'}"
            problems.append(Problem(place, name, None, reason, right))
    lengths = {name: np.shape(getattr(batch, name))[:1] for name in wanted}
    if not problems and len(set(lengths.values())) > 1:
        text = ", ".join(f"{name} {length[0]}" for name, length in lengths.items())
        reason = f"their numbers differ: {text}"
        problems.append(Problem(place, "rows", None, reason, "give as many"))
    if not problems and not MIN_WIDTH <= batch.width <= MAX_WIDTH:
        reason = f"a vector of deep data has {MIN_WIDTH} to {MAX_WIDTH} numbers"
        right = "store a bottleneck's activations"
        problems.append(Problem(place, "width", batch.width, reason, right))
    return problems


def _time_problems(batch: DeepData, now: int) -> list[Problem]:
    place, problems = str(batch.space), []
    late_R = np.flatnonzero(np.diff(batch.time_R) < 0) + 1
    if late_R.size:
        reason = f"{rows_text(late_R)}: earlier than the row before"
        right = "sort the batch by time, earliest first"
        problems.append(Problem(place, "time_R", moment(batch.time_R[late_R[0]]), reason, right))
    wrong_R = np.flatnonzero(batch.time_R > now + TOLERANCE_SECONDS)
    if wrong_R.size:
        first = int(batch.time_R[wrong_R[0]])
        reason = f"{rows_text(wrong_R)}: in the future; it is {moment(now)}"
        right = "set the sender's clock" if first < 50 * now else "give seconds, not milliseconds"
        problems.append(Problem(place, "time_R", moment(first), reason, right))
    wrong_R = np.flatnonzero(batch.time_R < 0)
    if wrong_R.size:
        reason = f"{rows_text(wrong_R)}: before 1970"
        right = "give seconds since 1970 in UTC"
        problems.append(Problem(place, "time_R", int(batch.time_R[wrong_R[0]]), reason, right))
    return problems


def _cell_problems(batch: DeepData, cells: Collection[str] | None) -> list[Problem]:
    place = str(batch.space)
    names = [str(name) for name in np.unique(batch.cell_R)]
    unnamed = [(name, reason) for name in names if (reason := name_problem(name))]
    problems = [
        Problem(place, "cell_R", name, reason, "name a cell in 1 to 200 printed characters")
        for name, reason in unnamed[:SHOWN]
    ]
    if cells is not None:
        known = frozenset(cells)
        strange = [name for name in names if name not in known]
        if strange:
            shown = ", ".join(strange[:SHOWN])
            more = f" and {len(strange) - SHOWN} more" if len(strange) > SHOWN else ""
            reason = f"none of the {len(known)} known cells"
            right = "correct them, or add them to the agency's places"
            problems.append(Problem(place, "cell_R", shown + more, reason, right))
    return problems


def _vector_problems(batch: DeepData) -> list[Problem]:
    wrong_R = np.flatnonzero(~np.isfinite(batch.vectors_RW).all(axis=1))
    if not wrong_R.size:
        return []
    reason = f"{rows_text(wrong_R)}: not finite"
    right = "leave a cell out while its inputs are missing"
    return [Problem(str(batch.space), "vectors_RW", None, reason, right)]


def _withdrawn_problems(batch: DeepData) -> list[Problem]:
    """The vector of a withdrawn row must be all zeros."""
    if batch.known_R is None:
        return []
    nonzero_R = np.flatnonzero(~batch.known_R & batch.vectors_RW.any(axis=1))
    if not nonzero_R.size:
        return []
    reason = f"{rows_text(nonzero_R)}: withdrawn, but the vector is not all zeros"
    right = "send zeros for withdrawn rows"
    return [Problem(str(batch.space), "known_R", None, reason, right)]


def _twice_problems(batch: DeepData) -> list[Problem]:
    code_R = coded(batch.cell_R)[1]
    order_R = np.lexsort((code_R, batch.time_R))
    time_R, code_R = batch.time_R[order_R], code_R[order_R]
    twice_R = np.flatnonzero((np.diff(time_R) == 0) & (np.diff(code_R) == 0))
    row_R, before_R = order_R[twice_R + 1], order_R[twice_R]
    other = (batch.vectors_RW[row_R] != batch.vectors_RW[before_R]).any(axis=1)
    known_R = batch.all_known_R
    other_R = row_R[other | (known_R[row_R] != known_R[before_R])]
    if not other_R.size:
        return []
    row = int(other_R.min())
    key = f"{batch.cell_R[row]} at {moment(batch.time_R[row])}"
    reason = f"{rows_text(np.sort(other_R))}: another vector for a cell and time of this batch"
    return [Problem(str(batch.space), "vectors_RW", key, reason, "send one vector for each")]
