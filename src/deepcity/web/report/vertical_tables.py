"""The tables of vertical training's page: errors by method, agencies, and what each mode sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepcity.applications.application import Baseline
from deepcity.maps.vertical_settings import Mode
from deepcity.parties.method_errors import ALONE, AUTOMATIC, NAIVE_DAY, NAIVE_WEEK, POOLED
from deepcity.vertical.results import (
    MODE_PREFIX,
    TOGETHER,
    AgencyFacts,
    ModeCost,
    VerticalPartyResult,
    VerticalServiceResult,
)
from deepcity.web.report.figures import (
    MISSING,
    decimals,
    duration,
    number,
    signed_percent,
    size,
    stretch,
)
from deepcity.web.report.findings import mean_known
from deepcity.web.report.tables import Cell, ErrorTable, spans, tint
from deepcity.web.report.text import Text, same, translate

_MINUTES_A_DAY = 1440
LAST_VALUE = Baseline.PERSISTENCE.value
_GROUPS = {
    NAIVE_DAY: "naive_group",
    NAIVE_WEEK: "naive_group",
    LAST_VALUE: "naive_group",
    ALONE: "alone_group",
    AUTOMATIC: "ensemble_group",
    POOLED: "pooled_group",
}


def mode_name(mode: str) -> Text:
    """What a mode is called on the page; an unknown one keeps its own name.

    >>> mode_name("one-shot").ko
    '원샷'
    """
    known = {str(one) for one in Mode}
    return translate(f"method.{mode}") if mode in known else same(mode)


def in_mode(method: str, mode: str) -> str:
    """The mode that a method is, where `mode` is the map's own; empty where it is none."""
    return (
        mode
        if method == TOGETHER
        else method.removeprefix(MODE_PREFIX)
        if MODE_PREFIX in method
        else ""
    )


def name_of(method: str, mode: str) -> Text:
    """What a method of vertical training in `mode` is called."""
    own = in_mode(method, mode)
    if own:
        return mode_name(own)
    return (
        translate("vertical_result.ensemble")
        if method == AUTOMATIC
        else translate(f"method.{method}")
    )


def errors(service: VerticalServiceResult) -> ErrorTable:
    """The table of one service; methods nobody ran have no column."""
    methods = _methods(service)
    return ErrorTable(
        heads=[(name_of(method, service.mode), _style(method)) for method in methods],
        groups=spans(_GROUPS.get(method, "vertical_group") for method in methods),
        rows=[(party, _cells(party, methods)) for party in service.parties],
        means=[_mean(service.parties, method) for method in methods],
    )


def _methods(service: VerticalServiceResult) -> list[str]:
    """Those that any party was evaluated by, modes from the cheapest to the dearest."""
    order = list(Mode)
    modes = {m: in_mode(m, service.mode) for p in service.parties for m in p.metric_errors}
    trained = sorted(
        (m for m, mode in modes.items() if mode), key=lambda m: _place(modes[m], order)
    )
    wanted = (NAIVE_DAY, NAIVE_WEEK, LAST_VALUE, ALONE, *trained, AUTOMATIC, POOLED)
    return [m for m in wanted if any(p.error(m) is not None for p in service.parties)]


def _place(mode: str, order: Sequence[str]) -> int:
    return order.index(mode) if mode in order else len(order)


def _style(method: str) -> str:
    return method if method in _GROUPS else "mode"


def _cells(party: VerticalPartyResult, methods: Sequence[str]) -> list[Cell]:
    """One party's errors, each with the digits that its own size asks for."""
    places = decimals(party.error(method) for method in methods)
    allowed = [e for m in methods if m != POOLED and (e := party.error(m)) is not None]
    return [_cell(party, method, places, min(allowed, default=None)) for method in methods]


def _cell(party: VerticalPartyResult, method: str, places: int, least: float | None) -> Cell:
    error, spread = party.error(method), party.spread(method)
    change = None if method == ALONE else party.change(method)
    return Cell(
        number(error, places),
        "" if change is None else signed_percent(change),
        tint(change),
        best=method != POOLED and error is not None and error == least,
        style=_style(method),
        spread="" if spread is None else f"±{number(spread, places + 1)}",
    )


def _mean(parties: Sequence[VerticalPartyResult], method: str) -> Cell:
    change = None if method == ALONE else mean_known(party.change(method) for party in parties)
    return Cell(signed_percent(change), "", tint(change), best=False, style=_style(method))


@dataclass(frozen=True)
class AgencyRow:
    """What an agency keeps and grants, its activations, and the bytes it sent."""

    facts: AgencyFacts
    raw_size: str
    step: Text
    grants: Text
    activations: Text
    cells: str
    daily: str
    sent: str
    received: str


def feature_parties(party: VerticalPartyResult) -> list[AgencyRow]:
    """The agencies that send a party activations, in the map's order."""
    return [_agency_row(party, facts) for facts in party.facts]


def _agency_row(party: VerticalPartyResult, facts: AgencyFacts) -> AgencyRow:
    daily = facts.width * facts.cells * _MINUTES_A_DAY / max(facts.step_minutes, 1e-9)
    return AgencyRow(
        facts,
        raw_size=size(facts.raw_bytes),
        step=stretch(facts.step_minutes),
        grants=translate("vertical_result.grants", level=facts.least_level, n=facts.widest),
        activations=translate("vertical_result.activations", level=facts.level, n=facts.width),
        cells=f"{facts.cells:,}",
        daily=f"{daily:,.0f}",
        sent=size(facts.sent),
        received=size(facts.received),
    )


@dataclass(frozen=True)
class ModeCostRow:
    """What one mode cost, as written."""

    mode: Text
    messages: str
    total: str
    kinds: str
    seconds: Text


def sent(party: VerticalPartyResult) -> list[ModeCostRow]:
    """Every mode that was run, from the fewest bytes to the most."""
    known = sorted(party.costs.items(), key=lambda pair: pair[1].bytes)
    return [_sent(mode, cost) for mode, cost in known]


def _sent(mode: str, cost: ModeCost) -> ModeCostRow:
    largest = sorted(cost.by_kind.items(), key=lambda pair: -pair[1])
    kinds = ", ".join(f"{kind} {size(count)}" for kind, count in largest)
    total, seconds = size(cost.bytes), duration(cost.seconds)
    return ModeCostRow(mode_name(mode), f"{cost.messages:,}", total, kinds or MISSING, seconds)
