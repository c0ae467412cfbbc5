"""The summary of an update for the terminal: a table a service, and notes."""

from collections.abc import Sequence
from itertools import groupby
from math import isfinite

from rich.table import Table

from deepcity.cli.party_table import party_table
from deepcity.runs.update.results import PartyUpdate, UpdateOutcome, UpdateResults
from deepcity.web.report.sentences.updates import reason, update_notes

HEADINGS = ("party", "last week", "before", "after", "change", "forgetting", "outcome")


def tables(found: UpdateResults, width: int) -> list[Table]:
    """One table a service: errors of the newest days before and after, and forgetting.

    Parties that were never updated are left out; where nothing is new, figures are the last ones.
    """
    updated = [party for party in found.parties if party.holdout_to]
    return [
        _table(service, list(parties), width)
        for service, parties in groupby(updated, key=lambda party: party.service)
    ]


def lines(found: UpdateResults) -> list[str]:
    """A sentence or two for each party; one for all where nothing was new."""
    fresh = [party for party in found.parties if party.outcome is not UpdateOutcome.NOTHING_NEW]
    if found.parties and not fresh and not found.problems:
        return ["Nothing new: no rows have arrived since the last update. Nothing was changed."]
    sentences = []
    for party in found.parties:
        words = [reason(party).en]
        if party.outcome is not UpdateOutcome.NOTHING_NEW:
            words += [one.en for one in update_notes(party)]
        sentences.append(f"{party.title.en}: {' '.join(words)}")
    return sentences


def _table(service: str, parties: Sequence[PartyUpdate], width: int) -> Table:
    title = f"{service}: {' and '.join(dict.fromkeys(map(_evaluated_by, parties)))}"
    return party_table(
        title, HEADINGS, [_row(party) for party in parties], width, left=HEADINGS[-1:]
    )


def _evaluated_by(party: PartyUpdate) -> str:
    """What its figures are."""
    unit = f", {party.unit}" if party.metric_in_unit else ""
    return f"{party.metric.en} of the newest days{unit}"


def _row(party: PartyUpdate) -> list[str]:
    taken = party.refined < party.kept and party.moved > 0
    after = party.refined if taken else party.kept
    change = f"{after / party.kept - 1:+.1%}" if party.kept > 0 else ""
    cells = [_number(party.last_week), _number(party.kept), _number(after), change]
    return [party.title.en, *cells, f"{party.forgetting:+.1%}", party.outcome]


def _number(error: float) -> str:
    return f"{error:.3g}" if isfinite(error) else ""
