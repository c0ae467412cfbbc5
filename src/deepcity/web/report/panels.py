"""The charts shown when a party is picked, and the sentences on its band."""

from dataclasses import dataclass

from markupsafe import Markup

from deepcity.runs.results import PartyResult, ServiceResult
from deepcity.web.report.charts.canvas import Ids
from deepcity.web.report.charts.forecast import forecast
from deepcity.web.report.charts.horizon import horizon
from deepcity.web.report.figures import percent
from deepcity.web.report.text import Text, of, translate

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


def points_each(parties: int) -> int:
    """How many steps each of so many forecast plots may show, so that the page stays light."""
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
    verdict_key = "exact" if abs(missed) <= _BAND_SLACK else "wide" if missed > 0 else "narrow"
    sentence = translate(
        "forecast.band", level=percent(level, 0), coverage=percent(coverage, 0), party=party
    )
    return [sentence, translate(f"forecast.band_{verdict_key}")]
