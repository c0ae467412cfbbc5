"""Deep data of agencies whose rows and encoders are in this process: encoded when they are read.

It stands where a store of deep data stands, and answers the same reads; nothing is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.city.errors import GrantError, StoreError
from deepcity.data.panel import Panel
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.split.encoder_package import EncoderPackage
from deepcity.live.wire import cell_names, to_rows
from deepcity.parties.releases.deep_release import DeepRelease
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.deep_data.database import SpaceInfo
from deepcity.store.deep_data.store import DeepDataStore

_BACK_S = 8 * 86_400  # how far back the newest deep data are looked for


@dataclass(frozen=True, eq=False)
class Encoded:
    """One agency: its encoder, its rows as columns, its grant, if the map is known, and its city's
    policy, if it names one.
    """

    package: EncoderPackage
    columns: Columns
    grant: DeepGrant | None = None
    release: DeepRelease | None = None

    @staticmethod
    def of(
        package: EncoderPackage,
        panel: Panel,
        grant: DeepGrant | None,
        release: DeepRelease | None = None,
    ) -> "Encoded":
        """From a panel.

        Raises:
            LayerPackageError: if it does not fit the encoder.
        """
        return Encoded(package, package.to_columns(panel), grant, release)

    def rows(self, times_B: Ints) -> DeepData:
        """Deep data at these times, of the cells with recent rows."""
        activations = self.package.encode_columns(self.columns, times_B)
        return to_rows(self.package.space, cell_names(self.package.cells), times_B, activations)


class EncodedRows(DeepDataStore):
    """Deep data of some agencies, by space.

    Args:
        agencies: space -> the agency.
        trouble: space -> why an agency's rows cannot be encoded.
    """

    def __init__(self, agencies: Mapping[Space, Encoded], trouble: Mapping[Space, str]) -> None:
        self._agencies, self._trouble = dict(agencies), dict(trouble)

    def read(
        self, space: Space, cells: Sequence[str] | None, since: int, until: int, *, reader: str
    ) -> DeepData:
        """Rows with since <= time < until, of all cells.

        Raises:
            GrantError: if the agency's grant, or its city's policy, does not cover them.
            StoreError: if there are no rows to encode.
        """
        agency = self._agency(space, reader)
        return agency.rows(agency.package.facts.grid.between(since - 1, until - 1))

    def latest(
        self, space: Space, cells: Sequence[str] | None, at: int, *, reader: str
    ) -> DeepData:
        """The rows of the newest time at or before another one that has any; see `read`."""
        agency = self._agency(space, reader)
        times_B = agency.package.facts.grid.between(at - _BACK_S, at)
        known_B = agency.columns.known(times_B).any(axis=1)
        return agency.rows(times_B[np.flatnonzero(known_B)[-1:]])

    def spaces(self) -> tuple[SpaceInfo, ...]:
        """None: versions that it was not trained with are not at hand."""
        return ()

    def _agency(self, space: Space, reader: str) -> Encoded:
        if space not in self._agencies:
            raise StoreError(self._trouble.get(space, "its encoder is not in this folder"))
        agency = self._agencies[space]
        if agency.grant is not None:
            shape = agency.package.encoder.shape
            agency.grant.check(reader, shape.level, shape.width)
        elif reader != agency.package.facts.service:
            msg = f"its encoder was trained for {agency.package.facts.service}, not {reader}"
            raise GrantError(msg)
        if agency.release is not None:
            agency.release.check(agency.package.facts.grid.step_s)
        return agency
