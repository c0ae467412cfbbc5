"""What leaves one party of the node's city, as JSON: sums of its ledgers, never their entries."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepcity.city.errors import LiveError
from deepcity.data.config.toml_file import did_you_mean
from deepcity.live.node.node import Node
from deepcity.store.run_folder import site_folder
from deepcity.web.control.intercity_map.folder_records import MapService, folder_records
from deepcity.web.report.charts.forecast import zone_of
from deepcity.web.report.house.view import HouseParty, HouseView, house_view
from deepcity.web.report.house.words import HouseRow
from deepcity.web.report.text import Text, both, of, translate

Json = dict[str, Any]
_READING_S = 1.5
"""That an answer may spend on reading ledgers; the next one goes on."""


def house_json(node: Node, folders: Iterable[Path], asked: str | None = None) -> Json:
    """The parties of the node's city, and what leaves one of them.

    Args:
        folders: of runs and federations, the oldest first.
        asked: which party; left out, the first.

    Raises:
        LiveError: if there is no party of that name.
    """
    known = list(folders)
    parties = _parties(node, known)
    if asked is not None and asked not in parties:
        right = did_you_mean(asked, list(parties))
        raise LiveError(asked, "no party of this city in any run", right)
    chosen = parties.get(asked) if asked is not None else next(iter(parties.values()), None)
    view = None
    if chosen is not None:
        view = house_view(chosen, [site_folder(one, chosen.name) for one in known], _READING_S)
    return answer_json(parties.values(), view)


def answer_json(parties: Iterable[HouseParty], view: HouseView | None) -> Json:
    """The parties to choose from, and what leaves the chosen one."""
    return {
        "parties": [{"party": one.name, "title": both(one.title)} for one in parties],
        "house": None if view is None else _view_json(view),
    }


def _parties(node: Node, folders: Iterable[Path]) -> dict[str, HouseParty]:
    """The city's own parties by name, with what its newest records say of them."""
    city = node.city_file.city
    found: dict[str, HouseParty] = {}
    for service in (one for folder in folders for one in folder_records(folder).services):
        purpose = _purpose(service)
        for party in service.parties.values():
            if party.name.partition("/")[0] != city.name:
                continue
            before = found.get(party.name)
            now = HouseParty(
                party.name,
                of(party.title),
                zone_of(city.clock.time_zone),
                party.values_shared,
                {service.name: purpose},
            )
            found[party.name] = now if before is None else _together(before, now)
    return found


def _together(before: HouseParty, now: HouseParty) -> HouseParty:
    known = [one for one in (before.values_shared, now.values_shared) if one is not None]
    return replace(
        now,
        title=before.title if now.title.en == now.name else now.title,
        values_shared=any(known) if known else None,
        purposes={**before.purposes, **now.purposes},
    )


def _purpose(service: MapService) -> Text:
    title = Text(service.name, service.name) if service.title is None else of(service.title)
    if service.question is None:
        return title
    return translate("house.purpose", title=title, question=service.question)


def _view_json(view: HouseView) -> Json:
    return {
        "party": view.party.name,
        "title": both(view.party.title),
        "never": both(view.never),
        "more": [both(one) for one in view.more],
        "rows": [_row_json(one) for one in view.rows],
        "reading": view.reading,
    }


def _row_json(row: HouseRow) -> Json:
    texts = {
        "what": row.what,
        "leakage": row.leakage,
        "receiver": row.receiver,
        "purpose": row.purpose,
        "grant": row.grant,
    }
    found: Json = {name: both(text) for name, text in texts.items()}
    return {**found, "times": row.times, "bytes": row.bytes}
