"""What a party's forecaster last learned from new days, as JSON."""

from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from deepcity.live.node.node import Node, PartyKey
from deepcity.runs.update.results import UpdateOutcome
from deepcity.store.events.event import Event
from deepcity.web.report.figures import moment
from deepcity.web.report.text import Text, both, translate

Json = dict[str, Any]
PROBLEM = "problem"


def update_json(node: Node, key: PartyKey) -> Json | None:
    """The newest update of a party, or why there was none; None: nothing was learned yet.

    Errors are of the newest days, before and after; `after` is of what was tried, used or not.
    """
    service, party = key
    about = [(service, party), ("", party), ("", node.city_file.city.name)]
    found = [one for one in (node.update(*names) for names in about) if one is not None]
    if not found:
        return None
    newest = max(found, key=lambda one: one.seq)
    body, zone = newest.body, ZoneInfo(node.city_file.city.clock.time_zone)
    return {
        "at_s": newest.at_s,
        "outcome": body["outcome"],
        "learned_to_s": body.get("learned_to_s"),
        "before": body.get("kept"),
        "after": body.get("refined"),
        "unit": body.get("unit", ""),
        "text": both(_text(newest, zone)),
    }


def _text(event: Event, zone: ZoneInfo) -> Text:
    body, when = event.body, moment(event.at_s, zone)
    if body["outcome"] == PROBLEM:
        return translate("control.update_problem", when=when, problem=str(body["problem"]))
    unit = str(body.get("unit", ""))
    metric = body.get("metric") or {"en": "error", "ko": "오차"}
    text = translate(
        f"control.update_{UpdateOutcome(body['outcome']).name.lower()}",
        when=when,
        until=moment(int(body["learned_to_s"]), zone),
        metric=Text(metric["en"], metric["ko"]),
        before=_error(body["kept"]),
        after=_error(body["refined"]),
        unit=f" {unit}" if unit else "",
    )
    drift_s = body.get("drift_since_s")
    if drift_s is None:
        return text
    return text + translate("control.update_drift", since=moment(int(drift_s), zone))


def _error(value: float | None) -> str:
    return "–" if value is None or not isfinite(value) else f"{value:.4g}"
