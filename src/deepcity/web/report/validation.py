"""The errors that levels were chosen by: each party's own validation days, level by level."""

from collections.abc import Iterable
from dataclasses import dataclass

from deepcity.city.level import MAX_LEVEL
from deepcity.runs.results import PartyResult, ServiceResult
from deepcity.web.report.charts.curves import method_name
from deepcity.web.report.figures import decimals, number
from deepcity.web.report.tables import level_words
from deepcity.web.report.text import Text

_LEVELS = tuple(str(level) for level in range(MAX_LEVEL + 1))


@dataclass(frozen=True)
class Tried:
    """One error as written, and whether its level was the party's choice."""

    value: str
    chosen: bool


@dataclass(frozen=True)
class ValidationTable:
    """Validation errors of every party by what was tried there."""

    heads: tuple[Text, ...]
    rows: list[tuple[PartyResult, list[Tried]]]


def validation_table(service: ServiceResult) -> ValidationTable | None:
    """The table of one service; None where no party tried anything beside its own network."""
    keys = _keys(service.parties)
    if len(keys) < 2:
        return None
    places = decimals(e for party in service.parties for e in party.validation_mae.values())
    rows = [(party, _row(party, keys, places)) for party in service.parties]
    return ValidationTable(tuple(_head(key) for key in keys), rows)


def _keys(parties: Iterable[PartyResult]) -> list[str]:
    """What any party tried: levels by depth, then anything else by name."""
    tried = {key for party in parties for key in party.validation_mae}
    return [*(k for k in _LEVELS if k in tried), *sorted(tried - set(_LEVELS))]


def _head(key: str) -> Text:
    return level_words(int(key)) if key in _LEVELS else method_name(key)


def _row(party: PartyResult, keys: list[str], places: int) -> list[Tried]:
    errors = party.validation_mae
    return [Tried(number(errors.get(k), places), k == str(party.level)) for k in keys]
