"""Agencies' deep data at a time: what there is of each, how old it is, and whether it is used.

Shapes: B origins, C cells of an agency, D deep width.
"""

import logging
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from deepcity.city.errors import GrantError, StoreError
from deepcity.learning.split.fused_package import FusedPackage, InputAgency
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.live.wire import cell_names
from deepcity.runs.note import Note
from deepcity.store.deep_data.batch import DeepData
from deepcity.store.deep_data.store import DeepDataStore

_log = logging.getLogger(__name__)


class AgencyStatus(StrEnum):
    """Status of an agency at the time of a forecast."""

    FRESH = "fresh"
    LATE = "late"  # its newest deep data are too old
    NO_DATA = "no-data"  # none of the version trained with
    NOT_GRANTED = "not-granted"
    STORE_ERROR = "store-error"  # the store could not be read
    IN_DOUBT = "in-doubt"  # its deep data are unlike those trained with, or do harm


@dataclass(frozen=True)
class AgencyState:
    """One agency at the time of a forecast.

    Attributes:
        version: of its encoder, as trained with.
        newest: time of its newest deep data; None: there are none.
        age_s: their age.
        limit_s: the largest age that is used.
        cells: number of its cells with recent deep data.
        note: for the operator; may be empty.
        doubt: why its deep data are in doubt; None: they are not.
    """

    name: str
    status: AgencyStatus
    version: str
    newest: int | None
    age_s: int | None
    limit_s: int
    cells: int
    note: str = ""
    doubt: Note | None = None


class AgencyInputs:
    """Reads agencies' newest deep data.

    Args:
        package: with the agencies it was trained with.
        store: checks the grants before every read.
        late_steps: largest age of an agency's newest deep data, in its own steps.
    """

    def __init__(self, package: FusedPackage, store: DeepDataStore, late_steps: int) -> None:
        self._package, self._store, self.late_steps = package, store, late_steps
        self._places = {
            name: {cell: index for index, cell in enumerate(cell_names(cell_C).tolist())}
            for name, cell_C in package.cells.items()
        }

    def read(self, agency: InputAgency, at: int) -> tuple[AgencyState, DeepBatch | None]:
        """An agency's status at a time, and its deep data if they can be used."""
        limit_s = self.late_steps * max(agency.step_s, agency.grid.step_s)
        state = AgencyState(
            agency.name, AgencyStatus.NO_DATA, agency.space.version, None, None, limit_s, 0
        )
        try:
            young, newest = self._rows(agency, at, limit_s)
        except GrantError as error:
            return replace(state, status=AgencyStatus.NOT_GRANTED, note=str(error)), None
        except StoreError as error:
            return self._not_there(state, agency, error), None
        if newest is None:
            return replace(state, note=self._other_versions(agency)), None
        state = replace(state, newest=newest, age_s=at - newest)
        activations = self._newest_rows(agency, young)
        cells = int(activations.known_BC.sum())
        if not cells:
            late = self._why_late(agency, state)
            return replace(state, status=AgencyStatus.LATE, note=late), None
        return replace(state, status=AgencyStatus.FRESH, cells=cells), activations

    def _rows(self, agency: InputAgency, at: int, limit_s: int) -> tuple[DeepData, int | None]:
        """Rows recent enough at a time, and the time of the newest row of all."""
        space, reader = agency.space, self._package.facts.service
        young = self._store.read(space, None, at - limit_s, at + 1, reader=reader)
        found = young if len(young) else self._store.latest(space, None, at, reader=reader)
        return young, int(found.time_R.max()) if len(found) else None

    def _newest_rows(self, agency: InputAgency, rows: DeepData) -> DeepBatch:
        """The newest row of each cell that was trained with."""
        where = self._places[agency.name]
        activations = DeepBatch(
            np.zeros((1, len(where), agency.width), np.float32), np.zeros((1, len(where)), bool)
        )
        # in order of time: later rows replace earlier ones
        for row, cell in enumerate(rows.cell_R.tolist()):
            if (index := where.get(cell)) is not None:
                activations.vectors_BCD[0, index] = rows.vectors_RW[row]
                activations.known_BC[0, index] = True
        return activations

    def _not_there(self, state: AgencyState, agency: InputAgency, error: Exception) -> AgencyState:
        try:
            if agency.space not in {space_info.space for space_info in self._store.spaces()}:
                return replace(state, note=self._other_versions(agency))
        except StoreError:
            _log.warning("the store cannot be read", exc_info=True)
        return replace(state, status=AgencyStatus.STORE_ERROR, note=str(error))

    def _other_versions(self, agency: InputAgency) -> str:
        """A note if the store holds deep data of other encoder versions only."""
        try:
            space_infos = self._store.spaces()
        except StoreError:
            return ""
        wanted = agency.space
        others = [
            space_info.space.version
            for space_info in space_infos
            if replace(space_info.space, version=wanted.version) == wanted != space_info.space
        ]
        if not others:
            return ""
        return (
            f"the store has version {', '.join(others)}, but the application was trained with "
            f"{wanted.version}; run the encoder {wanted.version}, or train again"
        )

    def _why_late(self, agency: InputAgency, state: AgencyState) -> str:
        hours, rest = divmod(state.age_s or 0, 3600)
        lateness = f"its newest deep data are {hours}:{rest // 60:02d} h old"
        if hours and rest <= agency.grid.step_s:
            lateness += "; if it is still sending, check the time zone of its records"
        return lateness + (f"; {other}" if (other := self._other_versions(agency)) else "")
