"""A decision as a message of the Common Alerting Protocol 1.2 (OASIS 2010), in English and Korean.

What nobody has confirmed yet, and somebody must, is a draft: no message acts by itself.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from deepcity.applications.application import Application
from deepcity.applications.decision import Action, Confirm, Decision
from deepcity.city.localized_text import LocalizedText
from deepcity.city.place import Place
from deepcity.web.report.decisions import DecisionFacts, decision_words
from deepcity.web.report.figures import stretch
from deepcity.web.report.text import Text, of

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"
LANGUAGES = {"en": "en-US", "ko": "ko-KR"}
Severity = Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"]
Status = Literal["Actual", "Exercise", "System", "Test", "Draft"]

_HOUR_S = 3600
_FORBIDDEN = re.compile(r"[\s,<&]")  # in identifiers and senders, says the standard
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEADLINE = 160  # characters that every receiver shows


@dataclass(frozen=True)
class _Sort:
    """How an application's warnings are classified."""

    categories: tuple[str, ...]
    severity: Severity = "Unknown"


_SORTS: Mapping[str, _Sort] = {
    "air-warning": _Sort(("Env", "Health"), "Moderate"),
    "air": _Sort(("Env", "Health")),
    "crowding-warning": _Sort(("Safety", "Transport")),
    "traffic": _Sort(("Transport",)),
    "water-leaks": _Sort(("Infra",)),
    "electricity": _Sort(("Infra",)),
}
_OTHER = _Sort(("Other",))


@dataclass(frozen=True)
class CapContext:
    """What a message needs beside the decision.

    Attributes:
        application: whose decision it is.
        unit: of the field that it forecasts.
        time_zone: IANA name, in which times are written.
        step_s, steps: of its forecast.
    """

    application: Application
    unit: str
    time_zone: str
    step_s: int
    steps: int


def cap_alert(
    decision: Decision,
    places: Sequence[Place],
    sender: str,
    context: CapContext,
    *,
    sent_s: int,
    confirmed: bool = False,
    status: Status | None = None,
    severity: Severity | None = None,
    supersedes: Sequence[str] = (),
    sender_name: LocalizedText | None = None,
    instruction: LocalizedText | None = None,
    radius_km: float = 0.0,
) -> bytes:
    """The message as UTF-8 XML: two <info>, and in each an <area> for every place acted at.

    Args:
        places: of the state that was decided on; an area is a circle where a position is known.
        sender: unique, such as an address: no blanks, commas, < or &.
        sent_s: when it is sent, UTC seconds.
        confirmed: whether the one who must confirm the decision has.
        status: left out, "Actual" of what is confirmed or needs no confirmation, else "Draft".
        severity: left out, as the application is usually classified.
        supersedes: earlier messages as `reference` writes them: this one updates them, or cancels
            them where there is nothing to be done any more.
        instruction: what people should do.
        radius_km: of the circles; 0 is the point itself.

    Raises:
        ValueError: if there is nothing to be done and nothing to cancel, or the sender or a
            reference is malformed.
    """
    _check(decision, sender, supersedes)
    asked = decision.confirm is not Confirm.NOBODY and not confirmed
    sent = cap_time(sent_s, context.time_zone)
    root = ET.Element("alert", {"xmlns": NAMESPACE})
    _add(root, "identifier", identifier(decision, sender, sent_s))
    _add(root, "sender", sender)
    _add(root, "sent", sent)
    _add(root, "status", status or ("Draft" if asked else "Actual"))
    kind = ("Update" if decision.actions else "Cancel") if supersedes else "Alert"
    _add(root, "msgType", kind)
    _add(root, "scope", "Public")
    if supersedes:
        _add(root, "references", " ".join(supersedes))
    for language, code in LANGUAGES.items():
        info = ET.SubElement(root, "info")
        _add(info, "language", code)
        _classify(info, decision, context, severity, language)
        _describe(info, decision, places, context, language, sender_name, instruction)
        for action in _by_place(decision.actions).values():
            _area(info, action, places, radius_km)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def identifier(decision: Decision, sender: str, sent_s: int) -> str:
    """The message's identifier: the same for the same decision, sender and time."""
    what = f"{sender}|{sent_s}|{decision!r}".encode("utf-8", "replace")
    return f"deepcity-{sent_s}-{hashlib.sha256(what).hexdigest()[:16]}"


def reference(decision: Decision, sender: str, sent_s: int, time_zone: str) -> str:
    """How a later message names the one sent for a decision then."""
    return f"{sender},{identifier(decision, sender, sent_s)},{cap_time(sent_s, time_zone)}"


def cap_time(second: int, time_zone: str) -> str:
    """A time as the standard writes it: with its offset, which is -00:00 for UTC.

    >>> cap_time(0, "Asia/Seoul"), cap_time(0, "UTC")
    ('1970-01-01T09:00:00+09:00', '1970-01-01T00:00:00-00:00')
    """
    written = datetime.fromtimestamp(second, ZoneInfo(time_zone)).isoformat(timespec="seconds")
    return written.replace("+00:00", "-00:00")


def _check(decision: Decision, sender: str, supersedes: Sequence[str]) -> None:
    if not sender or _FORBIDDEN.search(sender):
        right = "give one without blanks, commas, < and &, such as air@city.example"
        raise ValueError(f"sender {sender!r} cannot stand in a CAP message: {right}")
    wrong = [one for one in supersedes if one.count(",") != 2 or re.search(r"[\s<&]", one)]
    if wrong:
        raise ValueError(f"reference {wrong[0]!r}: write SENDER,IDENTIFIER,SENT without blanks")
    if not decision.actions and not supersedes:
        right = "send one only for a decision with actions, or name the messages it cancels"
        raise ValueError(f"there is nothing to warn of: {right}")


