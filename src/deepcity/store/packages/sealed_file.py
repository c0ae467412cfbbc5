"""A sealed and signed file of trained parts: written whole, verified whole when read, no pickle.

`blob.seal` for files, with the errors that users of files need. The header names the format,
so that one kind of file is never taken for another, and holds the range of each array and the
signature of this installation (`deepcity.store.signatures.keyring`).
"""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from deepcity.city.errors import DeepCityError, LayerPackageError
from deepcity.city.given_path import PathKind, no_file, path_kind
from deepcity.store.at_rest.private_file import read_private, write_private
from deepcity.store.atomic import write_error_text
from deepcity.store.blob import (
    MOST_BYTES,
    SEAL,
    SIGNATURE,
    Arrays,
    BlobError,
    Header,
    check_seal,
    content_hash,
)
from deepcity.store.blob import pack as packed
from deepcity.store.blob import unpack as unpacked
from deepcity.store.packages.ranges import RANGES, range_problems, ranges_of
from deepcity.store.signatures.keyring import Keyring, SignatureError, own_keyring
from deepcity.store.signatures.trust_list import SignedKind

FORMAT = "format"

Groups = dict[str, dict[str, NDArray[Any]]]
Package = TypeVar("Package")
_MADE_BY = {
    ".encoder": "deepcity train-vertical",
    ".fused": "deepcity train-vertical",
    ".layers": "deepcity run",
}
_MISFITS = (LookupError, TypeError, ValueError, RuntimeError, AttributeError)


def hash_of(arrays: Arrays, header: Header) -> str:
    """SHA-256 of the content, 64 hex digits.

    Raises:
        LayerPackageError: if it cannot become a file.
    """
    problems = _not_finite(arrays) or range_problems(arrays, ranges_of(arrays))
    try:
        digest = content_hash(arrays, _with_ranges(arrays, header))
    except BlobError as error:
        problems.append(str(error))
    if problems:
        raise LayerPackageError(
            f"this cannot become a sealed file: {'; '.join(problems)}. Train it again"
        )
    return digest


def version_of(arrays: Arrays, header: Header) -> str:
    """The first 16 hex digits of `hash_of`."""
    return hash_of(arrays, header)[:16]


def write_sealed(path: Path, arrays: Arrays, header: Header) -> Path:
    """Write arrays and header as one signed file, or nothing.

    Raises:
        LayerPackageError: if the content cannot become a file, or the disk refuses.
        KeyringError: if this installation has no key that it can use.
    """
    whole, digest = _with_ranges(arrays, header), hash_of(arrays, header)
    signature = own_keyring().sign(_kind(header.get(FORMAT)), digest)
    blob = packed(arrays, {**whole, SEAL: digest, SIGNATURE: signature})
    try:
        write_private(path, blob)
    except OSError as error:
        raise LayerPackageError(write_error_text(path, error, len(blob))) from error
    return path


def read_sealed(path: Path, form: str) -> tuple[Groups, Header]:
    """The verified content of a file that `write_sealed` wrote, without seal, signature and ranges.

    Args:
        form: the format it must have.

    Raises:
        LayerPackageError: with the reason why it is refused.
        KeyringError: if it cannot be read whose signatures are believed.
    """
    arrays, header = open_sealed(path, form)
    if problems := _not_finite(arrays) or range_problems(arrays, header.get(RANGES)):
        raise refusal(path, problems)
    for key in (SEAL, SIGNATURE, RANGES):
        header.pop(key, None)
    return arrays, header


def load_parts(path: Path, form: str, build: Callable[[Groups, Header, str], Package]) -> Package:
    """What `build` makes of a sealed file's arrays, header and version, if all of it fits.

    Args:
        form: the format it must have.

    Raises:
        LayerPackageError: with the reason why it is refused.
    """
    arrays, header = read_sealed(path, form)
    version = version_of(arrays, header)
    try:
        package = build(arrays, header, version)
    except (*_MISFITS, DeepCityError) as error:
        reason = f"its parts do not fit each other: {str(error).splitlines()[0]}"
        raise refusal(path, [reason]) from error
    if version not in path.name:
        raise refusal(path, [f"it was renamed or swapped: its content is version {version}"])
    return package


def open_sealed(path: Path, form: object, keyring: Keyring | None = None) -> tuple[Groups, Header]:
    """Arrays and sealed header of a file whose format, seal and signature were verified.

    Args:
        keyring: whose signatures are believed; None: this installation's.

    Raises:
        LayerPackageError: with the reason why it is refused.
        KeyringError: if it cannot be read whose signatures are believed.
    """
    try:
        arrays, header = unpacked(read_private(path, MOST_BYTES))
        found = header.get(FORMAT) if isinstance(header, dict) else None
        if found != form:  # before the seal: other formats may have other seals
            raise BlobError(
                f"its format is {found!r} and this version of deepcity reads {form!r}: "
                f"write it with this version"
            )
        check_seal(arrays, header)
        (keyring or own_keyring()).check(_kind(form), arrays, header)
    except SignatureError as error:
        raise LayerPackageError(
            f"{path} is refused, and nothing of it was used: {error}"
        ) from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise refusal(path, [str(error.strerror)]) from error
        raise LayerPackageError("{}: {}; {}".format(path, *_no_package(path, form))) from error
    except BlobError as error:
        if path_kind(path) in {PathKind.CITY, PathKind.MAP}:
            raise LayerPackageError("{}: {}; {}".format(path, *_no_package(path, form))) from error
        raise refusal(path, [str(error)]) from error
    return arrays, header


def _kind(form: object) -> SignedKind:
    """What a file of a format is: those of encoders and applications name it."""
    named = (kind for kind in (SignedKind.ENCODER, SignedKind.FUSED) if kind in str(form))
    return next(named, SignedKind.LAYERS)


def _with_ranges(arrays: Arrays, header: Header) -> Header:
    return {**header, RANGES: ranges_of(arrays)}


def _no_package(path: Path, form: object) -> tuple[str, str]:
    """Why there is no package of a format at a path, and the next step."""
    ending = next((one for one in _MADE_BY if one[1:] in str(form)), ".layers")
    return no_file(path, f"a {ending} file", f"{_MADE_BY[ending]} writes it when it ends", ending)


def refusal(path: Path, problems: list[str]) -> LayerPackageError:
    """The error for a file that is refused."""
    return LayerPackageError(
        f"{path} is refused: {'; '.join(problems)}. Nothing of it was used; get it again"
    )


def _not_finite(arrays: Arrays) -> list[str]:
    return [
        f"{group}/{name} holds numbers that are not finite"
        for group, members in arrays.items()
        for name, array in members.items()
        if array.dtype.kind == "f" and not np.isfinite(array).all()
    ]
