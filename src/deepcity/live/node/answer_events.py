"""A party's answer of a step, as the events that keep it."""

from deepcity.live.node.decision_book import decision_event
from deepcity.live.node.party import PartyAnswer
from deepcity.live.node.records.source_status import SourceState
from deepcity.store.events.event import EventDraft


def answer_events(
    found: PartyAnswer, forecast: EventDraft, evidence: SourceState
) -> list[EventDraft]:
    """The events of an answer: its forecast, and its decision if there is one."""
    if found.decision is None:
        return [forecast]
    who = found.forecasts.service, found.forecasts.party
    made, agencies = found.decision, found.agencies
    return [forecast, decision_event(*who, made, found.task, evidence, forecast, agencies)]
