"""The Inter-City Application Map (the paper's figure 5): who shares which layer with whom."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepcity.city.errors import CheckpointError
from deepcity.city.level import HEAD, HIDDEN_LAYERS, MAX_LEVEL
from deepcity.city.localized_text import LocalizedText
from deepcity.live.node.node import Node
from deepcity.live.node.source_status import SourceStatus
from deepcity.parties.method_errors import AUTOMATIC
from deepcity.runs.results import PartyResult, RunResults, ServiceResult
from deepcity.runs.run import load_results
from deepcity.web.control.words import both
from deepcity.web.report.findings import gain_over

Json = dict[str, Any]


def map_json(node: Node, folders: Sequence[Path]) -> Json:
    """Cities, services and parties of the runs that a node's forecasters are from.

    Args:
        folders: of these runs, oldest first; one without results is left out.
    """
    runs = [found for folder in folders if (found := _results(folder)) is not None]
    services = {one.name: one for run in runs for one in run.services}
    parties = [
        _party_json(node, service, party)
        for service in services.values()
        for party in service.parties
    ]
    cities = dict.fromkeys(str(one["city"]) for one in parties)
    own = node.city_file.city
    titles = {own.name: own.title}
    return {
        "cities": [
            {"name": name, "title": both(titles.get(name, LocalizedText(name, name)))}
            for name in cities
        ],
        "services": [{"name": name, "title": both(one.title)} for name, one in services.items()],
        "parties": parties,
    }


def _results(folder: Path) -> RunResults | None:
    try:
        return load_results(folder)
    except CheckpointError:
        return None


def _party_json(node: Node, service: ServiceResult, party: PartyResult) -> Json:
    city, agency = party.name.partition("/")[::2]
    joined = next((one for one in service.traffic if one.method == AUTOMATIC), None)
    sent = None if joined is None else joined.bytes_by_party.get(party.name)
    received = None if joined is None else joined.received_by_party.get(party.name)
    silent = False
    if (service.name, party.name) in node.parties:
        state = node.source(
            node.parties[service.name, party.name].party.party.agency, node.clock.now()
        )
        silent = state.status is SourceStatus.SILENT
    return {
        "city": city,
        "agency": agency.partition(":")[0],
        "party": party.name,
        "title": both(party.title),
        "service": service.name,
        "newcomer": party.newcomer,
        "silent": silent,
        "level": level_name(party.level),
        "granted_to": "" if party.granted_level is None else level_name(party.granted_level),
        "gain": gain_over(party, AUTOMATIC),
        "sent_bytes": sent,
        "received_bytes": received,
    }


def level_name(level: int) -> str:
    """What a reuse level is called.

    >>> level_name(0), level_name(3), level_name(6)
    ('alone', 'h3', 'head')
    """
    if not level:
        return "alone"
    return HEAD if level == MAX_LEVEL else HIDDEN_LAYERS[level - 1]
