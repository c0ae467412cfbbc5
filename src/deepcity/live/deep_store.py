"""The store that agencies' deep data are received into: opened for applications, and kept small."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from deepcity.city.errors import LedgerError, StoreError
from deepcity.learning.split.fused_package import FusedPackage
from deepcity.live.access import Access
from deepcity.live.releases.policy_reads import PolicyReads
from deepcity.store.deep_data.batch import Space
from deepcity.store.deep_data.store import DeepDataStore, RecordExpired
from deepcity.store.open_store import open_store

UPKEEP_S = 3600.0
"""Seconds between two deletions of what is too old."""


@contextmanager
def open_deep_store(
    url: str,
    access: Access,
    city: str,
    packages: Sequence[FusedPackage],
    keep_days: int | None = None,
    policy: PolicyReads | None = None,
) -> Iterator[DeepDataStore]:
    """A store with a space for each agency that the applications were trained with.

    Args:
        url: as `open_store` takes it.
        access: grants, checked before every read.
        keep_days: how long deep data are kept; None: as the store has it, at first 90. A grant's
            `keep_days` bounds it, from the next start on after it was written; where a grant
            allows more again, name the days.
        policy: of the city, asked before every read too; None: it names none.

    Raises:
        DeepDataError: if a space has another width already.
        ConfigError: if the policy cannot be read.
        StoreError: if it cannot be opened.
    """
    agencies = [agency for package in packages for agency in package.facts.agencies]
    widths = {agency.space: agency.width for agency in agencies}
    granted = access.may_read(city, widths)

    def allowed(reader: str, space: Space) -> bool:
        if granted(reader, space) is not True:
            return False
        if policy is not None:
            policy.check(reader, space)
        return True

    with open_store(url, allowed) as store:
        for space, width in widths.items():
            store.register(space, width)
            _bound_retention(store, space, keep_days, policy)
        yield store


def _bound_retention(
    store: DeepDataStore, space: Space, keep_days: int | None, policy: PolicyReads | None
) -> None:
    """What was asked for, and no longer than a grant of these deep data allows."""
    granted = None if policy is None else policy.keep_days(space)
    kept = keep_days
    if kept is None:
        kept = next((info.days for info in store.spaces() if info.space == space), None)
    if granted is not None and (kept is None or granted < kept):
        kept = granted
    if keep_days is not None or granted is not None:
        store.retain(space, kept)


def delete_expired(
    store: DeepDataStore,
    deleted: Callable[[int], None],
    failed: Callable[[str], None],
    clock: Callable[[], float] = time.time,
    record: RecordExpired | None = None,
) -> None:
    """Delete deep data that are older than they are kept.

    Args:
        deleted: called with how many rows, if any.
        failed: called with the reason if the store, or the record, cannot be written to; nothing
            is deleted then.
        clock: gives UTC seconds, from which their age is counted.
        record: keeps what is deleted (`recorded_deletions`).
    """
    try:
        gone = store.tend(int(clock()), record)
    except (StoreError, LedgerError) as error:
        failed(str(error))
    else:
        if gone:
            deleted(gone)


def start_upkeep(
    store: DeepDataStore,
    stop: threading.Event,
    deleted: Callable[[int], None],
    failed: Callable[[str], None],
    clock: Callable[[], float] = time.time,
    record: RecordExpired | None = None,
) -> threading.Thread:
    """Delete what is too old now and every hour, in a thread of its own, until it is stopped.

    Args:
        deleted, failed, clock, record: as of `delete_expired`.
    """

    def go_on() -> None:
        while not stop.is_set():
            delete_expired(store, deleted, failed, clock, record)
            stop.wait(UPKEEP_S)

    thread = threading.Thread(target=go_on, name="deep-data-upkeep", daemon=True)
    thread.start()
    return thread
