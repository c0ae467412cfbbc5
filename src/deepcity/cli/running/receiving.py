"""Agencies' own processes as sources of a running city: the access file, and what is received."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from deepcity.cli.progress_bars import errors

if TYPE_CHECKING:
    from deepcity.data.city_file import CityFile
    from deepcity.learning.split.fused_package import FusedPackage
    from deepcity.live.access import Access
    from deepcity.live.forecasters import AnyForecaster
    from deepcity.live.node.clock import NodeClock
    from deepcity.live.node.received import ReceivedDeepData


def read_access(path: Path | None, keep_days: int | None) -> "Access | None":
    """The access file; None: no agency sends anything.

    Raises:
        ConfigError: with every problem of it.
    """
    if path is None:
        if keep_days is not None:
            raise typer.BadParameter("--keep-days is of agencies' deep data; add --access FILE")
        return None
    from deepcity.live.access import load_access

    return load_access(path)


@contextmanager
def receiving(
    access: "Access | None",
    events_url: str,
    city_file: "CityFile",
    forecasters: "Sequence[AnyForecaster]",
    keep_days: int | None,
    clock: "NodeClock",
    folder: Path,
) -> "Iterator[ReceivedDeepData | None]":
    """What takes agencies' deep data for a node; None without an access file.

    Args:
        events_url: where the node's events are kept.
        keep_days: how long deep data are; None: as the store has it, at first 90.
        clock: the node's.
        folder: the node's own; what was deleted is recorded in its ledger there.

    Raises:
        StoreError: if the store cannot be opened.
    """
    if access is None:
        yield None
        return
    from deepcity.live.deep_store import open_deep_store, start_upkeep
    from deepcity.live.node.clock import ClockMode
    from deepcity.live.node.received import ReceivedDeepData
    from deepcity.live.releases.deletions import recorded_deletions
    from deepcity.live.releases.policy_reads import policy_reads
    from deepcity.live.vertical_forecasts import VerticalForecaster
    from deepcity.store.open_store import deep_store_url

    packages = [one.package for one in forecasters if isinstance(one, VerticalForecaster)]
    url, stop = deep_store_url(events_url), threading.Event()
    city, policy = city_file.city.name, policy_reads(city_file, packages)
    with open_deep_store(url, access, city, packages, keep_days, policy) as store:
        replayed = clock.mode is ClockMode.REPLAY
        received = ReceivedDeepData(access, store, packages, replayed=replayed)
        _report(received, access, packages)
        failed = partial(errors.print, markup=False)
        record = recorded_deletions(folder, city)
        upkeep = start_upkeep(store, stop, _report_deleted, failed, clock.now, record)
        try:
            yield received
        finally:
            stop.set()
            upkeep.join(timeout=60)


def _report(
    received: "ReceivedDeepData", access: "Access", packages: "Sequence[FusedPackage]"
) -> None:
    """From whom deep data are taken, and which grants are for nothing that is forecast here."""
    for package in packages:
        names = ", ".join(one.name for one in received.senders(package))
        if names:
            facts = package.facts
            text = f"{facts.service} of {facts.agency} takes deep data from {names}"
            errors.print(text, markup=False)
    if access.reader:
        text = "Readers of the access file count for deepcity serve; here people and programs"
        errors.print(f"{text} ask with accounts (--accounts).", style="yellow")
    needed = {(one.name, p.facts.service) for p in packages for one in received.senders(p)}
    granted = [(entry.name, one.service) for entry in access.agency for one in entry.grant]
    for agency, service in granted:
        if (agency, service) not in needed:
            errors.print(
                f"{agency} grants {service}, but no vertical run here was trained with it for "
                "that: name its folder with --run, or remove the grant",
                style="yellow",
                markup=False,
            )


def _report_deleted(rows: int) -> None:
    errors.print(f"Deleted {rows:,} rows of deep data older than they are kept", markup=False)
