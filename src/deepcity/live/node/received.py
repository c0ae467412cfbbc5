"""Deep data that agencies' own processes send to a node, for all applications that it runs.

The space of what comes says for which: no two applications share one, and each reads only those
that it was trained with.
"""

import threading
from collections.abc import Sequence

from deepcity.city.errors import LiveError, VersionError
from deepcity.learning.split.fused_package import FusedPackage, InputAgency
from deepcity.live.access import Access
from deepcity.live.intake import Intake
from deepcity.store.deep_data.batch import Space
from deepcity.store.deep_data.store import DeepDataStore


class ReceivedDeepData:
    """Takes deep data, and tells the node's parties that some have come. Threads may share it.

    Args of `ReceivedDeepData(...)`:
        access: who may send, and for which services.
        store: where they are kept.
        packages: the applications.
        replayed: recorded days are played as if live.
    """

    def __init__(
        self,
        access: Access,
        store: DeepDataStore,
        packages: Sequence[FusedPackage],
        *,
        replayed: bool = False,
    ) -> None:
        self.access, self.store = access, store
        self._intakes = [Intake(one, access, store, self._count, replayed) for one in packages]
        self._version, self._lock = 0, threading.Lock()

    @property
    def version(self) -> int:
        """Changes whenever deep data have come."""
        return self._version

    @property
    def spaces(self) -> frozenset[Space]:
        """All spaces that an application here was trained with."""
        packages = (intake.package for intake in self._intakes)
        return frozenset(one.space for package in packages for one in package.facts.agencies)

    def senders(self, package: FusedPackage) -> tuple[InputAgency, ...]:
        """The agencies of an application whose deep data are received, and not encoded here."""
        service = package.facts.service
        agencies = package.facts.agencies
        return tuple(one for one in agencies if self.access.grant_of(one.name, service) is not None)

    def intake_of(self, agency: str, space: Space) -> Intake:
        """The application that a space is for, or the only one that may say why it is not.

        Raises:
            VersionError: if the agency's deep data are known here in other versions.
            LiveError: if no application here was trained with the agency.
        """
        known = [(intake, one) for intake in self._intakes for one in intake.package.facts.agencies]
        exact = next((intake for intake, one in known if one.space == space), None)
        near = [(intake, one) for intake, one in known if one.name == agency]
        alone = exact or (self._intakes[0] if len(self._intakes) == 1 else None)
        if alone is not None:
            return alone
        if len(near) == 1 or (near and space.agency != agency):
            return near[0][0]
        if near:
            trained = ", ".join(f"{one.package.facts.service} with {of.space}" for one, of in near)
            reason = f"trained here: {trained}; versions are never mixed"
            right = "run the encoder of one of those versions, or train the application again"
            raise VersionError(str(space), reason, right)
        names = ", ".join(sorted({one.name for _, one in known})) or "no agency"
        reason = f"the applications of this node were trained with {names}"
        right = f"name the folder of a vertical run with {agency} by --run of `deepcity up`"
        raise LiveError(agency, reason, right)

    def _count(self) -> None:
        with self._lock:
            self._version += 1
