"""The Inter-City Application Map as JSON: who shares which layer with whom, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepcity.applications.application import applications
from deepcity.audit.layer_leakage import layer_leakage
from deepcity.audit.results import FORECAST
from deepcity.city.errors import StoreError
from deepcity.city.level import HEAD, HIDDEN_LAYERS, LADDER, MAX_LEVEL, STEM
from deepcity.city.localized_text import LocalizedText
from deepcity.live.node.node import Node
from deepcity.live.node.records.source_status import SourceState, SourceStatus
from deepcity.runs.outcome.round_records import LeftOut
from deepcity.store.run_folder import site_folder
from deepcity.web.control.intercity_map.folder_records import (
    FolderRecords,
    MapParty,
    MapService,
    folder_records,
)
from deepcity.web.control.intercity_map.vertical_records import CutAgency, VerticalPart
from deepcity.web.report.text import both

Json = dict[str, Any]


def map_json(node: Node, folders: Iterable[Path]) -> Json:
    """Cities, services, parties and agencies of runs and federations, by their records.

    Args:
        folders: of these, oldest first. One without results, such as a site's of a federation,
            shows its own parties, and of others what the map says.
    """
    own = node.city_file.city
    known = list(folders)
    found = [(folder, folder_records(folder)) for folder in known]
    services = _merged([one for _, one in found], own.name)
    vertical = {
        (part.service, part.party): part
        for _, one in found
        for part in one.vertical
        if any(_city(part.party) == own.name for part in one.vertical)
    }
    parties = [
        _party_json(node, service, party, known)
        for service in services.values()
        for party in service.parties.values()
    ]
    deep = _deep_states(node)
    parts = [_vertical_json(node, deep, part) for part in vertical.values()]
    cities = dict.fromkeys(str(one["city"]) for one in [*parties, *parts])
    titles = {own.name: own.title}
    return {
        "cities": [
            {"name": name, "title": both(titles.get(name, LocalizedText(name, name)))}
            for name in cities
        ],
        "services": [
            {"name": name, "title": both(one.title or _service_title(node, name))}
            for name, one in services.items()
        ],
        "parties": parties,
        "vertical": parts,
        "unread": [
            {"file": f"{folder.name}/{file}", "reason": reason}
            for folder, one in found
            for file, reason in one.unread
        ],
    }


def _merged(found: Sequence[FolderRecords], city: str) -> dict[str, MapService]:
    """Each service once, if a party of this city is in it: the newest run's, with what other
    records of the same service know of parties that it does not.
    """
    merged: dict[str, MapService] = {}
    for one in found:
        for service in one.services:
            if not any(_city(name) == city for name in service.parties):
                continue
            before = merged.get(service.name)
            known = {} if before is None else before.parties
            parties = {
                name: _fuller(known.get(name), party) for name, party in service.parties.items()
            }
            title = service.title or (None if before is None else before.title)
            merged[service.name] = MapService(service.name, title, {**known, **parties})
    return merged


def _fuller(before: MapParty | None, now: MapParty) -> MapParty:
    """What is known of a party: the newer record, filled with what it does not say."""
    if before is None:
        return now
    lacking = {
        name: getattr(before, name)
        for name in ("level", "bound", "granted", "change", "sent", "received")
        if getattr(now, name) is None
    }
    if not now.layers:
        lacking["layers"] = before.layers
    if now.part is None or (now.by_site and not before.by_site and before.part is not None):
        lacking |= {"part": before.part, "by_site": before.by_site}
    if now.title.en == now.name:
        lacking["title"] = before.title
    return replace(now, **lacking, newcomer=now.newcomer or before.newcomer)


def _city(party: str) -> str:
    return party.partition("/")[0]


def _service_title(node: Node, service: str) -> LocalizedText:
    known = {name: one.party.facts.application for (name, _), one in node.parties.items()}
    application = applications().get(known.get(service, ""))
    return LocalizedText(service, service) if application is None else application.title


def _party_json(node: Node, service: MapService, party: MapParty, folders: Sequence[Path]) -> Json:
    city, agency = party.name.partition("/")[::2]
    state = None
    if (service.name, party.name) in node.parties:
        of_node = node.parties[service.name, party.name].party.party.agency
        state = node.source(of_node, node.clock.now())
    no_rows = state is not None and state.status is SourceStatus.SILENT
    part = party.part
    no_answer = part is not None and part.left_out is LeftOut.SILENT
    return {
        "city": city,
        "agency": agency.partition(":")[0],
        "party": party.name,
        "title": both(party.title),
        "service": service.name,
        "newcomer": party.newcomer,
        "silent": no_rows or no_answer,
        "records_silent_since_s": state.newest_s if no_rows and state is not None else None,
        "level": "" if party.level is None else level_name(party.level),
        "set_by": None if party.bound is None else both(party.bound),
        "layers": list(party.layers),
        "leakage": _leakage_json(folders, service.name, party.name),
        "stem": "shared" if STEM in party.layers else "private",
        "granted_to": "" if party.granted is None else level_name(party.granted),
        "change": party.change,
        "sent_bytes": party.sent,
        "received_bytes": party.received,
        "rounds": None
        if part is None
        else {
            "last": part.last,
            "done": part.rounds,
            "at_s": part.at_s,
            "left_out": "" if part.left_out is None else part.left_out.value,
            "reason": part.reason,
            "by": "site" if party.by_site else "coordinator",
        },
    }


def _leakage_json(folders: Sequence[Path], service: str, party: str) -> list[Json]:
    """R² of the best attack on each layer of a party, by its newest audit here; none: not audited.

    The last one is of the forecast alone.
    """
    for folder in reversed(folders):
        if found := layer_leakage(site_folder(folder, party), party, service):
            return [
                {"layer": layer, "r2": max(0.0, r2)}
                for layer in (STEM, *LADDER, FORECAST)
                if layer in found and (r2 := found[layer].shown_r2) is not None
            ]
    return []


def _deep_states(node: Node) -> Mapping[tuple[str, str, str], SourceState]:
    """Service, party and agency -> the deep data that the agency's own process sends here."""
    try:
        found = node.deep_sources(node.clock.now())
    except StoreError:  # nothing is known of them now
        return {}
    return {(one.service, one.party, one.state.name): one.as_source for one in found}


