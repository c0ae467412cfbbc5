"""The charts shown when a party is picked, and what is said of its band."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from deepcity.intercity.results import PartyResult, ServiceResult
from deepcity.serve.report.charts.canvas import Ids
from deepcity.serve.report.charts.forecast import forecast
from deepcity.serve.report.charts.horizon import horizon
from deepcity.serve.report.figures import percent
from deepcity.serve.report.text import Text, of, say

_POINTS_IN_ALL = 14_000  # steps of all forecast plots together: 60 parties stay under 3 MB
_FEWEST, _MOST = 72, 400
_BAND_SLACK = 0.03  # coverage this close to the promise counts as kept


@dataclass(frozen=True)
class PartyPanel:
    """One party's charts; an empty chart stands for numbers that were not kept."""

    party: PartyResult
    horizon: Markup
    forecast: Markup
    band: list[Text]


def points_each(services: Sequence[ServiceResult]) -> int:
    """How many steps each forecast plot may show, so that the page stays light."""
    parties = sum(len(service.parties) for service in services)
    return min(_MOST, max(_FEWEST, _POINTS_IN_ALL // max(1, parties)))


def panels(service: ServiceResult, points: int, ids: Ids) -> list[PartyPanel]:
    """The panels of a service, in the order of its parties."""
    return [
        PartyPanel(
            party,
            horizon(service, party, ids),
            forecast(
                party,
                party.unit or service.unit,
                party.step_minutes or service.step_minutes,
                points,
                ids,
            ),
            band(party),
        )
        for party in service.parties
    ]


def band(party: PartyResult) -> list[Text]:
    """How much a party's band held against what it promises, and what follows."""
    return band_words(party.band_level, party.band_coverage, of(party.title))


def band_words(level: float, coverage: float, party: Text) -> list[Text]:
    """The same of any band."""
    missed = coverage - level
    judged = "exact" if abs(missed) <= _BAND_SLACK else "wide" if missed > 0 else "narrow"
    said = say("forecast.band", level=percent(level, 0), coverage=percent(coverage, 0), party=party)
    return [said, say(f"forecast.band_{judged}")]
