"""Writing the report: whole or not at all."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deepcity.audit.results import PartyAudit
from deepcity.runs.results import RunResults
from deepcity.vertical.results import VerticalResults
from deepcity.web.report.house.view import HouseView
from deepcity.web.report.page import render
from deepcity.web.report.vertical_page import render_vertical


def write_report(
    results: RunResults,
    path: Path,
    audits: Sequence[PartyAudit] = (),
    houses: Sequence[HouseView] = (),
) -> None:
    """Write one self-contained HTML file; a reader never meets a half-written one.

    The file needs nothing from outside and makes no request. Folders above `path` are made.

    Args:
        audits: of its parties.
        houses: what has left each party.

    Raises:
        OSError: if the folder cannot be written or the disk is full; an older report stays.
    """
    write_page(render(results, audits, houses), path)


def write_vertical_report(
    results: VerticalResults,
    path: Path,
    audits: Sequence[PartyAudit] = (),
    houses: Sequence[HouseView] = (),
) -> None:
    """Write the page of vertical training, as `write_report` does that of a run.

    Raises:
        OSError: if the folder cannot be written or the disk is full; an older page stays.
    """
    write_page(render_vertical(results, audits, houses), path)


def write_page(page: str, path: Path) -> None:
    """Write a page whole or not at all.

    Raises:
        OSError: if the folder cannot be written or the disk is full; an older page stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o644)  # mkstemp makes it private; a report is to be handed on
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