def _classify(
    info: ET.Element,
    decision: Decision,
    context: CapContext,
    severity: Severity | None,
    language: str,
) -> None:
    """Category, event, urgency, severity and certainty, in the standard's order."""
    sort = _SORTS.get(context.application.name, _OTHER)
    for category in sort.categories:
        _add(info, "category", category)
    _add(info, "event", _in(context.application.title, language))
    if not decision.actions:
        _add(info, "responseType", "AllClear")
        for name, value in (("urgency", "Past"), ("severity", "Minor"), ("certainty", "Unknown")):
            _add(info, name, value)
        return
    lead_s = min(one.at_s for one in decision.actions) - _now_s(decision, context)
    _add(info, "responseType", "Prepare" if lead_s > 0 else "Monitor")
    _add(info, "urgency", _urgency(lead_s))
    _add(info, "severity", severity or sort.severity)
    _add(info, "certainty", _certainty(decision.actions))


def _urgency(lead_s: int) -> str:
    """Immediate: now; Expected: within the hour; Future: later."""
    if lead_s <= 0:
        return "Immediate"
    return "Expected" if lead_s <= _HOUR_S else "Future"


def _certainty(actions: Sequence[Action]) -> str:
    """Likely: over half; Possible: up to half; Unknown: no probability is given."""
    known = [one.numbers["probability"] for one in actions if "probability" in one.numbers]
    if not known:
        return "Unknown"
    return "Likely" if max(known) > 0.5 else "Possible"


def _describe(
    info: ET.Element,
    decision: Decision,
    places: Sequence[Place],
    context: CapContext,
    language: str,
    sender_name: LocalizedText | None,
    instruction: LocalizedText | None,
) -> None:
    """From the times to the parameters, in the standard's order.

    Of the words for an operator, what is the case and until when it holds; how the cutoff was set
    and who confirms it are no matter of the public.
    """
    now_s, first_s, last_s = _now_s(decision, context), None, decision.valid_until_s
    if decision.actions:
        first_s = min(one.at_s for one in decision.actions)
        last_s = max(last_s, *(one.at_s + context.step_s for one in decision.actions))
    _add(info, "effective", cap_time(now_s, context.time_zone))
    if first_s is not None:
        _add(info, "onset", cap_time(first_s, context.time_zone))
    _add(info, "expires", cap_time(last_s, context.time_zone))
    if sender_name is not None:
        _add(info, "senderName", _in(sender_name, language))
    sentences = [_in(one, language) for one in _words(decision, places, context)]
    _add(info, "headline", _shortened(sentences[0]))
    _add(info, "description", " ".join(dict.fromkeys((sentences[0], sentences[-2]))))
    if instruction is not None:
        _add(info, "instruction", _in(instruction, language))
    for name, value in _parameters(decision, context):
        parameter = ET.SubElement(info, "parameter")
        _add(parameter, "valueName", name)
        _add(parameter, "value", value)


def _parameters(decision: Decision, context: CapContext) -> list[tuple[str, str]]:
    """The reasons' numbers, and each action's place with its probability."""
    found = [("deepcity:unit", context.unit), ("deepcity:certainty", f"{decision.certainty:.3f}")]
    for reason in decision.reasons:
        where = f":{reason.place}" if reason.place else ""
        found += [
            (f"deepcity:{reason.code}:{name}{where}", f"{value:.6g}")
            for name, value in reason.numbers.items()
        ]
    for action in decision.actions:
        if "probability" in action.numbers:
            chance = f"{action.numbers['probability']:.3f}"
            found.append((f"deepcity:{action.code}:probability:{action.place}", chance))
    return found


def _words(decision: Decision, places: Sequence[Place], context: CapContext) -> list[Text]:
    facts = DecisionFacts(
        party=of(context.application.title),
        unit=context.unit,
        zone=ZoneInfo(context.time_zone),
        places=len(places),
        ahead=stretch(context.steps * context.step_s / 60),
        step_s=context.step_s,
    )
    return decision_words(decision, facts)


def _area(info: ET.Element, action: Action, places: Sequence[Place], radius_km: float) -> None:
    """A place acted at: its id, and where it lies if that is known."""
    area = ET.SubElement(info, "area")
    _add(area, "areaDesc", action.place or "-")
    place = next((one for one in places if one.id == action.place), Place(action.place))
    if place.lat is None or place.lon is None or place.cell is None:
        return
    _add(area, "circle", f"{place.lat:.6f},{place.lon:.6f} {radius_km:g}")
    geocode = ET.SubElement(area, "geocode")
    _add(geocode, "valueName", "H3")
    _add(geocode, "value", place.cell)


def _by_place(actions: Sequence[Action]) -> dict[str, Action]:
    """The first action of every place."""
    found: dict[str, Action] = {}
    for action in actions:
        found.setdefault(action.place, action)
    return found


def _now_s(decision: Decision, context: CapContext) -> int:
    return decision.valid_until_s - context.step_s


def _shortened(text: str) -> str:
    return text if len(text) <= _HEADLINE else text[: _HEADLINE - 1] + "…"


def _in(text: LocalizedText, language: str) -> str:
    return text.en if language == "en" else text.ko


def _add(parent: ET.Element, name: str, text: str) -> None:
    """A child element; characters that XML cannot hold are replaced."""
    ET.SubElement(parent, name).text = _NO_XML.sub("\ufffd", text)
