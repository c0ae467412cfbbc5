"""The page of `deepcity meet` put together: what its template needs, and the rendered HTML."""

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from deepcity.intercity.meeting_results import (
    SILENT,
    TOGETHER,
    MeetingParty,
    MeetingResults,
    MeetingService,
)
from deepcity.intercity.results import ALONE, NAIVE_DAY, NAIVE_WEEK, POOLED
from deepcity.serve.report.charts.canvas import Ids, Line
from deepcity.serve.report.charts.curves import curves
from deepcity.serve.report.charts.forecast import Drawn, draw
from deepcity.serve.report.charts.horizon import by_distance
from deepcity.serve.report.charts.meeting_idea import meeting_idea
from deepcity.serve.report.charts.price import Price, price
from deepcity.serve.report.charts.silence import Left, silence
from deepcity.serve.report.figures import duration, percent, size, stretch
from deepcity.serve.report.findings import SAME_WITHIN
from deepcity.serve.report.frame import rendered
from deepcity.serve.report.meeting_headline import findings, lead, parties_of, tiles
from deepcity.serve.report.meeting_tables import (
    Guest,
    Sent,
    errors,
    guests,
    in_mode,
    mode_name,
    name_of,
    sent,
)
from deepcity.serve.report.panels import band_words
from deepcity.serve.report.tables import ErrorTable
from deepcity.serve.report.text import Text, of, say

_STEPS_IN_ALL, _FEWEST, _MOST = 14_000, 72, 400


@dataclass(frozen=True)
class PartyView:
    """One party as the template shows it; an empty chart stands for what was not kept."""

    party: MeetingParty
    findings: list[Text]
    guests: list[Guest]
    silence: Markup
    bytes: Markup
    messages: Markup
    forecast: Markup
    band: list[Text]
    horizon: Markup
    curves: Markup
    sent: list[Sent]


@dataclass(frozen=True)
class ServiceView:
    """One service as the template shows it."""

    service: MeetingService
    key: str
    facts: Text
    errors: ErrorTable
    metric: Text
    mixed: bool
    parties: list[PartyView]


def render_meetings(results: MeetingResults) -> str:
    """The whole page as one HTML document."""
    ids, parties = Ids(), parties_of(results)
    points = min(_MOST, max(_FEWEST, _STEPS_IN_ALL // max(1, len(parties))))
    title = of(results.title) if results.title else say("meeting.title")
    first = next((s for s in results.services if s.parties and s.parties[0].facts), None)
    return rendered(
        "meeting.html",
        title,
        results=results,
        idea=meeting_idea(first, first.parties[0], ids) if first else Markup(""),
        lead=lead(results),
        tiles=tiles(results),
        views=[
            _view(service, f"service-{number}", points, ids)
            for number, service in enumerate(results.services, 1)
        ],
        seeds=", ".join(str(seed) for seed in results.seeds or [results.seed]),
        one_seed=len(results.seeds) < 2,
        duration=duration(results.seconds),
        same_within=percent(SAME_WITHIN),
    )


def _view(service: MeetingService, key: str, points: int, ids: Ids) -> ServiceView:
    return ServiceView(
        service,
        key,
        facts=_facts(service),
        errors=errors(service),
        metric=_metric(service),
        mixed=len({party.metric_unit for party in service.parties}) > 1,
        parties=[_party(service, party, points, ids) for party in service.parties],
    )


def _facts(service: MeetingService) -> Text:
    if not service.parties:
        return say("service.empty")
    first = service.parties[0]
    said = say(
        "meeting.facts",
        mode=mode_name(service.mode),
        level=service.level,
        ahead=stretch(first.horizon_steps * first.step_minutes),
        step=stretch(first.step_minutes),
    )
    return said + say("meeting.facts_labels") if service.labels_stay else said


def _metric(service: MeetingService) -> Text:
    """What all errors are, with their unit where it is everybody's."""
    if not service.parties:
        return Text("", "")
    units = {party.metric_unit for party in service.parties}
    name, unit = of(service.parties[0].metric), units.pop() if len(units) == 1 else None
    return say("meeting.metric", metric=name, unit=unit) if unit else name


def _party(service: MeetingService, party: MeetingParty, points: int, ids: Ids) -> PartyView:
    kept = party.forecast
    name = mode_name(service.mode)
    how = Drawn(of(party.title), name, party.band_level, party.unit, party.step_minutes)
    renamed = [
        curve.model_copy(update={"method": in_mode(curve.method, service.mode) or curve.method})
        for curve in party.curves
    ]
    return PartyView(
        party,
        findings=findings(party, service.mode),
        guests=guests(party),
        silence=silence(_left(party), ids),
        bytes=_price(service, party, "bytes", ids),
        messages=_price(service, party, "messages", ids),
        forecast=draw(kept, how, points, ids) if kept else Markup(""),
        band=band_words(party.band_level, party.band_coverage, of(party.title)),
        horizon=_horizon(service, party, ids),
        curves=curves(renamed, ids, service.mode, say("meeting.curves_y")),
        sent=sent(party),
    )


def _left(party: MeetingParty) -> list[Left]:
    """All heard, then each agency silent in turn."""
    cases = [(say("meeting.all_heard"), TOGETHER)]
    cases += [
        (say("meeting.is_silent", agency=of(agency.title)), f"{SILENT}{agency.name}")
        for agency in party.facts
    ]
    return [
        Left(name, change, strong=method == TOGETHER)
        for name, method in cases
        if (change := party.change(method)) is not None
    ]


def _price(service: MeetingService, party: MeetingParty, what: str, ids: Ids) -> Markup:
    """Error against bytes or messages, a point a mode; alone and pooled as lines."""
    told: Callable[[int], str] = size if what == "bytes" else "{:,}".format
    found = [
        Price(
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
        Line(say(f"method.{method}"), style, [error])
        for method, style in ((ALONE, "alone"), (POOLED, "pooled"))
        if (error := party.error(method)) is not None
    ]
    unit = party.metric_unit
    y_title = (
        say("meeting.metric", metric=of(party.metric), unit=unit) if unit else of(party.metric)
    )
    titles = say(f"met.price_{what}", party=of(party.title)), y_title, say(f"met.x_{what}")
    return price(found, levels, titles, told, ids)


def _horizon(service: MeetingService, party: MeetingParty, ids: Ids) -> Markup:
    wanted = (
        (NAIVE_DAY, "naive"),
        (NAIVE_WEEK, "naive week"),
        (ALONE, "alone"),
        (POOLED, "pooled"),
        (TOGETHER, "auto"),
    )
    lines = [
        Line(name_of(method, service.mode), style, party.test[method].mae_by_horizon)
        for method, style in wanted
        if method in party.test and party.test[method].mae_by_horizon
    ]
    reach = party.step_minutes * party.horizon_steps
    return by_distance(lines, party.step_minutes, reach, party.unit, of(party.title), ids)
