"""What a node's codes say in English and Korean; sentences of decisions are the report's."""

from typing import Any
from zoneinfo import ZoneInfo

from deepcity.city.localized_text import LocalizedText
from deepcity.forecasting.gaps import Gap
from deepcity.live.node.alarm_book import Alarm
from deepcity.live.node.decision_book import KnownDecision
from deepcity.live.node.node import Node, PartyKey
from deepcity.web.report.decisions import DecisionFacts, action_name, decision_words
from deepcity.web.report.figures import age, stretch
from deepcity.web.report.text import Text, both, of, same, translate

_SOURCE_CODES = {"source-late": "control.source_late", "source-silent": "control.source_silent"}


def facts_of(node: Node, key: PartyKey) -> DecisionFacts | None:
    """What the words of a party's decision need beside it; None if it takes no part any more."""
    now = node.parties.get(key)
    if now is None:
        return None
    panel = node.panel(now.party.party.agency)
    field = panel.fields[panel.field_index(now.party.facts.field)]
    step_s = panel.clock.step_s
    return DecisionFacts(
        of(title_of(node, key)),
        field.unit,
        ZoneInfo(panel.clock.time_zone),
        len(panel.places),
        stretch(now.party.facts.horizon * step_s / 60),
        step_s,
    )


def title_of(node: Node, key: PartyKey) -> LocalizedText:
    """What a party is called."""
    now = node.parties.get(key)
    if now is None:
        return LocalizedText(key[1], key[1])
    return node.city_file.city.agency(now.party.party.agency).title


def agency_title(node: Node, agency: str) -> LocalizedText:
    """What an agency is called; one that the city file does not name, by its name."""
    known = node.city_file.city.agencies
    found = next((one.title for one in known if one.name == agency), None)
    return found or LocalizedText(agency, agency)


def decision_sentences(node: Node, made: KnownDecision) -> list[Text]:
    """What is to be done, why, how sure that is, until when, and who confirms it."""
    facts = facts_of(node, (made.service, made.party))
    return [] if facts is None else decision_words(made.decision, facts)


def alarm_words(node: Node, alarm: Alarm) -> Text:
    """An alarm in a line."""
    if alarm.code in _SOURCE_CODES:
        lag = age(alarm.numbers.get("lag_s", 0.0))
        agency = of(agency_title(node, alarm.party))
        return translate(_SOURCE_CODES[alarm.code], agency=agency, lag=lag)
    title = of(title_of(node, (alarm.service, alarm.party)))
    where = same(f"{alarm.place}, ") if alarm.place else same("")
    return action_name(alarm.code) + same(": ") + where + title


def gap_words(gap: Gap) -> dict[str, Any]:
    """Why there is no forecast."""
    text = translate(f"control.gap_{gap.code.replace('-', '_')}")
    return {"code": gap.code, "text": both(text), "detail": gap.detail}
