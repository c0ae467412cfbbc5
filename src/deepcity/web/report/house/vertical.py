"""What leaves the parties of vertical training: those that forecast, and agencies of their city."""

from collections.abc import Iterator
from datetime import UTC, tzinfo
from pathlib import Path

from deepcity.city.localized_text import LocalizedText
from deepcity.store.run_folder import site_folder
from deepcity.vertical.results import VerticalPartyResult, VerticalResults, VerticalServiceResult
from deepcity.web.report.charts.forecast import zone_of
from deepcity.web.report.house.view import HouseParty, HouseView, house_view
from deepcity.web.report.text import Text, of, translate


def vertical_houses(results: VerticalResults, folder: Path) -> list[HouseView]:
    """The parties and agencies, each once, by the ledgers in their sites' folders.

    Args:
        folder: of the run.
    """
    found: dict[str, HouseParty] = {}
    for service in results.services:
        for party in service.parties:
            for name, title in _sites(party):
                before = found.get(name)
                purposes = {} if before is None else before.purposes
                found[name] = HouseParty(
                    name, of(title), _zone(party), None, {**purposes, **_purpose(service, party)}
                )
    return [house_view(one, [site_folder(folder, one.name)]) for one in found.values()]


def _sites(party: VerticalPartyResult) -> Iterator[tuple[str, LocalizedText]]:
    """Names and titles of the party and of its agencies."""
    yield party.name, party.title
    city = party.name.partition("/")[0]
    for agency in party.facts:
        yield f"{city}/{agency.name}", agency.title


def _zone(party: VerticalPartyResult) -> tzinfo:
    return UTC if party.forecast is None else zone_of(party.forecast.time_zone)


def _purpose(service: VerticalServiceResult, party: VerticalPartyResult) -> dict[str, Text]:
    question = service.question or party.title
    return {service.name: translate("house.purpose", title=of(service.title), question=question)}
