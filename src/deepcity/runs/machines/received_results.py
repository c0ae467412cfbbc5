"""A site's results as the hub takes them: checked, and nothing believed that the hub knows itself.

Another party's answer may lie. What follows from the map, the city file or the site's profile is
taken from there; what only the site knows (errors, weights, the level) must have the names, sizes
and ranges that results can have, so that no answer can spoil the map's report.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from deepcity.applications.application import Baseline
from deepcity.city.clock import DAY_S
from deepcity.city.errors import ExchangeError
from deepcity.city.field import Field
from deepcity.city.level import MAX_LEVEL
from deepcity.exchange.message import Message
from deepcity.exchange.party import JSON, RESULT
from deepcity.exchange.profile import SiteProfile
from deepcity.intercity.party_choices import round_members
from deepcity.maps.city_map import Member, Service
from deepcity.parties import method_errors as names
from deepcity.parties.example_forecast import SHOWN_STEPS, ExampleForecast
from deepcity.runs.choosing_site import FIRST_DAY, LAYERS_REFUSED
from deepcity.runs.level_reason import LEVEL_BOUNDS, LEVEL_REASONS
from deepcity.runs.note import Note
from deepcity.runs.notes import newcomer_notes
from deepcity.runs.results import PartyResult
from deepcity.store.result_bounds import beyond_bounds

Model = TypeVar("Model", bound=BaseModel)
MOST_BYTES = 1_000_000
"""Of one site's results of one service."""
_LEVELS = [names.fixed_level_name(level) for level in range(1, MAX_LEVEL + 1)]
_METHODS = {*(one.value for one in Baseline), names.RIDGE, names.ALONE, names.AUTOMATIC, *_LEVELS}
_MOST_ASIDE = 1000
_LONGEST_NAME, _MOST_BOUND = 200, 100


@dataclass(frozen=True)
class SiteFacts:
    """What the hub knows of a site that answers.

    Attributes:
        offered: the deepest level that it could choose.
    """

    service: Service
    member: Member
    profile: SiteProfile
    offered: int


def received_result(site: SiteFacts, answer: Message) -> PartyResult:
    """The results that an answer to ``choose`` holds.

    Raises:
        ExchangeError: naming everything that cannot be.
    """
    found = parsed_result(answer, PartyResult)
    if wrong := [*_beyond(site, found), *islice(beyond_bounds(found.model_dump()), 3)]:
        raise ExchangeError(f"its results cannot be: {'; '.join(wrong)}")
    return found.model_copy(update=_known(site, found, answer))


def parsed_result(answer: Message, kind: type[Model]) -> Model:
    """The results that an answer holds as JSON.

    Raises:
        ExchangeError: if there are none, too many bytes, or they are not of that kind.
    """
    tensor = answer.layers.get(RESULT, {}).get(JSON)
    if tensor is None or tensor.dtype != np.uint8 or tensor.nbytes > MOST_BYTES:
        raise ExchangeError(
            f"it answered without results, or with more than {MOST_BYTES:,} bytes of them"
        )
    try:
        found = kind.model_validate_json(tensor.tobytes())
        return kind.model_validate_json(found.model_dump_json())  # infinite: written as null
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "they"
        raise ExchangeError(
            f"its results cannot be read ({where}: {first['msg']}); both ends need one version of "
            f"deepcity"
        ) from None


def _beyond(site: SiteFacts, found: PartyResult) -> list[str]:
    """What cannot be in what only the site knows."""
    tried = {names.ALONE, *_LEVELS[: site.offered]}
    wrong = [] if 0 <= found.level <= site.offered else [f"level {found.level} was not offered"]
    for key, part in (("weights", found.weights), ("weights_after", found.weights_after)):
        if not part.keys() <= tried or not all(0 <= one <= 1 + 1e-6 for one in part.values()):
            wrong.append(f"{key} are not shares of {', '.join(sorted(tried))}")
    if not found.validation_mae.keys() <= {str(level) for level in range(MAX_LEVEL + 1)}:
        wrong.append("validation_mae is not by level")
    if not {names.ALONE, names.AUTOMATIC} <= found.test.keys() <= _METHODS:
        wrong.append(f"test is by {', '.join(map(ascii, sorted(found.test)[:20]))}")
    if any(len(one.mae_by_horizon) > site.profile.horizon for one in found.test.values()):
        wrong.append(f"errors of more than {site.profile.horizon} steps")
    if least := [one for one in _errors(found) if one < 0]:
        wrong.append(f"an error of {least[0]}")
    needed = LEVEL_REASONS.get(found.level_reason.code)
    numbers = found.level_reason.numbers
    if needed is None or not all(math.isfinite(numbers.get(one, math.nan)) for one in needed):
        wrong.append(f"level_reason is {found.level_reason.code[:40]!r}")
    if found.level_reason.numbers.get("level", found.level) != found.level:
        wrong.append("level_reason is of another level")
    if found.level_bound is not None and not _is_bound(found.level_bound):
        wrong.append(f"level_bound is {found.level_bound.code[:40]!r}")
    if found.band_coverage < 0 or found.band_coverage > 1 or (found.raw_bytes or 0) < 0:
        wrong.append(f"band_coverage {found.band_coverage}, raw_bytes {found.raw_bytes}")
    wrong += forecast_beyond(found.forecast, site.profile.horizon)
    return wrong + _aside_beyond(site, found)


