"""Which deep data a live application takes from an agency, and why not.

Checked before anything is stored: whose space it is, which version, what is granted, both
clocks, the agreed times, known cells, numbers and widths. All problems are told at once.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.errors import DeepDataError, GrantError, LiveError, VersionError
from deepcity.city.problem import Problem
from deepcity.exchange.access import Access
from deepcity.exchange.deep_wire import cell_names
from deepcity.learning.fused_package import FusedPackage, HeardAgency
from deepcity.store.arrivals import Appended
from deepcity.store.deep_data import DeepData, Space, moment, rows_told
from deepcity.store.deep_data_check import TOLERANCE_SECONDS, check_batch
from deepcity.store.deep_data_store import DeepDataStore
from deepcity.store.deep_tables import DAY


class ClockError(LiveError):
    """An agency's clock and the application's do not agree."""


@dataclass(frozen=True)
class Taken:
    """What became of a push.

    Attributes:
        appended: of the rows that are stored.
        expired: rows older than the store keeps; they were not stored.
        why: what the sender of those should know: value, reason and next step.
    """

    appended: Appended
    expired: int = 0
    why: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """Takes deep data for one application.

    Attributes:
        package: whom it was trained with.
        access: who may send, and what is granted.
        store: where deep data go.
    """

    package: FusedPackage
    access: Access
    store: DeepDataStore

    def check_space(self, agency: str, space: Space) -> HeardAgency:
        """Let an agency speak in a space, or refuse.

        Raises:
            GrantError: if it is another agency's, or nothing is granted.
            VersionError: if the application was not trained with that version.
            LiveError: if it was not trained with that agency.
        """
        facts = self.package.facts
        if (space.city, space.agency) != (facts.city, agency):
            msg = (
                f"{space} is not {agency}'s to speak in: its token is for {facts.city}/*/{agency}. "
                f"Send {space.agency}'s deep data with {space.agency}'s own token"
            )
            raise GrantError(msg)
        heard = next((one for one in facts.agencies if one.name == agency), None)
        if heard is None and agency == facts.agency:
            reason = f"it holds the rows and labels of {facts.service}: its deep data are not heard"
            right = f"run `deepcity serve` where {agency}'s records are; it is the application"
            raise LiveError(agency, reason, right)
        if heard is None:
            names = ", ".join(one.name for one in facts.agencies) or "nobody"
            reason = f"{facts.service} was trained with {names}"
            raise LiveError(agency, reason, "train the application again with it")
        if space != heard.space:
            reason = f"{facts.service} was trained with {heard.space}; the two are never mixed"
            right = f"run the encoder {heard.space.version}, or train the application again"
            raise VersionError(str(space), reason, right)
        grant = self.access.grant_of(agency)
        if grant is None:
            msg = f"{agency} grants {facts.service} nothing. Add its grant to the access file"
            raise GrantError(msg)
        grant.check(facts.service, int(space.layer.removeprefix("h")), heard.width)
        return heard

    def take(
        self,
        agency: str,
        batch: DeepData,
        *,
        now: int,
        sent_at: int | None = None,
        revision: int = 0,
    ) -> Taken:
        """Store what an agency said, all of it or nothing, but for rows whose time is over.

        Args:
            agency: whose token came with it.
            now: by the application's clock, seconds since 1970.
            sent_at: by the agency's clock, if it says so.
            revision: of the records that the rows were made from; higher after a correction.

        Raises:
            GrantError, VersionError, LiveError: as `check_space`.
            ClockError: if the two clocks do not agree.
            DeepDataError: with everything that is wrong with the rows.
            StoreError: if they cannot be stored.
        """
        heard = self.check_space(agency, batch.space)
        if sent_at is not None and abs(sent_at - now) > TOLERANCE_SECONDS:
            ahead = "ahead of" if sent_at > now else "behind"
            reason = f"it is {abs(sent_at - now)} s {ahead} the application's, {moment(now)}"
            right = "set it by the network's time (NTP), and see its time zone"
            raise ClockError(f"{agency}'s clock, {moment(sent_at)}", reason, right)
        cells = cell_names(self.package.cells[agency]).tolist()
        problems = _problems(batch, heard, now)
        try:
            check_batch(batch, now, cells)
        except DeepDataError as error:
            # what both found is told once, by the stricter
            keys = {(problem.key, str(problem.value)) for problem in problems}
            problems += [one for one in error.problems if (one.key, str(one.value)) not in keys]
        if problems:
            raise DeepDataError(problems)
        expired, why = self._past(batch, now)
        if expired and expired == len(batch):
            return Taken(Appended(), expired, why)
        left = batch[slice(expired, None)]
        stored = self.store.append(left, now=now, cells=cells, revision=revision)
        return Taken(stored, expired, why)

    def _past(self, batch: DeepData, now: int) -> tuple[int, tuple[Problem, ...]]:
        """How many of the first rows the next tending would delete, told to their sender.

        They are not stored: to answer that they were would be true for an hour.
        """
        before = self.store.kept_from(batch.space, now)
        past = 0 if before is None else int(np.searchsorted(batch.time_R, before))
        if before is None or not past:
            return 0, ()
        reason = (
            f"{past} of {len(batch)} rows, from {moment(int(batch.time_R[0]))} on, are older than "
            f"the {(now - before) // DAY} days that the application keeps deep data: not stored"
        )
        right = (
            "nothing is to be done if they are not needed; else let `deepcity serve` keep more "
            "(--keep-days) and send them again: `deepcity agency` with --since and a new --state"
        )
        told = Problem(str(batch.space), "rows before", moment(before), reason, right)
        return past, (told,)


def _problems(batch: DeepData, heard: HeardAgency, now: int) -> list[Problem]:
    """Times that were not agreed on or lie ahead, vectors of another width or out of range."""
    place, grid, problems = str(batch.space), heard.grid, []
    off_R = np.flatnonzero((batch.time_R - grid.phase_s) % grid.step_s)
    if off_R.size:
        value = int(batch.time_R[off_R[0]])
        reason = (
            f"{rows_told(off_R)}: not one of the agreed times, every {grid.step_s} s; "
            f"{grid.off(value)} s after one"
        )
        right = "see the agency's clock, and the step and zone in its city file"
        problems.append(Problem(place, "time_R", moment(value), reason, right))
    ahead_R = np.flatnonzero(batch.time_R > now + min(TOLERANCE_SECONDS, grid.step_s // 2))
    if ahead_R.size:
        value = int(batch.time_R[ahead_R[0]])
        reason = f"{rows_told(ahead_R)}: in the future; it is {moment(now)}"
        right = "set the agency's clock, and see the time zone of its records"
        problems.append(Problem(place, "time_R", moment(value), reason, right))
    if batch.vectors_RW.ndim == 2 and batch.width != heard.width:
        reason = f"trained was a width of {heard.width}"
        right = "run the encoder that the application was trained with"
        problems.append(Problem(place, "width", batch.width, reason, right))
    large_R = np.flatnonzero(np.abs(batch.vectors_RW).max(axis=-1, initial=0) > 1)
    if large_R.size:  # a bottleneck ends in a tanh: no encoder gave these
        reason = f"{rows_told(large_R)}: outside -1 to 1"
        right = "send what the encoder gives, unscaled"
        problems.append(Problem(place, "vector", None, reason, right))
    return problems
