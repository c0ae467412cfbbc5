"""`deepcity keys`: the key that signs here, and whose signatures are believed."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcity.cli.packages.token import token

if TYPE_CHECKING:
    from deepcity.store.signatures.trust_list import TrustList

app = typer.Typer(
    help=(
        "The key that signs here, and whose signatures are believed.\n\n"
        "Layer packages, encoders, applications, forecasters and checkpoints are signed when they "
        "are written (Ed25519) and refused when they are read, unless the key is this "
        "installation's or one that it trusts. Keys lie in $DEEPCITY_KEYS, or in the user's data "
        "folder: identity.pem, which never leaves, and trust.json.\n\n"
        "Example: deepcity keys show"
    ),
    no_args_is_help=True,
)
app.command()(token)
Reason = Annotated[str, typer.Option(help="Why; it stands in the list and in messages.")]


@app.command()
def show(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, for scripts, instead of lines.")
    ] = False,
) -> None:
    """Print the own public key, to give to others, and every key that is trusted or revoked.

    Example: deepcity keys show
    """
    from deepcity.store.at_rest.storage_key import storage_keys
    from deepcity.store.signatures.keyring import own_keyring

    keyring = own_keyring()
    own, known = keyring.own_key(), keyring.trust_list()
    if as_json:
        listed = known.model_dump(mode="json")
        typer.echo(json.dumps({"folder": str(keyring.folder), "own": own, **listed}))
        return
    _print(f"folder      {keyring.folder}")
    _print(f"own key     {own or 'none yet: it is made when something is signed first'}")
    storage = ", ".join(one.identity.hex() for one in storage_keys())
    _print(f"storage     {storage or 'no key: private files are not encrypted'}")
    _print_list(known)


@app.command()
def trust(
    name: Annotated[str, typer.Argument(help="Whose key it is: a city, an agency, a machine.")],
    key: Annotated[str, typer.Argument(help="Its public key: 64 digits of 0-9 and a-f.")],
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            help="What it may sign: layers, encoder, fused, checkpoint; of searches for people "
            "case, approval, warrant; may be repeated. Default: all.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day (UTC) on which it is believed."),
    ] = None,
) -> None:
    """Believe what a key signs. Take the key from its owner by another way than the files.

    A name may have several keys: trust the new one, and revoke the old one when it is out of use.

    Example: deepcity keys trust ferrara 3f…(64 digits) --kind layers --until 2027-12-31
    """
    from deepcity.city.errors import KeyringError
    from deepcity.store.signatures.changes import trust_key
    from deepcity.store.signatures.keyring import own_keyring
    from deepcity.store.signatures.trust_list import checked_entry

    entry = checked_entry(name, key, kinds or [], until.date() if until else None)
    if entry.is_over():
        today = datetime.now(UTC).date()
        raise KeyringError(f"--until {entry.until} has passed (today is {today}); take a later day")
    trust_key(own_keyring(), entry)
    what = ", ".join(entry.kinds) or "all that it signs"
    _print(f"{name}: {what} is believed" + (f" until {entry.until}" if entry.until else ""))


@app.command()
def revoke(
    name_or_key: Annotated[str, typer.Argument(help="A key, or a name: all its keys.")],
    reason: Reason = "",
) -> None:
    """Believe a key no more, also if it is the own one; what it signed is refused from now on.

    Example: deepcity keys revoke ferrara --reason "their machine was stolen"
    """
    from deepcity.store.signatures.changes import revoke_key
    from deepcity.store.signatures.keyring import own_keyring

    keyring = own_keyring()
    keys = revoke_key(keyring, name_or_key, reason)
    for key in keys:
        _print(f"revoked {key}")
    known = keyring.trust_list()
    for key in keys:
        for later in known.successors(key):
            if known.entries(later) and known.revocation(later) is None:
                _print(
                    f"Its successor {later} is still believed, for it was named before. If the key "
                    f"was in other hands by then: deepcity keys revoke {later}"
                )
    if keyring.own_key() in keys:
        _print("This is the own key: run `deepcity keys rotate` to sign with a new one.")


@app.command()
def rotate(
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="Days on which others may take the statement.")
    ] = 90,
    stolen: Annotated[
        bool,
        typer.Option(
            "--stolen",
            help="Sign no successor: somebody else may hold the former key, and sign one too.",
        ),
    ] = False,
) -> None:
    """Sign with a new key from now on; what the former one signed is still believed here.

    The former key signs the new one as its successor, into a file to hand out: who trusts the
    former takes it by `deepcity keys accept FILE`, and believes the new one for the same things.
    If the former key may be stolen, take --stolen, tell the new key to each by another way, and
    have them revoke the former.

    Example: deepcity keys rotate
    """
    from deepcity.store.signatures.changes import rotate_key
    from deepcity.store.signatures.keyring import own_keyring

    key, statement = rotate_key(own_keyring(), days, handing_on=not stolen)
    _print(f"own key     {key}")
    if statement is not None:
        _print(f"successor   {statement}")
        _print(
            f"Hand this file to those who trust the former key; within {days} days they take it: "
            f"deepcity keys accept FILE"
        )
    else:
        _print("Give it to those who trust the former one: deepcity keys trust NAME KEY")


@app.command()
def accept(
    file: Annotated[
        Path, typer.Argument(help="A statement that `deepcity keys rotate` wrote for its owner.")
    ],
) -> None:
    """Believe the successor of a key that is trusted, by a statement that both keys signed.

    The new key counts for what the old one does, to the same last day, under the same name. It
    needs no other way than the file's: who cannot sign with the old key can make none. Refused are
    statements that were edited, are past their last day, were taken before, name a second successor
    of one key, are of a key that is not trusted or was revoked here, or are the ninth in a row.

    Example: deepcity keys accept successor-3f9c2a81d04e77b6.json
    """
    from deepcity.store.signatures.keyring import own_keyring
    from deepcity.store.signatures.successors import accept_successor

    for one in accept_successor(own_keyring(), file):
        what = ", ".join(one.kinds) or "all that it signs"
        _print(f"{one.name}: {what} is believed" + (f" until {one.until}" if one.until else ""))
        _print(f"new key     {one.key}")


@app.command()
def sign(
    files: Annotated[
        list[Path], typer.Argument(help="Files: .layers, .encoder, .fused, .checkpoint.")
    ],
) -> None:
    """Put the own signature into files that another signed, or nobody; their content stays.

    Only for files of which you know where they come from: from then on they are believed.

    Example: deepcity keys sign runs/demo/coordinator/layers/*.layers
    """
    from deepcity.store.signatures.keyring import own_keyring
    from deepcity.store.signatures.signed_files import sign_file

    for path in files:
        _print(f"{path}: signed as {sign_file(path, own_keyring())}")


@app.command()
def encrypt(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, a site, a kit or packages.")],
    decrypt: Annotated[bool, typer.Option("--decrypt", help="Take the encryption off.")] = False,
) -> None:
    """Encrypt all private files of a folder by the first key that DEEPCITY_STORAGE_KEY names.

    Private are checkpoints, forecasters, encoders, applications, sites' results with their
    measured values, and the DuckDB files of a running city that is stopped. While the variable
    names a key, they are written encrypted anyway; this does it for those that are there, also
    after a change of the key.

    DEEPCITY_STORAGE_KEY=file:PATH, env:NAME, or command:COMMAND (which prints the key, as a client
    of a key management service does); several, separated by commas: the first encrypts, all
    decrypt. A key is what `openssl rand -base64 32` prints.

    Example: DEEPCITY_STORAGE_KEY=file:/etc/deepcity/storage.key deepcity keys encrypt runs/demo
    """
    from deepcity.city.errors import StorageKeyError
    from deepcity.store.at_rest.private_folder import decrypt_folder, encrypt_folder
    from deepcity.store.duckdb.rewrite import rewrite_databases

    if not folder.is_dir():
        raise StorageKeyError(f"{folder} is no folder. Name the folder of a run or a site")
    done, count = (decrypt_folder if decrypt else encrypt_folder)(folder)
    written, databases = rewrite_databases(folder, encrypt=not decrypt)
    what = "decrypted" if decrypt else "encrypted"
    _print(f"{folder}: {done} of {count} private files {what} now, the others were so already")
    if databases:
        _print(f"{folder}: {written} of {databases} databases {what} now")


def _print_list(known: "TrustList") -> None:
    for one in known.trusted:
        if known.revocation(one.key) is None:
            state = "past its last day" if one.is_over() else "trusted"
            end = f" until {one.until}" if one.until else ""
            _print(f"{state:<11} {one.key}  {one.name}: {', '.join(one.kinds) or 'all'}{end}")
    for step in known.accepted:
        key, begins = step.statement.new, step.statement.valid_from
        for one in known.entries(key):
            if known.revocation(key) is None:
                former = step.statement.old[:16]
                _print(f"{'successor':<11} {key}  {one.name}: of {former}…, from {begins}")
    for gone in known.revoked:
        names = ", ".join(one.name for one in known.entries(gone.key))
        whose, why = f" {names}," if names else "", f": {gone.reason}" if gone.reason else ""
        _print(f"revoked     {gone.key} {whose} on {gone.on}{why}")


def _print(text: str) -> None:
    from deepcity.city.printable import printable

    typer.echo(printable(text))
