"""Arrays and one JSON header as bytes, in the safetensors format; never pickle.

The layout is canonical: equal content gives equal bytes, and reading refuses whatever it
would not have written itself. A changed byte therefore changes either the content, which
a seal (SHA-256) detects, or the layout, which reading detects.

    8 bytes      length of the JSON that follows, little-endian
    JSON         {"__metadata__": {"deepcity": HEADER}, "layer/tensor": {dtype, offsets, shape}}
    spaces       up to a multiple of 8
    tensors      widest dtype first, then by name; little-endian, C order

HEADER is itself JSON: sorted keys, no spaces, UTF-8; floats are exact, and the literals
NaN, Infinity and -Infinity stand for values outside JSON.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

Arrays = Mapping[str, Mapping[str, NDArray[Any]]]
"""Group name (a layer) -> array name -> array."""

Header = dict[str, Any]
"""JSON values by name."""

SEAL = "sha256"
SIGNATURE = "signature"
"""Of the content's hash, and so no part of the content."""
MOST_BYTES = 1_000_000_000
"""Of a file that is read: networks and checkpoints of this project have some megabytes."""
_GROUPS = "groups"
_KEY = "deepcity"
_DTYPES = {
    "F64": "<f8",
    "I64": "<i8",
    "F32": "<f4",
    "U32": "<u4",
    "F16": "<f2",
    "U8": "|u1",
    "BOOL": "|b1",
}
_CODES = {np.dtype(name): code for code, name in _DTYPES.items()}
_FOREIGN = {b"\x80": "a pickle", b"PK": "a zip archive such as torch.save writes"}
_READ_ERRORS = (SafetensorError, LookupError, TypeError, ValueError, RecursionError)


class BlobError(ValueError):
    """Bytes that are no valid blob, or content that cannot be packed into one."""


def canonical_json(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, not escaped.

    >>> canonical_json({"b": 1.5, "a": "물"})
    '{"a":"물","b":1.5}'

    Raises:
        BlobError: if JSON cannot represent it.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BlobError(f"cannot be written as JSON: {error}") from error
    return text


def pack(arrays: Arrays, header: Header) -> bytes:
    """Arrays and header -> canonical bytes.

    Raises:
        BlobError: for a dtype other than float64, float32, float16, int64, uint32, uint8 and bool,
            a group name that is empty or holds "/", or a header that JSON cannot represent.
    """
    flat = _flatten(arrays)
    head, order, _ = _head(flat, sorted(arrays), header)
    return b"".join([head, *(flat[name].reshape(-1).view(np.uint8).data for name in order)])


def unpack(blob: bytes) -> tuple[dict[str, dict[str, NDArray[Any]]], Header]:
    """Canonical bytes -> writable arrays of their own, and the header.

    Raises:
        BlobError: naming the reason, if `pack` would not have written these bytes.
    """
    try:
        tensors = deserialize(blob)  # type: ignore[no-untyped-call]
        inner = json.loads(_metadata(blob))
        header, groups = inner["header"], inner[_GROUPS]
        arrays = _unflatten(tensors, groups)
        head, _, size = _head(_flatten(arrays), sorted(arrays), header)
    except _READ_ERRORS as error:
        raise BlobError(_unreadable(blob, error)) from error
    # with this head every array was read from where `pack` writes it
    if not blob.startswith(head) or len(blob) != len(head) + size:
        raise BlobError("its layout is not canonical: some bytes were changed")
    return arrays, header


def content_hash(arrays: Arrays, header: Header) -> str:
    """SHA-256 (64 hex digits) of the blob that holds this content without seal and signature."""
    bare = {key: value for key, value in header.items() if key not in (SEAL, SIGNATURE)}
    return hashlib.sha256(pack(arrays, bare)).hexdigest()


def seal(arrays: Arrays, header: Header) -> bytes:
    """Like `pack`, with the content's hash in the header under ``"sha256"``."""
    return pack(arrays, {**header, SEAL: content_hash(arrays, header)})


def unseal(blob: bytes) -> tuple[dict[str, dict[str, NDArray[Any]]], Header]:
    """Like `unpack`, and the hash must be that of the content.

    Raises:
        BlobError: naming the reason.
    """
    arrays, header = unpack(blob)
    check_seal(arrays, header)
    return arrays, header


def check_seal(arrays: Arrays, header: Header) -> None:
    """Compare the hash in a header with the content's.

    Raises:
        BlobError: if they differ, or there is none.
    """
    written = header.get(SEAL) if isinstance(header, dict) else None
    found = content_hash(arrays, header) if written is not None else None
    if written is None or written != found:
        raise BlobError(
            f"its header holds hash {_short(written)}, its content has {_short(found)}: "
            f"some bytes were changed"
        )


def _head(
    flat: Mapping[str, NDArray[Any]], groups: list[str], header: Header
) -> tuple[bytes, list[str], int]:
    """What precedes the arrays, their order, and their bytes in all."""
    order = sorted(flat, key=lambda name: (-flat[name].dtype.itemsize, name))
    inner = canonical_json({"header": header, _GROUPS: groups})
    table: dict[str, object] = {"__metadata__": {_KEY: inner}}
    end = 0
    for name in order:
        array = flat[name]
        start, end = end, end + array.nbytes
        entry = {"dtype": _CODES[array.dtype], "shape": array.shape, "data_offsets": [start, end]}
        table[name] = entry
    text = canonical_json(table).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, order, end


def _flatten(arrays: Arrays) -> dict[str, NDArray[Any]]:
    flat: dict[str, NDArray[Any]] = {}
    for group, members in arrays.items():
        if not group or "/" in group:
            raise BlobError(f"group name {group!r} is empty or holds '/'; name it like 'h1'")
        for name, value in members.items():
            array = np.asarray(value, order="C")
            array = array.astype(array.dtype.newbyteorder("<"), copy=False)
            if array.dtype not in _CODES:
                raise BlobError(
                    f"{group}/{name} is {array.dtype}; use floats, int64, uint32, uint8 or bool"
                )
            flat[f"{group}/{name}"] = array
    return flat


def _unflatten(
    tensors: list[tuple[str, dict[str, Any]]], groups: list[str]
) -> dict[str, dict[str, NDArray[Any]]]:
    arrays: dict[str, dict[str, NDArray[Any]]] = {group: {} for group in groups}
    for key, tensor in tensors:
        group, _, name = key.partition("/")
        data = tensor["data"]
        if not isinstance(data, bytearray):  # the array is to be writable, and to share nothing
            data = bytearray(data)
        flat = np.frombuffer(data, dtype=_DTYPES[tensor["dtype"]])
        arrays[group][name] = flat.reshape(tensor["shape"])
    return arrays


def _metadata(blob: bytes) -> str:
    length = int.from_bytes(blob[:8], "little")
    text = json.loads(blob[8 : 8 + length])["__metadata__"][_KEY]
    return str(text)


def _unreadable(blob: bytes, error: Exception) -> str:
    for start, what in _FOREIGN.items():
        if blob.startswith(start):
            return f"it looks like {what}, which is never opened: reading it could run code"
    return f"{len(blob)} bytes that cannot be read ({type(error).__name__}: {error})"


def _short(digest: object) -> str:
    return str(digest)[:12] if digest is not None else "nothing"
