"""Which column of a long table names the place, and which only describe it.

A column of places repeats its few names at most times. Whole numbers may be names too, so a
column of numbers is a place column only if it repeats as one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from deepcity.data.draft.question import Question
from deepcity.data.errors import ReadError
from deepcity.data.places.place_ids import SCIENTIFIC, place_ids

PLACE_WORDS = (
    r"(?i)(^|[_ ])(id|code|no|nr|num|number)$|station|sensor|site|place|detector|device|meter|link"
    r"|코드|번호|지점|측정소|역|관측|구간|호선"
)
LEAST_FILLED = 0.3  # share of times at which a numbered place must have a row
MAX_KINDS = 6  # texts of a column that tells apart rows of one time and place


@dataclass(frozen=True)
class PlaceDraft:
    """What was found of a table's places.

    Attributes:
        column: the column that names the place of a row; None for a table without one.
        about: columns that describe a place (codes, positions) and are no fields.
        kind: a column that tells apart several rows of one time and place; None without.
        kinds: its texts.
        questions: what the table does not show.
    """

    column: str | None = None
    about: tuple[str, ...] = ()
    kind: str | None = None
    kinds: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


def detect_places(
    frame: pl.DataFrame, keys: Sequence[str], numeric: Sequence[str], *, values_apart: bool = False
) -> PlaceDraft:
    """What rows of a table show of its places.

    Args:
        frame: the rows, or a sample in their order.
        keys: the columns that hold the time.
        numeric: the columns that hold numbers; the others hold texts.
        values_apart: whether the values are in none of these columns, so that all may be names.
    """
    doubled = frame.select(keys).is_duplicated()
    if not doubled.any():
        return PlaceDraft()
    texts = [name for name in frame.columns if name not in (*keys, *numeric)]
    whole = [name for name in numeric if _names_in_numbers(frame[name])]
    if len(whole) == len(numeric) == 1 and not values_apart:
        whole = []  # the only numbers are the values
    short = [name for name in whole if _is_scientific(frame[name])]
    if short:
        return PlaceDraft(short[0])
    found = _best(frame, keys, texts, whole)
    if found is not None:
        return PlaceDraft(found, _about(frame, found, [*numeric], keys))
    return _in_two(frame, keys, texts, whole) or PlaceDraft(questions=(_UNEXPLAINED,))


_UNEXPLAINED = Question(
    "place",
    "several rows have one time, and no column names a place for each.",
    "one place",
    ("layout = 'long' with the place column",),
)


def _best(
    frame: pl.DataFrame, keys: Sequence[str], texts: Sequence[str], whole: Sequence[str]
) -> str | None:
    """The column that, with the time, identifies each row; the one that repeats most like one."""
    fitting = [name for name in (*texts, *whole) if not _doubled(frame, [*keys, name])]
    fitting = [name for name in fitting if name in texts or _filled(frame, keys, name)]
    hinted = [name for name in fitting if re.search(PLACE_WORDS, name)]
    share = {name: _fill(frame, keys, name) for name in fitting}
    order = sorted(fitting, key=lambda name: (name in whole, name not in hinted, -share[name]))
    return order[0] if order else None


def _filled(frame: pl.DataFrame, keys: Sequence[str], name: str) -> bool:
    return _fill(frame, keys, name) >= LEAST_FILLED


def _fill(frame: pl.DataFrame, keys: Sequence[str], name: str) -> float:
    """Rows, as a share of all pairs of a time and a name."""
    times, names = frame.select(keys).n_unique(), frame[name].n_unique()
    return frame.height / max(times * names, 1)


def _doubled(frame: pl.DataFrame, columns: Sequence[str]) -> bool:
    return bool(frame.select(columns).is_duplicated().any())


def _names_in_numbers(column: pl.Series) -> bool:
    """Whether all numbers are whole and not negative, as ids are."""
    try:
        texts = place_ids(column).drop_nulls()
    except ReadError:
        return True  # ids whose digits are lost
    return len(texts) > 0 and bool(texts.str.contains(r"^\d+$").all())


def _is_scientific(column: pl.Series) -> bool:
    if column.dtype != pl.String:
        return False
    texts = column.drop_nulls().str.strip_chars()
    return len(texts) > 0 and bool(texts.str.contains(SCIENTIFIC).all())


def _about(
    frame: pl.DataFrame, place: str, numeric: Sequence[str], keys: Sequence[str]
) -> tuple[str, ...]:
    """Columns of numbers that have one value for each place, but not the same for all."""
    if frame.select(keys).n_unique() < 3:
        return ()
    rest = [name for name in numeric if name != place]
    each = frame.group_by(place).agg(pl.col(rest).drop_nulls().n_unique())
    constant = {name for name in rest if bool((each[name] <= 1).all())}
    return tuple(name for name in rest if name in constant and frame[name].n_unique() > 1)


def _in_two(
    frame: pl.DataFrame, keys: Sequence[str], texts: Sequence[str], whole: Sequence[str]
) -> PlaceDraft | None:
    """A place column, and one of few texts that tells apart rows of one time and place."""
    kinds = [name for name in texts if 2 <= frame[name].drop_nulls().n_unique() <= MAX_KINDS]
    names = [*texts, *(name for name in whole if re.search(PLACE_WORDS, name))]
    for kind in reversed(kinds):
        for place in names:
            if place != kind and not _doubled(frame, [*keys, place, kind]):
                found = tuple(frame[kind].drop_nulls().unique().sort().to_list())
                text = f"rows of one time and place differ by {kind!r}: a field for each of them?"
                question = Question("where", text, "a field for each", ("their sum",))
                about = _about(frame, place, [*whole], keys)
                return PlaceDraft(place, about, kind, found, (question,))
    return None
