"""`deepcity counts`: counts of persons, incidents or places leave with noise, instead of rows."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from deepcity.cli.language import LanguageOption, PrintedLanguage

_DAY = ["%Y-%m-%d"]


def counts(
    city: Annotated[
        Path, typer.Argument(help="City file that names its policy.", metavar="CITY.toml")
    ],
    table: Annotated[
        Path,
        typer.Argument(
            help="The rows to count: .csv, .csv.gz, .parquet, .xlsx, .json.", metavar="FILE"
        ),
    ],
    agency: Annotated[str, typer.Option(help="Whose rows, by its name in the city.")],
    by: Annotated[list[str], typer.Option(help="Column of the area; may be repeated.")],
    areas: Annotated[
        Path,
        typer.Option(
            help="List of all areas, with the same columns. It must be public: areas that are not "
            "in it are not counted, and those without a row are.",
            metavar="FILE",
        ),
    ],
    time: Annotated[
        list[str], typer.Option(help="Column of the time; a date and an hour: repeat it.")
    ],
    first: Annotated[datetime, typer.Option("--from", formats=_DAY, help="The first day.")],
    last: Annotated[datetime, typer.Option("--until", formats=_DAY, help="The last day.")],
    to: Annotated[list[str], typer.Option(help="City that receives them; may be repeated.")],
    service: Annotated[str, typer.Option(help="Service that they are for, as the grant has it.")],
    purpose: Annotated[str, typer.Option(help="Purpose, as the grant has it.")],
    epsilon: Annotated[
        float, typer.Option(help="What this release may tell of one unit: 1 little, 10 much.")
    ],
    out: Annotated[Path, typer.Option(help="CSV file to write.", metavar="FILE")],
    every: Annotated[str, typer.Option(help="Length of a time: 15min, 1h, 1d, 7d.")] = "1d",
    k: Annotated[int, typer.Option("--k", help="Counts under it are withheld.")] = 10,
    unit: Annotated[
        str | None,
        typer.Option(
            help="Column of who or what is counted, a person or household: once in an area and "
            "time, however many rows it has. Default: each row is one."
        ),
    ] = None,
    per_unit: Annotated[
        int, typer.Option(help="In how many areas and times one unit counts at most.")
    ] = 1,
    time_format: Annotated[
        str | None, typer.Option(help="Pattern of the times, e.g. '%d/%m/%Y %H:%M'.")
    ] = None,
    site: Annotated[
        Path | None,
        typer.Option(
            help="The agency's folder: its budget and its ledger. Default: sites/CITY.AGENCY "
            "beside the city file.",
            metavar="FOLDER",
        ),
    ] = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Count rows or persons by area and time, and release the counts with noise.

    A grant with item = "counts" must allow it. Geometric noise is added to every area and time of
    the public list, those under k are then left out, and epsilon is paid from the agency's budget,
    which adds up over all releases and does not come back: the same counts again cost again.
    Each release stands in the agency's ledger before the file is written.

    Needs: pip install 'deepcity\\[counts]'

    Example: deepcity counts town.toml offences.csv --agency police --by district --areas
    districts.csv --time occurred --from 2025-01-01 --until 2025-01-31 --every 1d --unit person
    --epsilon 1 --k 10 --to harbour --service safety --purpose "where to patrol" --out counts.csv
    """
    from deepcity.cli.counts.inputs import CountsOptions, counted, release_of, time_bins
    from deepcity.cli.counts.summary import noise_facts, print_release
    from deepcity.data.counting.counts_file import csv_of, metadata

    asked = CountsOptions(
        table=table,
        areas=areas,
        by=tuple(by),
        time=tuple(time),
        time_format=time_format,
        first=first.date(),
        last=last.date(),
        every=every,
        epsilon=epsilon,
        k=k,
        per_unit=per_unit,
        unit=unit,
    )
    release = release_of(city, agency, (tuple(to), service, purpose), asked, site)
    bins = time_bins(asked, release.time_zone)
    grants = release.counts.check()
    listed, found = counted(asked, bins)
    about = metadata(out.name, listed, noise_facts(release.counts, every))
    name = f"counts by {', '.join(by)}, every {every}"
    written = partial(csv_of, listed, bins)
    left = release.counts.release(found.count_K, out, name, written, about)
    print_release(out, left, found, release.counts, grants, language)