def _vertical_json(
    node: Node, deep: Mapping[tuple[str, str, str], SourceState], part: VerticalPart
) -> Json:
    return {
        "service": part.service,
        "title": both(part.title),
        "city": _city(part.party),
        "party": part.party,
        "party_title": both(part.party_title),
        "mode": part.mode,
        "level": level_name(part.level),
        "labels_stay": part.labels_stay,
        "change": part.change,
        "agencies": [_agency_json(node, deep, part, one) for one in part.agencies],
    }


def _agency_json(
    node: Node,
    deep: Mapping[tuple[str, str, str], SourceState],
    part: VerticalPart,
    agency: CutAgency,
) -> Json:
    state = deep.get((part.service, part.party, agency.name))
    here = _city(part.party) == node.city_file.city.name
    if state is None and here and agency.name in node.agencies:
        state = node.source(agency.name, node.clock.now())
    return {
        "agency": agency.name,
        "title": both(agency.title),
        "layer": level_name(agency.level) if agency.level else STEM,
        "granted_from": level_name(agency.least_level)
        if 0 < agency.least_level <= MAX_LEVEL
        else STEM,
        "width": agency.width,
        "cells": agency.cells,
        "sent_bytes": agency.sent,
        "received_bytes": agency.received,
        "change_without": agency.change_without,
        "failed": agency.failed,
        "silent": state is not None and state.status is SourceStatus.SILENT,
        "newest_s": None if state is None else state.newest_s,
    }


def level_name(level: int) -> str:
    """What a reuse level is called.

    >>> level_name(0), level_name(3), level_name(6)
    ('alone', 'h3', 'head')
    """
    if not level:
        return "alone"
    return HEAD if level == MAX_LEVEL else HIDDEN_LAYERS[level - 1]
