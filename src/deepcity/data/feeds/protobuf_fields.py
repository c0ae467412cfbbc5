"""The fields of a protobuf message one after another, so that a large one is never held parsed.

A parsed message takes up to a hundred times the memory of its bytes: 20 MB of empty parts are
1.7 GB. Encoding: https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_MOST_VARINT = 10


def message_fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field that holds bytes, a text or a message; others are skipped.

    >>> list(message_fields(bytes([0x0A, 0x01, 0x78, 0x10, 0x05])))
    [(1, b'x')]

    Raises:
        ValueError: if it is no message, or is cut off; of what comes before is yielded.
    """
    view, at = memoryview(content), 0
    while at < len(view):
        tag, at = _varint(view, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _, at = _varint(view, at)
        elif kind == _BYTES:
            size, at = _varint(view, at)
            if size > len(view) - at:
                raise ValueError("cut off")
            yield number, bytes(view[at : at + size])
            at += size
        elif kind in _FIXED:
            at += _FIXED[kind]
        else:
            raise ValueError(f"wire type {kind}")
    if at > len(view):
        raise ValueError("cut off")


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    found = 0
    for count, byte in enumerate(view[at : at + _MOST_VARINT]):
        found |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return found, at + count + 1
    raise ValueError("a number without end")
