"""Deep data of agencies that are partly received from processes of their own and partly encoded
here: each read goes where the agency's are.
"""

from collections.abc import Collection, Sequence

from deepcity.live.encoded_rows import EncodedRows
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.deep_data.database import SpaceInfo
from deepcity.store.deep_data.store import DeepDataStore


class DeepDataByAgency(DeepDataStore):
    """Answers the reads of a store of deep data.

    Args:
        received: deep data that agencies' processes sent; None: there are none.
        spaces: of those agencies; all other spaces are encoded here.
        hidden: spaces of other applications, which are none of this one's.

    Attributes:
        encoded: the agencies whose rows are here, as they are now.
    """

    def __init__(
        self,
        received: DeepDataStore | None,
        spaces: Collection[Space],
        hidden: Collection[Space] = (),
    ) -> None:
        self._received, self._spaces = received, frozenset(spaces)
        self._hidden = frozenset(hidden) - self._spaces
        self.encoded = EncodedRows({}, {})

    def read(
        self, space: Space, cells: Sequence[str] | None, since: int, until: int, *, reader: str
    ) -> DeepData:
        """Rows with since <= time < until, by time and then by cell.

        Raises:
            GrantError: if the agency's grant does not cover them.
            StoreError: if they cannot be read.
        """
        return self._holder(space).read(space, cells, since, until, reader=reader)

    def latest(
        self, space: Space, cells: Sequence[str] | None, at: int, *, reader: str
    ) -> DeepData:
        """The newest rows at or before a time; see `read`."""
        return self._holder(space).latest(space, cells, at, reader=reader)

    def spaces(self) -> tuple[SpaceInfo, ...]:
        """All spaces that deep data were received of, but for those of other applications."""
        found = () if self._received is None else self._received.spaces()
        return tuple(one for one in found if one.space not in self._hidden)

    def _holder(self, space: Space) -> DeepDataStore:
        if self._received is not None and space in self._spaces:
            return self._received
        return self.encoded
