"""What a page has inlined for its live parts: of `results.json` the forecasts and decisions, with
the decisions' sentences, as JSON that no value can end early.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from deepcity.applications.decision import Action
from deepcity.city.localized_text import LocalizedText
from deepcity.parties.example_forecast import ExampleForecast
from deepcity.runs.results import ServiceResult
from deepcity.web.report.charts.forecast import zone_of
from deepcity.web.report.decisions import DecisionCard, action_words, cards
from deepcity.web.report.text import both

MOST_BYTES = 700_000
"""Of parties that do not fit, charts and decisions stay what they are without a script."""
_DIGITS = 5
_UNSAFE = {ord(one): f"\\u{ord(one):04x}" for one in "<>&"}  # `</script>`, `<!--`, `]]>`

Json = dict[str, Any]


@dataclass(frozen=True)
class LiveParty:
    """What the live parts show of a party.

    Attributes:
        unit: of its field.
        step_s: of its forecast.
        card: its decision as the page shows it without a script.
    """

    title: LocalizedText
    unit: str
    step_s: int
    forecast: ExampleForecast | None
    card: DecisionCard | None = None


@dataclass(frozen=True)
class Inlined:
    """A page's data.

    Attributes:
        json: for a script of type application/json; empty where there is nothing to show.
        live: per service, whether each party is in it.
        left_out: parties that did not fit.
    """

    json: Markup
    live: list[list[bool]]
    left_out: int

    def of_service(self, service: int) -> list[str]:
        """How the page's script names each party; empty where one is not in it."""
        return [f"{service}.{at}" if one else "" for at, one in enumerate(self.live[service])]


def of_run(services: Sequence[ServiceResult], points: int) -> Inlined:
    """The parties of a run, by service."""
    return inlined([_parties(one) for one in services], points)


def _parties(service: ServiceResult) -> list[LiveParty]:
    by_party = {card.at: card for card in cards(service)}
    return [
        LiveParty(
            party.title,
            party.unit or service.unit,
            round(60 * (party.step_minutes or service.step_minutes)),
            party.forecast,
            by_party.get(at),
        )
        for at, party in enumerate(service.parties)
    ]


def inlined(services: Sequence[Sequence[LiveParty]], points: int) -> Inlined:
    """The parties' forecasts, of `points` steps at most, and decisions, until `MOST_BYTES`."""
    left, left_out = MOST_BYTES, 0
    found: list[Json] = []
    live: list[list[bool]] = []
    for service in services:
        parties: list[Json | None] = []
        for party in service:
            one = _party(party, points)
            size = len(_dumped(one)) if one else 0
            fits = size <= left
            left -= size if fits else 0
            left_out += one is not None and not fits
            parties.append(one if fits else None)
        found.append({"parties": parties})
        live.append([one is not None for one in parties])
    return Inlined(
        Markup(_dumped({"services": found}) if any(map(any, live)) else ""), live, left_out
    )


def _dumped(found: Json) -> str:
    """ASCII alone, so without line separators of scripts, and nothing that HTML could read."""
    return json.dumps(found, allow_nan=False, separators=(",", ":")).translate(_UNSAFE)


def _party(party: LiveParty, points: int) -> Json | None:
    forecast = None if party.forecast is None else _forecast(party.forecast, points)
    decision = _decision(party)
    if forecast is None and decision is None:
        return None
    return {
        "title": both(party.title),
        "unit": party.unit,
        "step_s": party.step_s,
        "forecast": forecast,
        "decision": decision,
    }


def _forecast(kept: ExampleForecast, points: int) -> Json | None:
    """As `results.json` has it, its first steps; None where none was kept."""
    if len(kept.times) < 2:
        return None
    return {
        "place": kept.place,
        "time_zone": zone_of(kept.time_zone).key,
        "times": kept.times[:points],
        "truth": None if kept.truth is None else _rounded(kept.truth[:points]),
        **{name: _rounded(getattr(kept, name)[:points]) for name in _LINES},
    }


_LINES = ("forecast", "low", "high", "alone")


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    rounded = [None if value is None else float(f"{value:.{_DIGITS}g}") for value in values]
    return [None if one is None or not math.isfinite(one) else one for one in rounded]


def _decision(party: LiveParty) -> Json | None:
    card = party.card
    made = None if card is None else card.party.decision
    if card is None or made is None:
        return None
    reasons = [
        {"code": "", "numbers": {}, "place": "", "text": both(one)} for one in card.sentences
    ]
    return {
        "actions": [_action(one) for one in made.actions],
        "reasons": reasons,
        "certainty": made.certainty,
        "valid_until_s": made.valid_until_s,
        "at_s": made.valid_until_s - party.step_s,
        "confirm": made.confirm.value,
        "state": both(card.state),
        "warns": bool(card.tone),
    }


def _action(one: Action) -> Json:
    return {
        "code": one.code,
        "place": one.place,
        "at_s": one.at_s,
        "numbers": dict(one.numbers),
        "route": list(one.route),
        "usual_route": list(one.usual_route),
        "text": both(action_words(one.code, one.place)),
    }
