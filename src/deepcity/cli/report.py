"""`deepcity report FOLDER`: write a finished run's report again."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from deepcity.city.errors import CheckpointError
from deepcity.cli.screen import errors
from deepcity.intercity.meeting_results import MeetingResults
from deepcity.intercity.results import Results


def _file(said: str) -> Path:
    """A file that is there or can be made, as named on the command line."""
    path = Path(said)
    if not said.strip():
        raise typer.BadParameter("it is empty; name a file")
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; name a file")
    return path


def report(
    folder: Annotated[
        Path, typer.Argument(help="Folder of a finished run or meeting.", metavar="FOLDER")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to write it; left out, FOLDER/report.html.", metavar="FILE", parser=_file
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results instead.")] = False,
) -> None:
    """Write the report of a finished run or meeting: one page that opens anywhere, offline.

    Example: deepcity report runs/demo
    """
    from deepcity.intercity.meeting_run import has_meetings, load_meetings
    from deepcity.intercity.run import load_results

    path = out or folder / "report.html"
    if has_meetings(folder) and not (folder / "results.json").exists():
        met = load_meetings(folder)
        if as_json:
            typer.echo(met.model_dump_json(indent=1))
            return
        put_meetings(met, path)
    else:
        results = load_results(folder)
        if as_json:
            typer.echo(results.model_dump_json(indent=1))
            return
        put(results, path)
    errors.print(f"Look at {path}")


def put(results: Results, path: Path) -> None:
    """Write the report there.

    Raises:
        CheckpointError: if the disk is full or refuses; an older report stays.
    """
    from deepcity.serve.report import write_report

    _written(lambda: write_report(results, path), path)


def put_meetings(results: MeetingResults, path: Path) -> None:
    """Write the page of meetings there.

    Raises:
        CheckpointError: if the disk is full or refuses; an older page stays.
    """
    from deepcity.serve.report import write_meetings

    _written(lambda: write_meetings(results, path), path)


def _written(write: Callable[[], None], path: Path) -> None:
    try:
        write()
    except OSError as error:
        msg = (
            f"{path} cannot be written: {error.strerror or error}. Free some space, then run again"
        )
        raise CheckpointError(msg) from error
