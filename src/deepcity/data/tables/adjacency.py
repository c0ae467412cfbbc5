"""The graph of an agency's places: a matrix or an edge list, checked against the places.

Shapes: N places of the agency, M places of the records.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from deepcity.city.arrays import Doubles, Floats, Indices, Ints
from deepcity.data.config.adjacency_settings import AdjacencySettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.connectors import read_table
from deepcity.data.findings import IssueLog, rows_text
from deepcity.data.tables.numbers import read_numbers


def read_adjacency(
    settings: AdjacencySettings,
    source: SourceSettings,
    folder: Path,
    *,
    places: Sequence[str],
    in_records: Callable[[], Sequence[str]],
    issues: IssueLog,
) -> Floats | None:
    """Weights between an agency's places, shape (N, N), or None where problems were found.

    Args:
        settings: how the table is read.
        source: the source that holds it.
        folder: where relative paths start.
        places: names of the agency's places in the records, in the agency's order.
        in_records: returns all places of the records, in their order.
        issues: collects problems.

    Raises:
        ReadError: if the table, or the records whose order it follows, cannot be read.
    """
    frame = read_table(source, folder).frame
    if settings.from_ is not None and settings.to is not None:
        return _edges(frame, settings, source, places, issues)
    return _matrix(frame, settings, source, places, in_records, issues)


def _matrix(
    frame: pl.DataFrame,
    settings: AdjacencySettings,
    source: SourceSettings,
    places: Sequence[str],
    in_records: Callable[[], Sequence[str]],
    issues: IssueLog,
) -> Floats | None:
    """A matrix whose places are in the order of its header, else of the records."""
    has_header = getattr(source, "header", True)
    if has_header and frame.width == frame.height + 1:
        frame = frame.drop(frame.columns[0])  # names of the rows
    names = frame.columns if has_header else list(in_records())
    if frame.height != frame.width or frame.width != len(names):
        reason = f"{frame.height} rows and {frame.width} columns for {len(names)} places"
        right = "give one row and one column per place of the records, in their order"
        issues.problem("adjacency", settings.source, reason, right)
        return None
    at = {name: n for n, name in enumerate(names)}
    unknown = [place for place in places if place not in at]
    for place in unknown:
        right = did_you_mean(place, list(names))
        issues.problem("adjacency", place, "the matrix has no such place", right)
    weights_MM = np.stack([_numbers(frame[name], source, issues) for name in frame.columns], axis=1)
    if settings.symmetric:
        _check_symmetric(weights_MM, names, issues)
    if unknown or issues.problems:
        return None
    chosen = [at[place] for place in places]
    return weights_MM[np.ix_(chosen, chosen)].astype(np.float32)


def _check_symmetric(weights_MM: Doubles, names: Sequence[str], issues: IssueLog) -> None:
    unequal = np.argwhere(~np.isclose(weights_MM, weights_MM.T, rtol=1e-6, atol=0, equal_nan=True))
    if len(unequal):
        one, other = (int(n) for n in unequal[0])
        there, back = weights_MM[one, other], weights_MM[other, one]
        reason = f"{there:g} from {names[one]} to {names[other]}, but {back:g} the other way"
        right = "correct the weights, or remove symmetric"
        issues.problem("adjacency.symmetric", True, reason, right)


def _numbers(column: pl.Series, source: SourceSettings, issues: IssueLog) -> Doubles:
    """Weights of a column; a blank cell is 0, no edge."""
    numbers = read_numbers(column, source.numbers)
    wrong = np.union1d(numbers.bad, np.union1d(numbers.infinite, _negative(numbers.values_R)))
    if len(wrong):
        shown = str(column[int(wrong[0])])
        reason = f"not a weight ({rows_text(wrong + 1)})"
        issues.problem(column.name, shown, reason, "write numbers of 0 or more")
    return np.nan_to_num(numbers.values_R)


def _negative(values_R: Doubles) -> Indices:
    return np.flatnonzero(values_R < 0)


def _edges(
    frame: pl.DataFrame,
    settings: AdjacencySettings,
    source: SourceSettings,
    places: Sequence[str],
    issues: IssueLog,
) -> Floats | None:
    """An edge list, one edge per row; edges to places outside the agency are ignored."""
    ends = [name for name in (settings.from_, settings.to, settings.weight) if name is not None]
    for name in [name for name in ends if name not in frame.columns]:
        right = did_you_mean(name, frame.columns)
        issues.no_column("adjacency", name, right)
    if issues.problems:
        return None
    number = {place: n for n, place in enumerate(places)}
    start_E, end_E = (_place_numbers(frame[name], number) for name in ends[:2])
    weight_E = np.ones(frame.height)
    if settings.weight is not None:
        weight_E = _numbers(frame[settings.weight], source, issues)
    inside_E = (start_E >= 0) & (end_E >= 0)
    if not inside_E.any():
        known = frame[ends[0]].unique().sort().cast(pl.String).drop_nulls().to_list()
        right = did_you_mean(places[0], known)
        issues.problem("adjacency", places[0], "no edge connects two of the agency's places", right)
    left = int((~inside_E).sum())
    if left:
        text = f"{left:,} edges to places outside the agency ignored"
        issues.note("other-places", "adjacency", left, text)
    weights_NN = np.zeros((len(places), len(places)), dtype=np.float32)
    weights_NN[start_E[inside_E], end_E[inside_E]] = weight_E[inside_E]
    if settings.symmetric:
        weights_NN = np.maximum(weights_NN, weights_NN.T)
    return None if issues.problems else weights_NN


def _place_numbers(column: pl.Series, number: dict[str, int]) -> Ints:
    names = column.cast(pl.String).str.strip_chars()
    numbered = names.replace_strict(number, default=-1, return_dtype=pl.Int64)
    return numbered.fill_null(-1).to_numpy()
