"""A party's privacy budget, and the key of its noise, in its site's folder.

FOLDER/privacy.json   every use of its records so far, by all services and runs of the folder
FOLDER/noise.key      the secret from which noise of layers follows; whoever has it can take it away

Neither is removed when a run is started anew: what has left stays out. A use is on disk before what
it pays for leaves, so that a crash costs a round of the budget at most once: repeated, it has the
same noise and is the same answer, which costs nothing.
"""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from filelock import FileLock
from pydantic import ValidationError

from deepcity.city.errors import CheckpointError
from deepcity.privacy.accounting.accountant import NoisySums, epsilon_of
from deepcity.privacy.accounting.budget import (
    Charge,
    CountsCharge,
    Limit,
    Spending,
    charged,
    check_unit,
    check_within,
)
from deepcity.privacy.accounting.noise_stream import KEY_BYTES, NoiseKey
from deepcity.store.at_rest.encrypted import for_disk
from deepcity.store.at_rest.private_file import read_private
from deepcity.store.atomic import write_atomic, write_error_text
from deepcity.store.blob import BlobError
from deepcity.store.run_folder import write_file

SPENDING, NOISE_KEY = "privacy.json", "noise.key"
_LOCK = "privacy.lock"
_MOST_BYTES = 64_000_000
_BACK = "Put back a copy: without it nobody knows what is spent, so nothing more leaves"


@dataclass
class PrivacyBudget:
    """What of a party's records was spent, and may be.

    Attributes:
        folder: of its site; None: it is kept in memory, for trainings whose layers stay in one
            process.
    """

    party: str
    limit: Limit
    folder: Path | None = None
    _kept: Spending = field(default_factory=Spending)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def spending(self) -> Spending:
        """All uses so far.

        Raises:
            CheckpointError: if the file cannot be read, or is gone where its key is there.
        """
        if self.folder is None:
            return self._kept
        path = self.folder / SPENDING
        if not path.exists() and not path.is_symlink():
            if (self.folder / NOISE_KEY).exists():
                raise CheckpointError(f"{path} is gone, and {NOISE_KEY} is there. {_BACK}")
            return Spending()
        try:
            return Spending.model_validate_json(read_private(path, _MOST_BYTES))
        except (OSError, BlobError) as error:
            raise CheckpointError(f"{path} cannot be read: {error}. {_BACK}") from error
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise CheckpointError(f"{path} is no record of uses: {reason}. {_BACK}") from error

    def spent(self) -> float:
        """Epsilon of all uses so far."""
        return self.spending().epsilon(self.limit.delta)

    def charge(self, charge: Charge) -> None:
        """Pay for one use before it is made; the same one again costs nothing.

        Other processes that pay from the same folder wait meanwhile.

        Raises:
            GrantError: if that is over the limit; nothing may leave then.
            CheckpointError: if the file cannot be read or written.
        """
        with self._lock, self._alone():
            before = self.spending()
            found = charged(before, charge, self.limit, self.party)
            if found is not before:
                self._keep(found)

    def charge_counts(self, charge: CountsCharge, allow: Callable[[float], None]) -> float:
        """Pay for counts before they leave; returns what is spent with them.

        Args:
            allow: of what would be spent with them; it raises GrantError where that is too much.

        Raises:
            GrantError: of `allow`, or if the records were used under another unit.
            CheckpointError: if the file cannot be read or written.
        """
        with self._lock, self._alone():
            before = self.spending()
            check_unit(before, self.limit, self.party)
            found = before.plus(charge, self.limit.unit)
            spent = found.epsilon(self.limit.delta)
            allow(spent)
            self._keep(found)
            return spent

    def _alone(self) -> AbstractContextManager[object]:
        if self.folder is None:
            return nullcontext()
        path = self.folder / _LOCK
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return FileLock(path).acquire()
        except OSError as error:
            raise CheckpointError(write_error_text(path, error, 0)) from error

    def check_room(self, service: str, planned: list[NoisySums]) -> None:
        """Check beforehand that a service's plan fits beside what other services spent.

        Raises:
            GrantError: if it does not.
        """
        spending = self.spending()
        check_unit(spending, self.limit, self.party)
        others = [one.sums for one in spending.charges if one.service != service]
        total = epsilon_of([*others, *planned], self.limit.delta)
        check_within(total, spending.epsilon(self.limit.delta), self.limit, self.party)

    def key(self) -> NoiseKey:
        """The secret of its noise; a new one where there is none.

        Raises:
            CheckpointError: if it cannot be read or written.
        """
        if self.folder is None:
            return NoiseKey(secrets.token_bytes(KEY_BYTES))
        path = self.folder / NOISE_KEY
        if not path.exists() and not path.is_symlink():
            self._keep(self.spending())  # so that a file that is gone later is missed
            try:
                write_atomic(path, for_disk(secrets.token_bytes(KEY_BYTES)), private=True)
            except OSError as error:
                raise CheckpointError(write_error_text(path, error, KEY_BYTES)) from error
        try:
            found = read_private(path, 1000)
        except (OSError, BlobError) as error:
            raise CheckpointError(f"{path} cannot be read: {error}. Put back a copy") from error
        if len(found) != KEY_BYTES:
            raise CheckpointError(
                f"{path} holds {len(found)} bytes, not {KEY_BYTES}. Put back a copy"
            )
        return NoiseKey(found)

    def _keep(self, found: Spending) -> None:
        if self.folder is None:
            self._kept = found
            return
        data = found.model_dump_json(indent=1).encode()
        write_file(self.folder / SPENDING, data, private=True)
