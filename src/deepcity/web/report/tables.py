"""The two tables of a service, ready for the template: chosen levels, and errors by method."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from deepcity.applications.application import Baseline
from deepcity.audit.results import PartyAudit
from deepcity.city.level import ALONE as ALONE_LEVEL
from deepcity.city.level import MAX_LEVEL
from deepcity.parties.method_errors import ALONE, AUTOMATIC, POOLED, RIDGE, fixed_level_name
from deepcity.runs.results import PartyResult, ServiceResult
from deepcity.vertical.results import VerticalPartyResult
from deepcity.web.report.charts.curves import method_name
from deepcity.web.report.figures import decimals, number, signed_percent, size
from deepcity.web.report.findings import (
    SAME_WITHIN,
    error,
    gain_over,
    mean_known,
    traffic_of,
    verdict,
)
from deepcity.web.report.leakage.line import leak_line
from deepcity.web.report.notes import level_words_of
from deepcity.web.report.text import Text, translate

LEVELS = range(MAX_LEVEL + 1)
FIXED = tuple(fixed_level_name(level) for level in range(1, MAX_LEVEL + 1))
SIMPLE = tuple(one.value for one in Baseline)
METHODS = (*SIMPLE, RIDGE, ALONE, *FIXED, AUTOMATIC, POOLED)
_TINTS = (0.02, 0.05, 0.1, 0.2)  # where one strength of colour gives way to the next


def level_words(level: int) -> Text:
    """Which layers a level holds in common.

    >>> level_words(3).en, level_words(6).en
    ('h1–h3', 'h1–h5 and head')
    """
    key = str(level) if level in {ALONE_LEVEL, 1, MAX_LEVEL} else "many"
    return translate(f"level.{key}", level=level)


@dataclass(frozen=True)
class LevelRow:
    """A row of the map: a party, the level it chose and what came of it."""

    party: PartyResult
    level: Text
    change: str
    tone: str
    sent: str | None
    why: Text
    leakage: Text | None


def level_rows(service: ServiceResult, audits: Sequence[PartyAudit] = ()) -> list[LevelRow]:
    """The map's rows of one service.

    Args:
        audits: of its parties' networks.
    """
    traffic = traffic_of(service, AUTOMATIC)
    sent = traffic.bytes_by_party if traffic is not None else {}
    return [
        _level_row(
            party,
            0 if party.newcomer else sent.get(party.name),
            leak_line(audits, service.name, party.name),
        )
        for party in service.parties
    ]


def _level_row(party: PartyResult, sent: int | None, leakage: Text | None) -> LevelRow:
    gain = gain_over(party, AUTOMATIC)
    return LevelRow(
        party=party,
        level=level_words(party.level),
        change=signed_percent(None if gain is None else -gain),
        tone="" if gain is None else verdict(gain),
        sent=None if sent is None else size(sent),
        why=level_words_of(party),
        leakage=leakage,
    )


@dataclass(frozen=True)
class Cell:
    """An error as written, its change against alone, its tint (`good-3`, `bad-1`, or none).

    Attributes:
        style: what it looks like, by its method.
        spread: over seeds, if there are several.
    """

    value: str
    change: str
    tint: str
    best: bool
    style: str
    spread: str = ""


@dataclass(frozen=True)
class ErrorTable:
    """Errors of every method that was run, one row a party, and the mean changes.

    Attributes:
        heads: words and style of each method.
        groups: heading keys over neighbouring columns, with how many columns each spans.
    """

    heads: list[tuple[Text, str]]
    groups: list[tuple[str, int]]
    rows: Sequence[tuple[PartyResult | VerticalPartyResult, list[Cell]]]
    means: list[Cell]

    @property
    def styles(self) -> set[str]:
        """Of all methods."""
        return {style for _, style in self.heads}


def spans(groups: Iterable[str]) -> list[tuple[str, int]]:
    """Neighbouring columns of one group, with how many there are.

    >>> spans(["naive", "naive", "alone"])
    [('naive', 2), ('alone', 1)]
    """
    return [(group, len(list(columns))) for group, columns in groupby(groups)]


def error_table(service: ServiceResult) -> ErrorTable:
    """The table of one service; methods nobody ran have no column."""
    methods = tuple(m for m in METHODS if any(m in party.test for party in service.parties))
    places = decimals(error(party, method) for party in service.parties for method in methods)
    rows = [(party, _cells(party, methods, places)) for party in service.parties]
    return ErrorTable(
        heads=[(method_name(m), _style(m)) for m in methods],
        groups=spans(map(_group, methods)),
        rows=rows,
        means=[_mean_cell(service.parties, m) for m in methods],
    )


def _cells(party: PartyResult, methods: Sequence[str], places: int) -> list[Cell]:
    allowed = [e for m in methods if m != POOLED and (e := error(party, m)) is not None]
    least = min(allowed, default=None)
    return [_cell(party, method, places, least) for method in methods]


def _cell(party: PartyResult, method: str, places: int, least: float | None) -> Cell:
    off, gain = error(party, method), gain_over(party, method)
    change = None if gain is None or method == ALONE else -gain
    best = method != POOLED and off is not None and off == least
    return Cell(
        number(off, places),
        "" if change is None else signed_percent(change),
        tint(change),
        best,
        _style(method),
    )


def _mean_cell(parties: Sequence[PartyResult], method: str) -> Cell:
    gain = mean_known(gain_over(party, method) for party in parties)
    change = None if gain is None or method == ALONE else -gain
    return Cell(signed_percent(change), "", tint(change), best=False, style=_style(method))


def tint(change: float | None) -> str:
    """The colour class of a relative change of error; none within `SAME_WITHIN`.

    >>> tint(-0.08), tint(0.3), tint(0.001)
    ('good-3', 'bad-5', '')
    """
    if change is None or abs(change) < SAME_WITHIN:
        return ""
    strength = 1 + sum(abs(change) >= edge for edge in _TINTS)
    return f"{'good' if change < 0 else 'bad'}-{strength}"


def _style(method: str) -> str:
    return "fixed" if method in FIXED else method


def _group(method: str) -> str:
    if method in (*SIMPLE, RIDGE):
        return "naive_group"
    if method in FIXED:
        return "fixed_group"
    return {ALONE: "alone_group", AUTOMATIC: "automatic_group"}.get(method, "pooled_group")
