"""The sentences of going on learning, for the terminal."""

from datetime import datetime
from zoneinfo import ZoneInfo

from deepcity.intercity.refine_results import Outcome, PartyRefined
from deepcity.serve.report.notes import drift, note
from deepcity.serve.report.text import Text, say


def reason(party: PartyRefined) -> Text:
    """Why a party's networks were refined, or stayed as they were."""
    if party.outcome is Outcome.NOTHING_NEW:
        when = datetime.fromtimestamp(party.seen_to, ZoneInfo(party.time_zone))
        return say("note.update_nothing_new", when=f"{when:%Y-%m-%d %H:%M}")
    if party.outcome is Outcome.REFINED:
        return say("note.update_refined", fall=f"{1 - party.refined / party.kept:.1%}")
    if party.moved == 0:
        return say("note.update_forgets", bound=f"{party.bound:.0%}")
    return say("note.update_undone")


def update_notes(party: PartyRefined) -> list[Text]:
    """What else is to be said of a party."""
    found = [drift(party.time_zone, party.drift)] if party.drift else []
    return [*found, *(note(one) for one in party.notes)]
