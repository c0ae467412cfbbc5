"""How an agency's source stands, as JSON: its age, and what is doubted of its records."""

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from deepcity.live.node.checking.check_event import CheckedRecords, checked_records
from deepcity.live.node.deep_source import DeepSource
from deepcity.live.node.known import known_check, known_deep_sources, known_source
from deepcity.live.node.node import Node
from deepcity.live.node.records.source_status import SourceState
from deepcity.runs.note import Note
from deepcity.store.events.event import Event
from deepcity.web.control.words import agency_title
from deepcity.web.report.figures import moment
from deepcity.web.report.notes import note
from deepcity.web.report.sentences.doubts import doubt
from deepcity.web.report.text import Text, both, translate

Json = dict[str, Any]


def sources_json(node: Node, now_s: int) -> list[Json]:
    """How new each agency's records are, then the deep data that agencies' processes send."""
    records = [
        _records_json(node, node.source(agency, now_s), node.check(agency), node.checked_s)
        for agency in node.agencies
    ]
    return records + [_deep_json(node, one) for one in node.deep_sources(now_s)]


def known_sources_json(node: Node, known_s: int) -> list[Json]:
    """The same as it was known at a time.

    Raises:
        StoreError: if the events cannot be read.
    """
    records = [
        _records_json(node, known_source(node, one, known_s), known_check(node, one, known_s))
        for one in node.agencies
    ]
    return records + [_deep_json(node, one) for one in known_deep_sources(node, known_s)]


def _records_json(
    node: Node, state: SourceState, event: Event | None, last_s: int | None = None
) -> Json:
    """An agency whose rows are here, with the doubts of the data check.

    Args:
        last_s: when records were last checked; None: when this event says.
    """
    checked = None if event is None else checked_records(event)
    zone = ZoneInfo(node.panel(state.agency).clock.time_zone)
    notes = () if checked is None else (*checked.reading, *checked.doubts)
    doubts = [doubt(one, zone) for one in notes]
    return {
        **_state_json(node, state),
        "doubts": [both(one) for one in [*_trouble(state), *doubts]],
        "check": _check_json(checked, zone, last_s),
        "deep": None,
    }


def _deep_json(node: Node, one: DeepSource) -> Json:
    """An agency whose rows are not here: of its deep data, what service they are for."""
    state, doubted = one.as_source, one.state.doubt
    doubts = [] if doubted is None else [note(doubted)]
    return {
        **_state_json(node, state),
        "rows": None,
        "doubts": [both(text) for text in [*_trouble(state), *doubts]],
        "check": _check("elsewhere", translate("control.check_elsewhere")),
        "deep": {
            "service": one.service,
            "party": one.party,
            "layer": one.agency.space.layer,
            "width": one.agency.width,
            "version": one.agency.space.version,
            "status": one.state.status.value,
            "limit_s": one.state.limit_s,
        },
    }


def _state_json(node: Node, state: SourceState) -> Json:
    found = {**asdict(state), "status": state.status.value}
    for name in ("trouble", "trouble_code", "doubt"):
        del found[name]
    return {**found, "title": both(agency_title(node, state.agency))}


def _trouble(state: SourceState) -> list[Text]:
    """What prevents a source from being read; the detail is quoted as it is."""
    if not state.trouble:
        return []
    code = state.trouble_code.value.replace("-", "_")
    return [translate(f"control.trouble_{code}", detail=state.trouble)]


def _check_json(checked: CheckedRecords | None, zone: ZoneInfo, last_s: int | None) -> Json:
    """When the data check was, of which records, and whether it gave a result."""
    if checked is None or checked.at_s is None:
        return _check("never", translate("control.check_never"), checked)
    when = moment(checked.at_s, zone)
    if checked.problem:
        text = translate("control.check_failed", when=when, problem=checked.problem)
        return _check("failed", text, checked)
    if last_s is not None and last_s > checked.at_s:
        same = "control.check_same" if checked.doubts else "control.check_same_none"
        return _check("done", translate(same, when=moment(last_s, zone), since=when), checked)
    until = moment(checked.to_s or checked.at_s, zone)
    return _check("done", translate("control.check_done", when=when, until=until), checked)


def _check(state: str, text: Text, checked: CheckedRecords | None = None) -> Json:
    return {
        "state": state,
        "text": both(text),
        "at_s": None if checked is None else checked.at_s,
        "from_s": None if checked is None else checked.from_s,
        "to_s": None if checked is None else checked.to_s,
        "codes": [] if checked is None else [_code(one) for one in checked.doubts],
        "reading": [] if checked is None else [_code(one) for one in checked.reading],
    }


def _code(found: Note) -> Json:
    """A doubt for programs: its code, numbers and names."""
    names = {name: value for name, value in found.names.items() if name != "text"}
    return {"code": found.code, "numbers": dict(found.numbers), "names": names}
