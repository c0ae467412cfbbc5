"""Checks and stores deep data that a live application receives from agencies.

Checked before anything is stored: owner of the space, version, grant, both clocks, times of the
grid, known cells, numbers and widths. All problems are reported at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepcity.city.errors import DeepDataError, GrantError, LiveError, VersionError
from deepcity.city.problem import Problem
from deepcity.learning.split.fused_package import FusedPackage, InputAgency
from deepcity.live.access import Access
from deepcity.live.wire import cell_names
from deepcity.store.deep_data.batch import DeepData, Space, moment, rows_text
from deepcity.store.deep_data.checks import TOLERANCE_SECONDS, check_batch
from deepcity.store.deep_data.database import DAY
from deepcity.store.deep_data.store import DeepDataStore
from deepcity.store.deep_data.upsert import Appended


def _nothing() -> None:
    pass


class ClockError(LiveError):
    """An agency's clock and the application's do not agree."""


@dataclass(frozen=True)
class IntakeResult:
    """Outcome of a push.

    Attributes:
        appended: counts of the rows stored.
        expired: rows older than the store keeps; they were not stored.
        why: notice on those for the sender: value, reason and next step.
    """

    appended: Appended
    expired: int = 0
    why: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Intake:
    """Accepts deep data for one application.

    Attributes:
        package: with the agencies it was trained with.
        changed: called once the store holds other rows than before.
        replayed: the application's time is that of a replay.
    """

    package: FusedPackage
    access: Access
    store: DeepDataStore
    changed: Callable[[], None] = _nothing
    replayed: bool = False

    def check_space(self, agency: str, space: Space) -> InputAgency:
        """Check that an agency may send deep data to a space.

        Raises:
            GrantError: if the space is another agency's, or nothing is granted, by the access file
                or by the city's policy.
            VersionError: if the application was not trained with that version.
            LiveError: if it was not trained with that agency.
        """
        facts = self.package.facts
        if (space.city, space.agency) != (facts.city, agency):
            raise GrantError(
                f"{agency}'s token is for {facts.city}/*/{agency}, not for {space}. "
                f"Send {space.agency}'s deep data with {space.agency}'s own token"
            )
        agency_entry = next((one for one in facts.agencies if one.name == agency), None)
        if agency_entry is None and agency == facts.agency:
            reason = (
                f"it holds the labels of {facts.service}, and sends that application no deep data"
            )
            right = (
                f"run the application (`deepcity serve`, or `deepcity up` of a city) where "
                f"{agency}'s records are, and no `deepcity agent`"
            )
            raise LiveError(agency, reason, right)
        if agency_entry is None:
            names = ", ".join(one.name for one in facts.agencies) or "no agency"
            reason = f"{facts.service} was trained with {names}"
            raise LiveError(agency, reason, "train the application again with this agency")
        if space != agency_entry.space:
            reason = (
                f"{facts.service} was trained with {agency_entry.space}; versions are never mixed"
            )
            right = f"run the encoder {agency_entry.space.version}, or train the application again"
            raise VersionError(str(space), reason, right)
        grant = self.access.grant_of(agency, facts.service)
        if grant is None:
            raise GrantError(
                f"{agency} grants {facts.service} nothing. Add its grant to the access file"
            )
        grant.check(facts.service, int(space.layer.removeprefix("h")), agency_entry.width)
        self.store.check_read(facts.service, space)  # what may not be read is not kept
        return agency_entry

    def accept(
        self,
        agency: str,
        batch: DeepData,
        *,
        now: int,
        sent_at: int | None = None,
        revision: int = 0,
    ) -> IntakeResult:
        """Store an agency's deep data, all or nothing, except for expired rows.

        Args:
            agency: owner of the token that came with it.
            now: by the application's clock, seconds since 1970.
            sent_at: by the agency's clock, if given.
            revision: of the records that the rows were made from; higher after a correction.

        Raises:
            GrantError, VersionError, LiveError: as `check_space`.
            ClockError: if the two clocks differ too much.
            DeepDataError: with every problem of the rows.
            StoreError: if they cannot be stored.
        """
        agency_entry = self.check_space(agency, batch.space)
        if sent_at is not None and abs(sent_at - now) > TOLERANCE_SECONDS:
            ahead = "ahead of" if sent_at > now else "behind"
            reason = f"it is {abs(sent_at - now)} s {ahead} the application's, {moment(now)}"
            right = "set it by NTP, and check its time zone"
            if self.replayed:
                reason = f"the application replays recorded days, and is at {moment(now)}"
                right = "start `deepcity agent` with --replay: it goes by that time then"
            raise ClockError(f"{agency}'s clock, {moment(sent_at)}", reason, right)
        cells = cell_names(self.package.cells[agency]).tolist()
        problems = _problems(batch, agency_entry, now)
        try:
            check_batch(batch, now, cells)
        except DeepDataError as error:
            # problems found by both checks are reported once
            keys = {(problem.key, str(problem.value)) for problem in problems}
            problems += [one for one in error.problems if (one.key, str(one.value)) not in keys]
        if problems:
            raise DeepDataError(problems)
        expired, why = self._split_expired(batch, now)
        if expired and expired == len(batch):
            return IntakeResult(Appended(), expired, why)
        left = batch[slice(expired, None)]
        stored = self.store.append(left, now=now, cells=cells, revision=revision)
        if stored.new or stored.revised:
            self.changed()
        return IntakeResult(stored, expired, why)

    def _split_expired(self, batch: DeepData, now: int) -> tuple[int, tuple[Problem, ...]]:
        """Number of leading rows older than the retention period, with a notice to their sender.

        They are not stored: the next deletion of old rows would remove them.
        """
        before = self.store.retention_start(batch.space, now)
        past = 0 if before is None else int(np.searchsorted(batch.time_R, before))
        if before is None or not past:
            return 0, ()
        reason = (
            f"{past} of {len(batch)} rows, from {moment(int(batch.time_R[0]))} on, are older than "
            f"the {(now - before) // DAY} days that the application keeps, and were not stored"
        )
        right = (
            "nothing to do if they are not needed; else raise the application's --keep-days "
            "(keep_days of its grants bounds it) and send them again: `deepcity agent` with "
            "--since and a new --state"
        )
        notice = Problem(str(batch.space), "rows before", moment(before), reason, right)
        return past, (notice,)


def _problems(batch: DeepData, agency_entry: InputAgency, now: int) -> list[Problem]:
    """Times off the grid or in the future, vectors of another width or out of range."""
    place, grid, problems = str(batch.space), agency_entry.grid, []
    off_R = np.flatnonzero((batch.time_R - grid.phase_s) % grid.step_s)
    if off_R.size:
        value = int(batch.time_R[off_R[0]])
        reason = (
            f"{rows_text(off_R)}: not a time of the grid, every {grid.step_s} s; "
            f"{grid.off(value)} s after one"
        )
        right = "check the agency's clock, and the step and zone in its city file"
        problems.append(Problem(place, "time_R", moment(value), reason, right))
    ahead_R = np.flatnonzero(batch.time_R > now + min(TOLERANCE_SECONDS, grid.step_s // 2))
    if ahead_R.size:
        value = int(batch.time_R[ahead_R[0]])
        reason = f"{rows_text(ahead_R)}: in the future; it is {moment(now)}"
        right = "set the agency's clock, and check the time zone of its records"
        problems.append(Problem(place, "time_R", moment(value), reason, right))
    if batch.vectors_RW.ndim == 2 and batch.width != agency_entry.width:
        reason = f"the application was trained with a width of {agency_entry.width}"
        right = "run the encoder that the application was trained with"
        problems.append(Problem(place, "width", batch.width, reason, right))
    large_R = np.flatnonzero(np.abs(batch.vectors_RW).max(axis=-1, initial=0) > 1)
    if large_R.size:  # a bottleneck ends in a tanh: no encoder output
        reason = f"{rows_text(large_R)}: outside -1 to 1"
        right = "send the encoder's output unscaled"
        problems.append(Problem(place, "vector", None, reason, right))
    return problems
