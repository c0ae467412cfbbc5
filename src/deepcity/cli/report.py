"""`deepcity report FOLDER`: write a finished run's report again."""

from pathlib import Path
from typing import Annotated

import typer

from deepcity.cli.screen import errors


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.", metavar="FOLDER")],
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write it; left out, FOLDER/report.html.", metavar="FILE"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results instead.")] = False,
) -> None:
    """Write the report of a finished run: one page that opens anywhere, offline.

    Example: deepcity report runs/demo
    """
    from deepcity.intercity.run import load_results
    from deepcity.serve.report import write_report

    results = load_results(folder)
    if as_json:
        typer.echo(results.model_dump_json(indent=1))
        return
    path = out or folder / "report.html"
    write_report(results, path)
    errors.print(f"Look at {path}")
