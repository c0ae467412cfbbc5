"""A decision as a message of the Common Alerting Protocol 1.2 (OASIS 2010), in English and Korean.

What nobody has confirmed yet, and somebody must, is a draft: no message acts by itself. `cap-tools`
holds the standard's elements and writes them; its times end in Z for UTC, which the standard
forbids.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from cap_tools.models import (
    Alert,
    Area,
    Category,
    Certainty,
    Geocode,
    Info,
    MsgType,
    Parameter,
    ResponseType,
    Scope,
    Urgency,
    Value,
    ValueName,
)
from cap_tools.models import Severity as CapSeverity
from cap_tools.models import Status as CapStatus
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.models.datatype import XmlDateTime

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
    kind = MsgType.UPDATE if decision.actions else MsgType.CANCEL
    alert = Alert(
        identifier=identifier(decision, sender, sent_s),
        sender=_text(sender),
        sent=_CapTime.of(sent_s, context.time_zone),
        status=CapStatus(status or ("Draft" if asked else "Actual")),
        msg_type=kind if supersedes else MsgType.ALERT,
        scope=Scope.PUBLIC,
        references=_text(" ".join(supersedes)) if supersedes else None,
    )
    for language in LANGUAGES:
        info = _classified(decision, context, severity, language)
        _describe(info, decision, places, context, language, sender_name, instruction)
        found = _by_place(decision.actions).values()
        info.areas = [_area(action, places, radius_km) for action in found]
        alert.infos.append(info)
    return XmlSerializer().render(alert, ns_map={None: NAMESPACE}).encode()


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


class _CapTime(XmlDateTime):
    """A time as the standard writes it, with an offset also for UTC."""

    @classmethod
    def of(cls, second: int, time_zone: str) -> "_CapTime":
        """A time of a zone."""
        return cls(*XmlDateTime.from_string(cap_time(second, time_zone)))

    def __str__(self) -> str:
        return re.sub("Z$", "-00:00", super().__str__())


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


def _classified(
    decision: Decision, context: CapContext, severity: Severity | None, language: str
) -> Info:
    """Category, event, urgency, severity and certainty."""
    sort = _SORTS.get(context.application.name, _OTHER)
    info = Info(
        language=LANGUAGES[language],
        categories=[Category(one) for one in sort.categories],
        event=_text(_in(context.application.title, language)),
        response_types=[ResponseType.ALL_CLEAR],
        urgency=Urgency.PAST,
        severity=CapSeverity.MINOR,
        certainty=Certainty.UNKNOWN,
    )
    if not decision.actions:
        return info
    lead_s = min(one.at_s for one in decision.actions) - _now_s(decision, context)
    info.response_types = [ResponseType.PREPARE if lead_s > 0 else ResponseType.MONITOR]
    info.urgency = _urgency(lead_s)
    info.severity = CapSeverity(severity or sort.severity)
    info.certainty = _certainty(decision.actions)
    return info


def _urgency(lead_s: int) -> Urgency:
    """Immediate: now; Expected: within the hour; Future: later."""
    if lead_s <= 0:
        return Urgency.IMMEDIATE
    return Urgency.EXPECTED if lead_s <= _HOUR_S else Urgency.FUTURE


def _certainty(actions: Sequence[Action]) -> Certainty:
    """Likely: over half; Possible: up to half; Unknown: no probability is given."""
    known = [one.numbers["probability"] for one in actions if "probability" in one.numbers]
    if not known:
        return Certainty.UNKNOWN
    return Certainty.LIKELY if max(known) > 0.5 else Certainty.POSSIBLE


def _describe(
    info: Info,
    decision: Decision,
    places: Sequence[Place],
    context: CapContext,
    language: str,
    sender_name: LocalizedText | None,
    instruction: LocalizedText | None,
) -> None:
    """From the times to the parameters.

    Of the words for an operator, what is the case and until when it holds; how the cutoff was set
    and who confirms it are no matter of the public.
    """
    now_s, first_s, last_s = _now_s(decision, context), None, decision.valid_until_s
    if decision.actions:
        first_s = min(one.at_s for one in decision.actions)
        last_s = max(last_s, *(one.at_s + context.step_s for one in decision.actions))
    zone = context.time_zone
    info.effective = _CapTime.of(now_s, zone)
    info.onset = None if first_s is None else _CapTime.of(first_s, zone)
    info.expires = _CapTime.of(last_s, zone)
    if sender_name is not None:
        info.sender_name = _text(_in(sender_name, language))
    sentences = [_in(one, language) for one in _words(decision, places, context)]
    info.headline = _text(_shortened(sentences[0]))
    info.description = _text(" ".join(dict.fromkeys((sentences[0], sentences[-2]))))
    if instruction is not None:
        info.instruction = _text(_in(instruction, language))
    info.parameters = [
        Parameter(ValueName(_text(name)), Value(_text(value)))
        for name, value in _parameters(decision, context)
    ]


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


def _area(action: Action, places: Sequence[Place], radius_km: float) -> Area:
    """A place acted at: its id, and where it lies if that is known."""
    area = Area(area_desc=_text(action.place or "-"))
    place = next((one for one in places if one.id == action.place), Place(action.place))
    if place.lat is None or place.lon is None or place.cell is None:
        return area
    area.circles = [f"{place.lat:.6f},{place.lon:.6f} {radius_km:g}"]
    area.geocodes = [Geocode(ValueName("H3"), Value(place.cell))]
    return area


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


def _text(text: str) -> str:
    """Characters that XML cannot hold are replaced."""
    return _NO_XML.sub("\ufffd", text)
