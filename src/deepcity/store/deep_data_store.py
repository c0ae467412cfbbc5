"""What every store of deep data can do, whatever holds the rows.

A stored vector cannot be read without a grant: a store is handed a function that says who
may read which space, and asks it before every read. Anything but True is no.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from deepcity.city.errors import DeepDataError, GrantError, StoreError
from deepcity.city.problem import Problem
from deepcity.store.deep_data import MAX_WIDTH, MIN_WIDTH, DeepData, Seconds, Space, Texts, Vectors

MayRead = Callable[[str, Space], bool]
"""(reader, space) -> True if a grant covers it."""

Distance = Literal["l2", "cosine"]

DAYS = 90
"""How long a space keeps its vectors, unless told otherwise."""

DAY = 86_400

ALWAYS = (0, 1 << 62)
"""A time span that leaves nothing out, in seconds since 1970."""


@dataclass(frozen=True)
class Appended:
    """What became of a batch's rows; the three add up to all of them.

    Attributes:
        new: rows that were not there before.
        repeated: rows that were there already with the same vector; nothing was done.
        revised: rows whose older vector was replaced, as the sender asked.
    """

    new: int = 0
    repeated: int = 0
    revised: int = 0


@dataclass(frozen=True)
class Shelf:
    """A space as a store keeps it.

    Attributes:
        space: which.
        width: numbers a vector.
        days: how long a vector is kept; None: for good.
    """

    space: Space
    width: int
    days: int | None


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The K nearest vectors of one space, nearest first.

    Attributes:
        space: which they belong to.
        time_K: int64, seconds since 1970 in UTC.
        cell_K: text.
        vectors_KW: float32.
        distance_K: float64; L2, or 1 - cosine of the angle.
    """

    space: Space
    time_K: Seconds
    cell_K: Texts
    vectors_KW: Vectors
    distance_K: NDArray[np.float64]


class DeepDataStore(Protocol):
    """Deep data of any number of spaces.

    Every method raises StoreError when the database refuses, with its reason; nothing is half
    done then. Every read raises GrantError without a grant, and StoreError for a space that
    the store does not hold.
    """

    def register(self, space: Space, width: int, days: int | None = DAYS) -> None:
        """Make room for a space; the first append does it too. Twice changes nothing.

        Raises:
            DeepDataError: if the width or the days cannot be, or it has another width already.
        """

    def append(
        self,
        batch: DeepData,
        *,
        now: int,
        cells: Collection[str] | None = None,
        revise: bool = False,
    ) -> Appended:
        """Store all rows of a batch, or none; to send rows twice changes nothing.

        A stored vector stands: another one for the same cell and time is refused, because a
        model of one version gives one vector. Only `revise` replaces it, for an agency that
        corrected its records.

        Args:
            batch: rows of one space.
            now: seconds since 1970 in UTC; rows later than that are refused.
            cells: the only cells that are known; None: any.
            revise: replace vectors that differ.

        Raises:
            DeepDataError: with everything that is wrong with the batch.
        """

    def read(
        self, space: Space, cells: Sequence[str] | None, since: int, until: int, *, reader: str
    ) -> DeepData:
        """Rows with since <= time < until, by time and then by cell; cells None: of all."""

    def latest(
        self, space: Space, cells: Sequence[str] | None, at: int, *, reader: str
    ) -> DeepData:
        """The newest row of each cell at or before a time; a cell without one is left out."""

    def nearest(
        self,
        space: Space,
        vector_W: Vectors,
        k: int,
        since: int | None = None,
        until: int | None = None,
        *,
        reader: str,
        by: Distance = "l2",
        exact: bool = True,
    ) -> Neighbours:
        """The k rows of a space whose vectors are nearest, fewer if there are not so many.

        Distances are those of float32 arithmetic. Equally near ones stand by time, then by
        cell. By cosine, a stored vector of zeros stands at distance 1 from everything.

        Args:
            space: only its vectors are looked at, so versions never mix.
            vector_W: what to be near to.
            k: how many.
            since: earliest time; None: from the first row on.
            until: first time left out; None: to the last row.
            reader: who asks.
            by: L2 distance, or 1 - cosine of the angle.
            exact: False lets a store use an index that may miss some of the nearest.

        Raises:
            DeepDataError: with everything that is wrong with the question.
        """

    def retain(self, space: Space, days: int | None) -> None:
        """Set how long a space keeps its vectors; None: for good."""

    def expire(self, now: int) -> int:
        """Delete rows older than their space keeps them, and say how many.

        The database uses the freed room again; it does not wipe the disk.
        """

    def spaces(self) -> tuple[Shelf, ...]:
        """What the store holds, in order; no grant is needed to know."""

    def close(self) -> None:
        """Let go of the database. Twice is fine."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def check_reader(may_read: MayRead, reader: str, space: Space) -> None:
    """Let a reader pass, or refuse.

    Raises:
        GrantError: naming the space, the reader and the next step.
    """
    # not just true: an answer such as "deny" or an error's text must not open the door
    if may_read(reader, space) is not True:
        msg = (
            f"{reader!r} may not read {space}: no grant covers it. "
            f"Ask {space.city}/{space.agency} to grant {space.layer} to {reader!r}"
        )
        raise GrantError(msg)


def check_room(space: Space, width: int, days: int | None, held: int | None = None) -> None:
    """Let a width and a time to live pass, or say everything that is wrong with them.

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


def unknown_space(space: Space, shelves: Sequence[Shelf]) -> StoreError:
    """The error for a space that is not there, with the versions that are."""
    known = [shelf.space for shelf in shelves]
    others = [other.version for other in known if _but_version(other) == _but_version(space)]
    if others:
        hint = f"of this layer it holds version {', '.join(others)}; ask for one of them"
    elif known:
        hint = f"it holds {', '.join(map(str, known[:5]))}; ask for one of them, or append first"
    else:
        hint = "it is empty; append first"
    return StoreError(f"{space} is not in the store: {hint}")


def _but_version(space: Space) -> tuple[str, ...]:
    return (space.city, space.domain, space.agency, space.layer)
