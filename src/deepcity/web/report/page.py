"""The page put together: what the templates need of each service, and the rendered HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from deepcity.audit.results import PartyAudit
from deepcity.city.level import STEM
from deepcity.parties.method_errors import AUTOMATIC, POOLED
from deepcity.runs.results import PartyResult, RunResults, ServiceResult
from deepcity.web.report.charts.canvas import Ids
from deepcity.web.report.charts.curves import curves
from deepcity.web.report.charts.gains import LEAST, gains, scale
from deepcity.web.report.charts.idea import idea
from deepcity.web.report.charts.traffic import traffic
from deepcity.web.report.costs import CostRow, costs
from deepcity.web.report.decisions import SHOWN, DecisionCard, cards, intro
from deepcity.web.report.figures import days, duration, percent, signed_percent, stretch
from deepcity.web.report.findings import SAME_WITHIN, gain_over, mean_known, raw_bytes, verdict
from deepcity.web.report.frame import rendered
from deepcity.web.report.headline import capital, lead, learned_alone, sentences, tiles
from deepcity.web.report.house.view import HouseView
from deepcity.web.report.inlining.data import of_run
from deepcity.web.report.leakage.section import leakage_parts
from deepcity.web.report.matrix import matrix
from deepcity.web.report.panels import PartyPanel, panels, points_each
from deepcity.web.report.tables import (
    LEVELS,
    ErrorTable,
    LevelRow,
    error_table,
    level_rows,
    level_words,
)
from deepcity.web.report.text import Text, counted, of, translate
from deepcity.web.report.validation import ValidationTable, validation_table


@dataclass(frozen=True)
class GainChart:
    """A small chart, whose it is, and the change of error with the automatic choice."""

    party: PartyResult
    svg: Markup
    change: str
    tone: str


@dataclass(frozen=True)
class ServiceView:
    """One service as the template shows it."""

    service: ServiceResult
    key: str
    facts: Text
    metric: Text
    sentences: list[Text]
    decisions: list[DecisionCard]
    decisions_intro: Text
    level_rows: list[LevelRow]
    errors: ErrorTable
    validation: ValidationTable | None
    gains: list[GainChart]
    gains_axis: Text
    gains_cut: Text | None
    panels: list[PartyPanel]
    picked: int
    curves: Markup
    traffic: Markup
    costs: list[CostRow]
    live: list[str]


def render(
    results: RunResults, audits: Sequence[PartyAudit] = (), houses: Sequence[HouseView] = ()
) -> str:
    """The whole report as one HTML document.

    Args:
        audits: of its parties.
        houses: what has left each party.
    """
    ids, points = Ids(), points_each(sum(len(one.parties) for one in results.services))
    live = of_run(results.services, points)
    return rendered(
        "page.html",
        of(results.title),
        live,
        results=results,
        idea=_idea(results, ids),
        lead=lead(results),
        alone=learned_alone(results.services),
        tiles=tiles(results.services),
        services=[
            _view(service, f"service-{number}", points, ids, live.of_service(number - 1), audits)
            for number, service in enumerate(results.services, 1)
        ],
        leakage=leakage_parts(audits, ids),
        houses=houses,
        matrix=matrix(results.services),
        duration=duration(results.seconds),
        same_within=percent(SAME_WITHIN),
        levels=LEVELS,
        level_words=level_words,
        days=days,
        decisions_shown=SHOWN,
    )


def _idea(results: RunResults, ids: Ids) -> Markup:
    """The picture of the first service; none where no party was run."""
    parties = [party for service in results.services[:1] for party in service.parties]
    return idea(parties, ids, stem_common=_stem_left(results)) if parties else Markup("")


def _stem_left(results: RunResults) -> bool:
    """Whether any party's stem left it, as a grant may allow."""
    return any(
        sent.bytes_by_layer.get(STEM) for service in results.services for sent in service.traffic
    )


def _view(
    service: ServiceResult,
    key: str,
    points: int,
    ids: Ids,
    live: list[str],
    audits: Sequence[PartyAudit],
) -> ServiceView:
    limits = scale(service.parties)
    pooled = mean_known(gain_over(party, POOLED) for party in service.parties)
    low, high = (signed_percent(limit) for limit in limits)
    return ServiceView(
        service=service,
        key=key,
        facts=_facts(service),
        metric=metric_words(service),
        sentences=sentences(service, pooled),
        decisions=cards(service),
        decisions_intro=intro(service),
        level_rows=level_rows(service, audits),
        errors=error_table(service),
        validation=validation_table(service),
        gains=_gain_charts(service, limits, ids),
        gains_axis=translate("gains.axis", low=low, high=high),
        gains_cut=translate("gains.cut", low=low) if limits[0] == LEAST else None,
        panels=panels(service, points, ids),
        picked=_picked(service.parties),
        curves=curves(service.curves, ids),
        traffic=traffic(service.traffic, raw_bytes([service]), ids),
        costs=costs(service),
        live=live,
    )


def metric_words(service: ServiceResult) -> Text:
    """What a service is evaluated by, as a heading, with its unit where it has one."""
    name = capital(of(service.metric))
    if not service.metric_in_unit:
        return name
    return translate("errors.metric_in", metric=name, unit=service.unit)


def _facts(service: ServiceResult) -> Text:
    return counted(
        "service.facts",
        len(service.parties),
        ahead=stretch(service.horizon_steps * service.step_minutes),
        step=stretch(service.step_minutes),
        unit=service.unit,
    )


def _gain_charts(service: ServiceResult, limits: tuple[float, float], ids: Ids) -> list[GainChart]:
    """Small charts, largest gain first; a party whose gain is unknown has none."""
    known = [(g, p) for p in service.parties if (g := gain_over(p, AUTOMATIC)) is not None]
    known.sort(key=lambda pair: -pair[0])
    return [GainChart(p, gains(p, limits, ids), signed_percent(-g), verdict(g)) for g, p in known]


def _picked(parties: Sequence[PartyResult]) -> int:
    """The party shown first: the one with little data, else the first."""
    return next((n for n, party in enumerate(parties) if party.scarce), 0)
