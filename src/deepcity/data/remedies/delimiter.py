"""`delimiter`: another sign between cells, offered if the header then has every column needed."""

from dataclasses import dataclass
from pathlib import Path

from deepcity.city.problem import Trial
from deepcity.data.config.source import SourceSettings
from deepcity.data.connectors import read_columns
from deepcity.data.errors import ReadError
from deepcity.data.remedies import Remedy
from deepcity.data.text_files.sniff import DELIMITERS

NAMES_SHOWN = 5


@dataclass(frozen=True)
class UnknownColumns:
    """A table without any of the columns that are needed.

    Attributes:
        needed: their names.
        source: the table; relative paths start at `folder`.
    """

    needed: tuple[str, ...]
    source: SourceSettings
    folder: Path


def _attempt(evidence: UnknownColumns) -> Trial | None:
    stated = getattr(evidence.source, "delimiter", None)
    for sign in DELIMITERS if isinstance(stated, str) else ():
        if sign == stated:
            continue
        try:
            other = evidence.source.model_copy(update={"delimiter": sign})
            columns = read_columns(other, evidence.folder)
        except ReadError:
            continue
        if set(evidence.needed) <= set(columns):
            shown = ", ".join(columns[:NAMES_SHOWN])
            more = f" and {len(columns) - NAMES_SHOWN:,} more" if columns[NAMES_SHOWN:] else ""
            written = sign.replace("\t", "\\t")
            effect = f"the columns are then {shown}{more}"
            return Trial(f'delimiter = "{written}"', True, effect)
    return None


REMEDIES = (Remedy("delimiter", UnknownColumns, _attempt),)
