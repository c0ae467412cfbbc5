"""The sentences of going on learning, for the terminal."""

from datetime import datetime
from zoneinfo import ZoneInfo

from deepcity.runs.update.results import PartyUpdate, UpdateOutcome
from deepcity.web.report.notes import drift, note
from deepcity.web.report.text import Text, of, translate


def reason(party: PartyUpdate) -> Text:
    """Why a party's networks were refined, or stayed as they were."""
    if party.outcome is UpdateOutcome.NOTHING_NEW:
        when = datetime.fromtimestamp(party.seen_to, ZoneInfo(party.time_zone))
        return translate("note.update_nothing_new", when=f"{when:%Y-%m-%d %H:%M}")
    if party.outcome is UpdateOutcome.REFINED:
        if party.refined == party.kept:
            return translate("note.update_refined_tie", metric=of(party.metric))
        fall = f"{1 - party.refined / party.kept:.1%}"
        return translate("note.update_refined", fall=fall, metric=of(party.metric))
    if party.moved == 0:
        return translate("note.update_forgets", bound=f"{party.max_forgetting:.0%}")
    return translate("note.update_undone")


def update_notes(party: PartyUpdate) -> list[Text]:
    """Further notes on a party."""
    found = [drift(party.time_zone, party.drift)] if party.drift else []
    return [*found, *(note(one) for one in party.notes)]
