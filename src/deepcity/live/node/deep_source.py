"""An agency whose own process sends a node deep data: how new they are, and whether they are used.

It is shown beside the agencies whose records the node follows, and raises the same alarms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deepcity.city.clock import DAY_S
from deepcity.forecasting.gaps import SILENT_DAYS
from deepcity.learning.split.fused_package import InputAgency
from deepcity.live.agency_inputs import AgencyState, AgencyStatus
from deepcity.live.node.records.source_status import SourceState, SourceStatus, TroubleCode
from deepcity.runs.note import Note

_STATUS = {
    AgencyStatus.FRESH: SourceStatus.FRESH,
    AgencyStatus.LATE: SourceStatus.LATE,
    AgencyStatus.IN_DOUBT: SourceStatus.IN_DOUBT,
}

_BAD = (
    SourceStatus.FRESH,
    SourceStatus.WAITING,
    SourceStatus.IN_DOUBT,
    SourceStatus.LATE,
    SourceStatus.SILENT,
)


@dataclass(frozen=True)
class DeepSource:
    """An agency as an application's source of deep data.

    Attributes:
        service, party: of the application.
        agency: as the application was trained with it.
        state: as it is now.
        cells: how many it was trained with.
    """

    service: str
    party: str
    agency: InputAgency
    state: AgencyState
    cells: int

    @property
    def as_source(self) -> SourceState:
        """How new its deep data are, as records are described; it has no rows here."""
        found = self.state
        status = _STATUS.get(found.status, SourceStatus.WAITING)
        age_s = found.age_s or 0
        if status is SourceStatus.LATE and age_s > max(SILENT_DAYS * DAY_S, found.limit_s):
            status = SourceStatus.SILENT
        missing = 1 - found.cells / self.cells if self.cells else 1.0
        return SourceState(
            agency=found.name,
            status=status,
            newest_s=found.newest,
            lag_s=age_s,
            rows=0,
            places=self.cells,
            missing=missing,
            trouble=found.note,
            trouble_code=TroubleCode.DEEP_DATA,
            doubt=None if found.doubt is None else found.doubt.model_dump(mode="json"),
        )


def worst_states(sources: Sequence[DeepSource]) -> list[tuple[str, SourceState]]:
    """Of each service and agency the worst state, where several parties of a service need it.

    What cannot be read from the store now is left out: nothing is known of it.
    """
    worst: dict[tuple[str, str], SourceState] = {}
    for one in sources:
        found, key = one.as_source, (one.service, one.state.name)
        if one.state.status is AgencyStatus.STORE_ERROR:
            continue
        if key not in worst or _BAD.index(found.status) > _BAD.index(worst[key].status):
            worst[key] = found
    return [(service, state) for (service, _), state in worst.items()]


def agency_evidence(state: AgencyState) -> Mapping[str, Any]:
    """What a forecast's or decision's event says of an agency's deep data."""
    return {
        "agency": state.name,
        "status": state.status.value,
        "version": state.version,
        "newest_s": state.newest,
        "lag_s": state.age_s,
        "limit_s": state.limit_s,
        "cells": state.cells,
        "note": state.note,
        "doubt": None if state.doubt is None else state.doubt.model_dump(mode="json"),
    }


def state_from(evidence: Mapping[str, Any] | None, now: AgencyState, known_s: int) -> AgencyState:
    """An agency as it was known at a time, from what the newest event by then says of it.

    Args:
        evidence: as `agency_evidence` has it; None: there is no such event.
        now: as it is now.
    """
    if evidence is None:
        status = AgencyStatus.NO_DATA
        return replace(now, status=status, newest=None, age_s=None, cells=0, note="", doubt=None)
    newest, doubt = evidence["newest_s"], evidence["doubt"]
    return replace(
        now,
        status=AgencyStatus(evidence["status"]),
        newest=newest,
        age_s=None if newest is None else known_s - int(newest),
        cells=int(evidence["cells"]),
        note=str(evidence["note"]),
        doubt=None if doubt is None else Note.model_validate(doubt),
    )
