"""Results of a vertical training as the hub takes them from the application's site: checked.

As in `deepcity.runs.machines.received_results`: what follows from the map and the city file is
taken from there, and the rest must have the names, sizes and ranges that results can have.
"""

from collections.abc import Iterator
from itertools import islice

from deepcity.applications.application import Baseline
from deepcity.city.errors import ExchangeError
from deepcity.data.city_file import empty_panel
from deepcity.exchange.message import Message
from deepcity.maps.city_map import Member, Service
from deepcity.maps.vertical_checks import encoded_fields
from deepcity.parties import method_errors as names
from deepcity.runs.machines.received_results import forecast_beyond, parsed_result
from deepcity.store.result_bounds import beyond_bounds
from deepcity.vertical.compare import methods_of
from deepcity.vertical.results import (
    TOGETHER,
    WITHOUT_AGENCY,
    AgencyFacts,
    VerticalPartyResult,
)

_MOST_KINDS = 20
MOST_FAILURES, _LONGEST_FAILURE = 100, 500
_NAIVE = {*(one.value for one in Baseline), names.RIDGE}


def received_vertical(service: Service, member: Member, answer: Message) -> VerticalPartyResult:
    """The results that an answer to ``advance`` holds.

    Args:
        service: as machines train it.

    Raises:
        ExchangeError: naming everything that cannot be.
    """
    found = parsed_result(answer, VerticalPartyResult)
    if wrong := [*_beyond(service, found), *islice(beyond_bounds(found.model_dump()), 3)]:
        raise ExchangeError(f"its results cannot be: {'; '.join(wrong)}")
    return found.model_copy(update=_known(service, member, found))


def _beyond(service: Service, found: VerticalPartyResult) -> list[str]:
    """What cannot be in what only the site knows."""
    settings, vertical = service.settings, service.settings.vertical
    assert vertical is not None
    agencies = [one.agency for one in vertical.agency]
    trained = {*methods_of(settings)}
    methods = _NAIVE | trained | {names.AUTOMATIC, *(f"{WITHOUT_AGENCY}{a}" for a in agencies)}
    needed, horizon = {names.ALONE, TOGETHER, names.AUTOMATIC}, settings.window.horizon
    wrong = []
    if (
        not needed <= found.test.keys() <= methods
        or found.test.keys() != found.metric_errors.keys()
    ):
        wrong.append(f"test is by {', '.join(map(ascii, sorted(found.test)[:20]))}")
    if any(len(one.mae_by_horizon) > horizon for one in found.test.values()):
        wrong.append(f"errors of more than {horizon} steps")
    if least := [one for one in _amounts(found) if one < 0]:
        wrong.append(f"an error or amount of {least[0]}")
    if found.costs.keys() != {mode.value for mode in vertical.modes}:
        wrong.append("costs are not by mode")
    if any(len(one.by_kind) > _MOST_KINDS for one in (found.cost, *found.costs.values())):
        wrong.append(f"bytes of more than {_MOST_KINDS} kinds")
    lengths = [len(one.error_by_round) for one in found.curves]
    if {one.method for one in found.curves} - trained or max(
        [0, *lengths]
    ) > settings.training.rounds:
        wrong.append("curves of other methods or rounds")
    if [one.name for one in found.facts] != agencies:
        wrong.append("facts are not by agency")
    if found.band_coverage < 0 or found.band_coverage > 1:
        wrong.append(f"band_coverage {found.band_coverage}")
    if found.forecast is not None:
        wrong += forecast_beyond(found.forecast, horizon)
    return wrong


def _amounts(found: VerticalPartyResult) -> Iterator[float]:
    """Every error, count and size in what only the site knows; none can be negative."""
    yield from found.metric_errors.values()
    for one in found.test.values():
        yield from (one.mae, one.rmse, one.metric_error, *one.mae_by_horizon)
    for cost in (found.cost, *found.costs.values()):
        yield from (cost.messages, cost.bytes, cost.seconds, *cost.by_kind.values())
    for curve in found.curves:
        yield from curve.error_by_round
    for fact in found.facts:
        yield from (fact.cells, fact.sent, fact.received, fact.raw_bytes)
    yield from (found.places, found.train_days)


def _known(service: Service, member: Member, found: VerticalPartyResult) -> dict[str, object]:
    """Fields that follow from the map and the city file, and what may not be here."""
    settings, application = service.settings, service.application
    field = next(one for one in member.agency.fields if one.name == member.field)
    step_s = empty_panel(member.city_file, member.agency.name).clock.step_s
    metric = application.metric_of(field, step_s)
    granted = settings.grant.truths_of(member.name) == "shared"
    assert settings.vertical is not None
    return {
        "name": member.name,
        "title": service.title_of(member),
        "unit": field.unit,
        "agencies": [one.agency for one in settings.vertical.agency],
        "metric": metric.title,
        "metric_unit": field.unit if metric.in_unit else None,
        "by_seed": {method: [error] for method, error in found.metric_errors.items()},
        "facts": [_facts(service, member, fact) for fact in found.facts],
        "failures": [printable_failure(one) for one in found.failures[:MOST_FAILURES]],
        "step_minutes": step_s / 60,
        "horizon_steps": settings.window.horizon,
        "band_level": settings.band,
        "forecast": found.forecast if granted else None,
    }


def _facts(service: Service, member: Member, found: AgencyFacts) -> AgencyFacts:
    """An agency as the map describes it, with the sizes that the site counted."""
    assert service.settings.vertical is not None
    own = next(one for one in service.settings.vertical.agency if one.agency == found.name)
    agency = member.city_file.city.agency(found.name)
    known = {
        "title": agency.title,
        "fields": [(one.name, one.unit) for one in encoded_fields(agency, own)],
        "level": own.level,
        "width": own.width,
        "step_minutes": empty_panel(member.city_file, found.name).clock.step_s / 60,
        "ahead": own.ahead,
        "least_level": own.least_level,
        "widest": own.widest,
    }
    return found.model_copy(update=known)


def printable_failure(text: str) -> str:
    """A site's reason as results hold it: one line of bounded length."""
    return "".join(one if one.isprintable() else " " for one in text[:_LONGEST_FAILURE])
