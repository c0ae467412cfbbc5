"""The page of `deepcity train-vertical` as HTML: what its template needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from deepcity.audit.results import PartyAudit
from deepcity.parties.method_errors import ALONE, POOLED
from deepcity.vertical.results import (
    TOGETHER,
    WITHOUT_AGENCY,
    VerticalPartyResult,
    VerticalResults,
    VerticalServiceResult,
)
from deepcity.web.report.charts.accuracy_vs_bytes import AccuracyPoint, accuracy_vs_bytes
from deepcity.web.report.charts.agency_outage import OutageCase, outage
from deepcity.web.report.charts.canvas import Ids, Line
from deepcity.web.report.charts.curves import curves
from deepcity.web.report.charts.forecast import ForecastStyle, forecast_chart
from deepcity.web.report.charts.horizon import by_distance, lines_by_horizon
from deepcity.web.report.charts.vertical_idea import vertical_idea
from deepcity.web.report.figures import duration, percent, size, stretch
from deepcity.web.report.findings import SAME_WITHIN
from deepcity.web.report.frame import rendered
from deepcity.web.report.house.view import HouseView
from deepcity.web.report.inlining.data import LiveParty, inlined
from deepcity.web.report.leakage.section import leakage_parts
from deepcity.web.report.panels import band_words, points_each
from deepcity.web.report.tables import ErrorTable
from deepcity.web.report.text import Text, of, translate
from deepcity.web.report.vertical_headline import all_parties, findings, lead, tiles
from deepcity.web.report.vertical_tables import (
    AgencyRow,
    ModeCostRow,
    errors,
    feature_parties,
    in_mode,
    mode_name,
    name_of,
    sent,
)


@dataclass(frozen=True)
class PartyView:
    """One party as the template shows it; an empty chart stands for what was not kept."""

    party: VerticalPartyResult
    findings: list[Text]
    feature_parties: list[AgencyRow]
    outage: Markup
    bytes: Markup
    messages: Markup
    forecast: Markup
    band: list[Text]
    horizon: Markup
    curves: Markup
    sent: list[ModeCostRow]


@dataclass(frozen=True)
class VerticalServiceView:
    """One service as the template shows it."""

    service: VerticalServiceResult
    key: str
    facts: Text
    errors: ErrorTable
    metric: Text
    mixed: bool
    parties: list[PartyView]
    live: list[str]


def render_vertical(
    results: VerticalResults, audits: Sequence[PartyAudit] = (), houses: Sequence[HouseView] = ()
) -> str:
    """The whole page as one HTML document.

    Args:
        audits: of its parties.
        houses: what has left each party and agency.
    """
    ids, points = Ids(), points_each(len(all_parties(results)))
    title = of(results.title) if results.title else translate("vertical.title")
    first = next((s for s in results.services if s.parties and s.parties[0].facts), None)
    live = inlined([_live_parties(one) for one in results.services], points)
    return rendered(
        "vertical.html",
        title,
        live,
        results=results,
        idea=vertical_idea(first, first.parties[0], ids) if first else Markup(""),
        lead=lead(results),
        tiles=tiles(results),
        views=[
            _view(service, f"service-{number}", points, ids, live.of_service(number - 1))
            for number, service in enumerate(results.services, 1)
        ],
        leakage=leakage_parts(audits, ids),
        houses=houses,
        seeds=", ".join(str(seed) for seed in results.seeds or [results.seed]),
        one_seed=len(results.seeds) < 2,
        duration=duration(results.seconds),
        same_within=percent(SAME_WITHIN),
    )


def _live_parties(service: VerticalServiceResult) -> list[LiveParty]:
    return [
        LiveParty(one.title, one.unit, round(60 * one.step_minutes), one.forecast)
        for one in service.parties
    ]


def _view(
    service: VerticalServiceResult, key: str, points: int, ids: Ids, live: list[str]
) -> VerticalServiceView:
    return VerticalServiceView(
        service,
        key,
        facts=_facts(service),
        errors=errors(service),
        metric=_metric(service),
        mixed=len({party.metric_unit for party in service.parties}) > 1,
        parties=[_party(service, party, points, ids) for party in service.parties],
        live=live,
    )


def _facts(service: VerticalServiceResult) -> Text:
    if not service.parties:
        return translate("service.empty")
    first = service.parties[0]
    sentence = translate(
        "vertical.facts",
        mode=mode_name(service.mode),
        level=service.level,
        ahead=stretch(first.horizon_steps * first.step_minutes),
        step=stretch(first.step_minutes),
    )
    return sentence + translate("vertical.facts_labels") if service.labels_stay else sentence


def _metric(service: VerticalServiceResult) -> Text:
    """What all errors are, with their unit where it is everybody's."""
    if not service.parties:
        return Text("", "")
    units = {party.metric_unit for party in service.parties}
    name, unit = of(service.parties[0].metric), units.pop() if len(units) == 1 else None
    return translate("vertical.metric", metric=name, unit=unit) if unit else name