def _is_bound(bound: Note) -> bool:
    """Whether it is one that sets levels, with the numbers of its sentence."""
    needed = LEVEL_BOUNDS.get(bound.code)
    if needed is None:
        return False
    return all(abs(bound.numbers.get(one, math.nan)) <= _MOST_BOUND for one in needed)


def forecast_beyond(shown: ExampleForecast, horizon: int) -> list[str]:
    """What cannot be in an example forecast of a party that forecasts so many steps."""
    lines = [shown.forecast, shown.low, shown.high, shown.alone, shown.truth or shown.forecast]
    wrong = []
    if {len(line) for line in lines} != {len(shown.times)} or len(shown.place) > _LONGEST_NAME:
        wrong.append("the lists of its forecast differ in length")
    if len(shown.times) > max(SHOWN_STEPS, horizon):
        wrong.append(f"a forecast of {len(shown.times)} steps")
    return wrong


def _aside_beyond(site: SiteFacts, found: PartyResult) -> list[str]:
    """What cannot be in levels set aside, and in when the allowance was spent."""
    if len(found.set_aside) > _MOST_ASIDE:
        return [f"{len(found.set_aside)} levels set aside"]
    if len(found.allowance_spent) > _MOST_ASIDE:
        return [f"the allowance was spent {len(found.allowance_spent)} times"]
    could = set(range(1, site.offered + 1))
    if any(not set(one.levels) <= could or len(one.levels) > MAX_LEVEL for one in found.set_aside):
        return ["levels were set aside that were not offered"]
    return []


def _errors(found: PartyResult) -> Iterator[float]:
    """Every error in what only the site knows; none can be negative."""
    yield from found.validation_mae.values()
    for one in found.test.values():
        yield from (one.mae, one.rmse, one.metric_error, *one.mae_by_horizon)
    for aside in found.set_aside:
        yield aside.error
    for spent in found.allowance_spent:
        yield from (spent.lost, spent.allowed)


def _known(site: SiteFacts, found: PartyResult, answer: Message) -> dict[str, object]:
    """Fields that follow from the map and the site's profile, and what may not be here."""
    settings, name, profile = site.service.settings, site.member.name, site.profile
    application, clock = site.service.application, site.member.city_file.city.clock
    unit = _field(site).unit
    in_unit = unit if application.metric_of(_field(site), profile.step_s).in_unit else ""
    return {
        "name": name,
        "title": site.service.title_of(site.member),
        "city": site.member.city_file.city.name,
        "places": profile.places,
        "train_days": (profile.train_to - profile.train_from) / DAY_S,
        "scarce": name in settings.span.scarce,
        "level_reason": _reason(found.level_reason, in_unit),
        "level_bound": _bound(site, found.level_bound),
        "band_level": settings.band,
        "forecast": _forecast(site, found.forecast, clock.time_zone),
        "newcomer": name in settings.newcomers,
        "notes": _newcomer(site, answer, in_unit),
        "unit": unit,
        "step_minutes": profile.step_s / 60,
        "horizon_steps": profile.horizon,
        "decision": None,
        "decision_scores": {},
        "example": None,
        "granted_level": settings.grant.level_of(name),
    }


def _newcomer(site: SiteFacts, answer: Message, unit: str) -> list[Note]:
    """Notes on a newcomer: what it started from, or that it took no layers."""
    settings, name = site.service.settings, site.member.name
    if name in settings.newcomers and answer.numbers.get(LAYERS_REFUSED) == 1.0:
        return [Note(code="layers_refused")]
    others = len(round_members(settings, [one.name for one in site.service.members]))
    first_day = _error(answer.numbers.get(FIRST_DAY))
    return newcomer_notes(settings, name, others, unit, first_day)


def _field(site: SiteFacts) -> Field:
    return next(one for one in site.member.agency.fields if one.name == site.member.field)


def _reason(found: Note, unit: str) -> Note:
    """The reason with the numbers that its sentence needs, in the hub's own unit."""
    needed = LEVEL_REASONS[found.code]
    numbers = {name: found.numbers[name] for name in found.numbers if name in needed}
    return Note(code=found.code, numbers=numbers, names={"unit": unit} if needed else {})


def _bound(site: SiteFacts, found: Note | None) -> Note | None:
    """What set the level, with the numbers that its sentence needs and none of the site's words."""
    if found is None:
        return None
    granted = site.service.settings.grant.level_of(site.member.name)
    known = {**found.numbers, "offered": site.offered, "granted": granted}
    return Note(code=found.code, numbers={one: known[one] for one in LEVEL_BOUNDS[found.code]})


def _forecast(site: SiteFacts, found: ExampleForecast, time_zone: str) -> ExampleForecast:
    """The example forecast of a site that grants its measured values; none of any other."""
    if site.service.settings.grant.truths_of(site.member.name) != "shared":
        return ExampleForecast.none(time_zone)
    return found.model_copy(update={"time_zone": time_zone})


def _error(number: float | None) -> float | None:
    """An error that a number can be; None for any other."""
    return number if number is not None and math.isfinite(number) and number >= 0 else None
