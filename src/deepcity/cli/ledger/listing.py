"""What left, as a table or as JSON, entry by entry."""

import json
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deepcity.city.printable import printable
from deepcity.runs.releases.files import one_ledger
from deepcity.runs.releases.review import ledger_files, ledger_name
from deepcity.store.release_ledger.lines import entry_of, read_lines
from deepcity.store.release_ledger.release import (
    CaseAct,
    Deletion,
    DeletionRule,
    Entry,
    Leakage,
    Release,
    ReleaseForm,
)

NOT_MEASURED = "not measured"
_HEADS = ("", "when (UTC)", "layer", "to", "service", "training", "round")
_MORE = ("grant", "leakage R²", "bytes", "SHA-256")


def print_releases(folder: Path, party: str | None, last: int, *, as_json: bool) -> None:
    """Print the newest entries of one ledger, or of all.

    Raises:
        LedgerError: if there is none, or it cannot be read.
    """
    console = Console()
    for path in ledger_files(folder) if party is None else [one_ledger(folder, party)]:
        name, newest, count = printable(ledger_name(path)), *_newest(path, last)
        if as_json:
            for entry in newest:
                typer.echo(json.dumps(entry.model_dump(mode="json"), ensure_ascii=False))
            continue
        title = escape(f"{name}: {len(newest)} of {count} entries")
        table = Table(*_HEADS, *_MORE, title=title, title_justify="left", box=None)
        for entry in newest:
            if entry.release is not None:
                cells = _cells(entry, entry.release)
                table.add_row(*(escape(printable(cell)) for cell in cells))
        if table.rows:
            console.print(table)
        else:
            console.print(title)
        for entry in newest:
            if text := text_of(entry):
                console.print(escape(printable(text)))


def _newest(path: Path, last: int) -> tuple[list[Entry], int]:
    """The last entries that can be read, and how many there are."""
    lines: deque[bytes] = deque(maxlen=last)
    count = 0
    for line in read_lines(path):
        if line.whole and not line.is_head:
            count += 1
            lines.append(line.data)
    return [one for data in lines if isinstance(one := entry_of(data), Entry)], count


def text_of(entry: Entry) -> str:
    """A deletion, or an act in a case, in one line; empty for a release, which has a table."""
    begins = f"entry {entry.index} ({_when(entry.time_s)} UTC): "
    if entry.deletion is not None:
        return begins + _deletion(entry.deletion)
    return begins + _act(entry.case) if entry.case is not None else ""


def _deletion(one: Deletion) -> str:
    if one.rule is DeletionRule.CASE_CLOSED:
        return f"{one.holder} deleted {one.rows:,} rows of {one.data}, as the case was closed"
    return (
        f"{one.holder} deleted {one.rows:,} rows "
        f"of {one.data}, from {_when(one.first_s)} to {_when(one.last_s)}: all before "
        f"{_when(one.before_s)}, as they are kept for {one.days} days"
    )


def _act(one: CaseAct) -> str:
    city, why = f", {one.city}" if one.city else "", f", {one.why}" if one.why else ""
    count = f", {one.count:,}" if one.count else ""
    return f"case {one.case}: {one.act} by {one.who}{city}{count}{why}"


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _cells(entry: Entry, one: Release) -> list[str]:
    return [
        str(entry.index),
        _when(entry.time_s),
        one.layer if one.form in {"plain", "document"} else f"{one.layer} ({one.form})",
        one.receiver,
        one.service,
        one.training,
        "" if one.round < 0 else str(one.round),
        grant_text(one),
        leakage_text(one.leakage),
        f"{one.bytes:,}",
        one.sha256[:12],
    ]


def grant_text(release: Release) -> str:
    """The grants under which a layer left, in few words: the map's, those of the policy, and what
    differential privacy had spent then.
    """
    scope, deep = release.grant, release.form is ReleaseForm.DEEP_DATA
    found = [] if scope is None else [f"level {scope.level}, {scope.stem} stem"]
    if scope is not None and deep:
        found = [f"cut level {scope.level}"]
    spent = [] if release.epsilon is None else [f"epsilon {release.epsilon} spent"]
    if (counts := release.counts) is not None:
        each = f"each {counts.unit} in {counts.per_unit} at most"
        spent += [f"{counts.epsilon} by these counts ({each}), k {counts.k}, for {counts.purpose}"]
    return "; ".join([*found, *(release.policy_grants or ()), *spent])


def leakage_text(leakage: Leakage | None) -> str:
    """What an audit measured, in few words."""
    if leakage is None:
        return NOT_MEASURED
    parts = {"activations": leakage.activations_r2, "update": leakage.update_r2}
    return ", ".join(f"{what} {r2}" for what, r2 in parts.items() if r2 is not None)
