"""`deepcity ledger`: the record of what left a site."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help=(
        "The record of what left: shown, checked, proven and co-signed.\n\n"
        "Each site writes every layer that leaves it into its own ledger (sites/SITE/"
        "releases.jsonl): which layer, to whom, for which service, under which grant, with which "
        "measured leakage, which bytes, when. Its heads are signed, and others co-sign them, so "
        "that nobody can rewrite it unseen.\n\n"
        "Example: deepcity ledger verify runs/demo"
    ),
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Ledger = Annotated[
    Path,
    typer.Argument(
        help="Folder of a run, of a site or of its kit, or a releases.jsonl.", metavar="FOLDER"
    ),
]
Party = Annotated[
    str | None,
    typer.Option("--party", help="Whose ledger. Default: the only one.", metavar="CITY/AGENCY"),
]


@app.command()
def show(
    folder: Ledger,
    party: Annotated[
        str | None,
        typer.Option("--party", help="Only this party's. Default: all.", metavar="CITY/AGENCY"),
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="The newest so many entries of each.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what left; nothing is checked but the form of each line.

    Example: deepcity ledger show runs/demo --party ferrara/district-1
    """
    from deepcity.cli.ledger.listing import print_releases

    print_releases(folder, party, last, as_json=as_json)


@app.command()
def verify(
    path: Annotated[
        Path,
        typer.Argument(
            help="Folder of a run, site or kit, a releases.jsonl, a proof, a head or evidence.",
            metavar="FOLDER|FILE",
        ),
    ],
    heads: Annotated[
        list[Path] | None,
        typer.Option(
            "--head", help="A head of the ledger that you keep; may be repeated.", metavar="FILE"
        ),
    ] = None,
    identities: Annotated[
        Path | None,
        typer.Option(
            help="The sites' public keys, as the operator wrote them (identities.json).",
            metavar="FILE",
        ),
    ] = None,
    cosigned_by: Annotated[
        list[str] | None,
        typer.Option(
            "--cosigned-by",
            help="Of a proof or a head: that this city co-signed; may be repeated.",
            metavar="NAME",
        ),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            help="Folder for evidence of a rewritten history. Default: beside the ledger.",
            metavar="FOLDER",
        ),
    ] = None,
) -> None:
    """Check ledgers against their signed heads, or a proof by itself; exit 1 if anything is wrong.

    All problems are named at once: the first entries that do not fit a head, wrong signatures,
    missing co-signatures, a history that was rewritten or cut off, a torn end.

    Example: deepcity ledger verify runs/demo
    """
    from deepcity.cli.ledger.checking import verify_file, verify_folder
    from deepcity.runs.releases.files import is_sheet

    if is_sheet(path):
        holds = verify_file(path, cosigned_by or [], identities)
    else:
        holds = verify_folder(path, heads or [], identities, evidence)
    if not holds:
        raise typer.Exit(1)


@app.command()
def prove(
    folder: Ledger,
    entry: Annotated[int, typer.Argument(min=0, help="The entry's number, as `show` prints it.")],
    out: Annotated[Path, typer.Argument(help="File to write.", metavar="FILE")],
    party: Party = None,
) -> None:
    """Write a proof that the ledger holds an entry, which anyone checks without the ledger.

    Example: deepcity ledger prove runs/demo 12 release.json --party ferrara/district-1
    """
    from deepcity.cli.ledger.checking import print_line
    from deepcity.runs.releases.files import one_ledger, own_sheet
    from deepcity.store.release_ledger.proof import prove_release
    from deepcity.store.release_ledger.sheets import write_sheet

    path = one_ledger(folder, party)
    found = prove_release(path, entry, own_sheet(path))
    write_sheet(out, found)
    names = ", ".join(one.by for one in found.cosignatures) or "nobody yet"
    print_line(f"{out}: entry {entry} of {found.head.head.ledger}; head co-signed by {names}")


@app.command()
def head(
    folder: Ledger,
    out: Annotated[Path, typer.Argument(help="File to write.", metavar="FILE")],
    party: Party = None,
    since: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="Prove that it continues the head of so many entries; may be repeated. Default: "
            "the one that was co-signed last.",
        ),
    ] = None,
) -> None:
    """Write a ledger's newest signed head, for other cities to co-sign.

    Example: deepcity ledger head runs/demo head.json --party ferrara/district-1
    """
    from deepcity.cli.ledger.checking import print_line
    from deepcity.runs.releases.files import one_ledger, own_sheet
    from deepcity.store.release_ledger.proof import head_sheet
    from deepcity.store.release_ledger.sheets import write_sheet

    path = one_ledger(folder, party)
    known = own_sheet(path)
    sizes = since or ([] if known is None else [known.head.head.size])
    sheet = head_sheet(path, sizes)
    write_sheet(out, sheet)
    print_line(f"{out}: {sheet.head.head.size} entries of {sheet.head.head.ledger}")


@app.command()
def cosign(
    sheet: Annotated[Path, typer.Argument(help="Another city's head.", metavar="FILE")],
    site: Annotated[
        Path,
        typer.Option("--site", help="Your site's folder, or that of its kit.", metavar="FOLDER"),
    ],
    name: Annotated[str, typer.Option("--name", help="Your city's name.", metavar="NAME")],
) -> None:
    """Add your co-signature to another city's head, if it continues the last one you co-signed.

    Your site remembers it (cosigned.json). Where the head does not continue it, nothing is signed,
    and both heads are written as evidence beside FILE; exit 1.

    Example: deepcity ledger cosign head.json --site runs/ours/sites/seoul.metro --name seoul/metro
    """
    from deepcity.cli.ledger.checking import cosign_file

    if not cosign_file(sheet, site, name):
        raise typer.Exit(1)


@app.command()
def keep(
    sheet: Annotated[
        Path, typer.Argument(help="Your head, with co-signatures of others.", metavar="FILE")
    ],
    folder: Ledger,
    party: Party = None,
) -> None:
    """Keep your own head with the others' co-signatures, for proofs and checks.

    Example: deepcity ledger keep head.json runs/demo --party ferrara/district-1
    """
    from deepcity.cli.ledger.checking import print_line
    from deepcity.runs.releases.files import keep_sheet, one_ledger

    kept = keep_sheet(sheet, one_ledger(folder, party))
    print_line(f"{kept}: the head is kept with its co-signatures")
