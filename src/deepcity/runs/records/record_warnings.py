"""Warnings of the data check on the records that a run learns from, as notes of each party."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from deepcity.data.check import panel_rules
from deepcity.data.check.file_report import view_of
from deepcity.data.check.rules import run_rules
from deepcity.data.findings import Finding, Severity
from deepcity.maps.city_map import Member
from deepcity.parties.party import Party
from deepcity.runs.note import Note
from deepcity.runs.records.finding_note import finding_note, records_note

_OF_PANELS = {"gap", "all-missing", "constant", "short"}  # found anew in the days of the service


def record_warnings(member: Member, party: Party) -> list[Note]:
    """What `data check` warns of in the field that a party forecasts, and in its days alone.

    One note for each kind of warning, with how many values it touches and the first places.
    """
    by_what: dict[str, list[Finding]] = defaultdict(list)
    for finding in _warnings(member, party):
        by_what[finding.what].append(finding)
    found = [finding_note(what, findings, party.field) for what, findings in by_what.items()]
    unseen = _unseen_places(party)
    return (
        [*found, records_note("unseen_places", len(unseen), party.field, unseen)]
        if unseen
        else found
    )


def _warnings(member: Member, party: Party) -> Iterator[Finding]:
    settings = next(
        one for one in member.city_file.settings.agency if one.name == member.agency.name
    )
    others = {
        name
        for field in settings.fields
        if field.name != party.field
        for name in (field.name, field.column)
    }
    view = view_of(member.city_file, member.agency.name, party.panel)
    candidates: Iterable[Finding] = [
        *(one for one in party.findings if one.what not in _OF_PANELS),
        *(
            one
            for one in panel_rules.find_warnings(party.panel)
            if settings.grid is None or one.what != "constant"
        ),
        *run_rules([view])[view.agency],
    ]
    for finding in candidates:
        field = finding.shows[0]
        concerns = field == party.field if field else finding.where not in others
        if finding.severity is Severity.WARNING and concerns:
            yield finding


def _unseen_places(party: Party) -> list[str]:
    """Places with values to forecast in the test days, and none to learn from."""
    field = party.panel.field_index(party.field)
    known_TN = np.isfinite(party.panel.values_TNF[:, :, field])
    test = party.split.test
    before_N, tested_N = known_TN[: test.start].any(axis=0), known_TN[test.start : test.end].any(0)
    return [party.panel.places[n].id for n in np.flatnonzero(tested_N & ~before_N).tolist()]
