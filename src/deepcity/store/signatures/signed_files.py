"""Signing a file that somebody else signed, or nobody: by whoever knows where it comes from."""

from pathlib import Path

from deepcity.city.errors import KeyringError
from deepcity.store.at_rest.private_file import read_private, write_private
from deepcity.store.atomic import write_error_text
from deepcity.store.blob import MOST_BYTES, BlobError, pack, unseal
from deepcity.store.signatures.keyring import Keyring
from deepcity.store.signatures.trust_list import SignedKind


def sign_file(path: Path, keyring: Keyring) -> SignedKind:
    """Put the own signature into a sealed file, in place of another; its content stays.

    Raises:
        KeyringError: if it is no sealed file of a kind that is signed, or cannot be written.
    """
    try:
        kind = SignedKind(path.suffix.removeprefix("."))
    except ValueError:
        kinds = ", ".join(f".{kind}" for kind in SignedKind)
        raise KeyringError(f"{path} is none of the files that are signed: {kinds}") from None
    try:
        arrays, header = unseal(read_private(path, MOST_BYTES))
        data = pack(arrays, keyring.signed(kind, arrays, header))
    except BlobError as error:
        raise KeyringError(f"{path} is not signed: {error}. Get it again") from error
    except OSError as error:
        raise KeyringError(f"{path} cannot be read ({error.strerror or error})") from error
    try:
        write_private(path, data)
    except OSError as error:
        raise KeyringError(write_error_text(path, error, len(data))) from error
    return kind