def _party(
    service: VerticalServiceResult, party: VerticalPartyResult, points: int, ids: Ids
) -> PartyView:
    kept = party.forecast
    name = mode_name(service.mode)
    how = ForecastStyle(of(party.title), name, party.band_level, party.unit, party.step_minutes)
    renamed = [
        curve.model_copy(update={"method": in_mode(curve.method, service.mode) or curve.method})
        for curve in party.curves
    ]
    return PartyView(
        party,
        findings=findings(party, service.mode),
        feature_parties=feature_parties(party),
        outage=outage(_outage_cases(party), ids),
        bytes=_accuracy_chart(service, party, "bytes", ids),
        messages=_accuracy_chart(service, party, "messages", ids),
        forecast=forecast_chart(kept, how, points, ids) if kept else Markup(""),
        band=band_words(party.band_level, party.band_coverage, of(party.title)),
        horizon=_horizon(service, party, ids),
        curves=curves(renamed, ids, service.mode, translate("vertical.curves_y"), 1),
        sent=sent(party),
    )


def _outage_cases(party: VerticalPartyResult) -> list[OutageCase]:
    """All agencies available, then each one missing in turn."""
    cases = [(translate("vertical.all_available"), TOGETHER)]
    cases += [
        (
            translate("vertical.agency_missing", agency=of(agency.title)),
            f"{WITHOUT_AGENCY}{agency.name}",
        )
        for agency in party.facts
    ]
    return [
        OutageCase(name, change, strong=method == TOGETHER)
        for name, method in cases
        if (change := party.change(method)) is not None
    ]


def _accuracy_chart(
    service: VerticalServiceResult, party: VerticalPartyResult, what: str, ids: Ids
) -> Markup:
    """Error against bytes or messages, a point a mode; alone and pooled as lines."""
    amount_text: Callable[[int], str] = size if what == "bytes" else "{:,}".format
    found = [
        AccuracyPoint(
            mode_name(mode),
            float(getattr(party.costs[mode], what)),
            error,
            party.spread(method),
            main=method == TOGETHER,
        )
        for mode, method in party.modes.items()
        if (error := party.error(method)) is not None and getattr(party.costs[mode], what) > 0
    ]
    levels = [
        Line(translate(f"method.{method}"), style, [error])
        for method, style in ((ALONE, "alone"), (POOLED, "pooled"))
        if (error := party.error(method)) is not None
    ]
    unit = party.metric_unit
    y_title = (
        translate("vertical.metric", metric=of(party.metric), unit=unit)
        if unit
        else of(party.metric)
    )
    titles = (
        translate(f"vertical_result.accuracy_vs_{what}", party=of(party.title)),
        y_title,
        translate(f"vertical_result.x_{what}"),
    )
    return accuracy_vs_bytes(found, levels, titles, amount_text, ids)


def _horizon(service: VerticalServiceResult, party: VerticalPartyResult, ids: Ids) -> Markup:
    def name(method: str) -> Text:
        return name_of(method, service.mode)

    lines = lines_by_horizon(party.test, TOGETHER, name)
    reach = party.step_minutes * party.horizon_steps
    return by_distance(lines, party.step_minutes, reach, party.unit, of(party.title), ids)
