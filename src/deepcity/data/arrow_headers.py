"""What an Arrow IPC stream would become, by its own headers: read before anything is unpacked.

A few bytes can announce a billion rows, unpack to gigabytes, or name the same bytes as a
thousand columns. So a stream from elsewhere is taken only if its buffers are not compressed
and hold no more bytes than came. The layout is that of the Arrow columnar format, "IPC
Streaming Format", and of `Message.fbs`: a message is a length, a flatbuffer, and a body.
"""

import struct
from collections.abc import Iterator

_CONTINUES = b"\xff\xff\xff\xff"
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3  # sorts of message
_KIND, _HEADER, _BODY = 1, 2, 3  # fields of a message, by their place in Message.fbs
_LENGTH, _BUFFERS, _COMPRESSION = 0, 2, 3  # fields of a record batch
_DATA = 1  # field of a dictionary batch


def announced_rows(stream: bytes) -> int:
    """How many rows all batches of a stream announce.

    Raises:
        ValueError: if it is no whole stream, is compressed, or announces more bytes than it has.
    """
    rows, held = 0, 0
    try:
        for header, at, kind in _messages(stream):
            if kind == _SCHEMA:
                continue
            batch = _table(header, _offset(header, at, _DATA)) if kind == _DICTIONARY else at
            if _field(header, batch, _COMPRESSION):
                msg = "its buffers are compressed: what they become cannot be known before"
                raise ValueError(msg)
            rows += max(_number(header, batch, _LENGTH, "<q"), 0)
            held += sum(_buffer_lengths(header, batch))
    except (struct.error, IndexError) as error:
        msg = "no whole Arrow IPC stream: a header points outside"
        raise ValueError(msg) from error
    if held > len(stream):
        msg = f"its columns announce {held:,} bytes, {len(stream):,} came"
        raise ValueError(msg)
    return rows


def _messages(stream: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each message's flatbuffer, where its header table begins there, and its sort."""
    at = 0
    while at < len(stream):
        if stream[at : at + 4] != _CONTINUES:
            raise ValueError("no whole Arrow IPC stream: a message does not begin as one")
        (length,) = struct.unpack_from("<i", stream, at + 4)
        at += 8
        if length == 0:
            break
        header = stream[at : at + length]
        root = _table(header, 0)
        kind, body = _number(header, root, _KIND, "<B"), _number(header, root, _BODY, "<q")
        if length < 0 or body < 0 or at + length + body > len(stream):
            raise ValueError("no whole Arrow IPC stream: it ends in the middle of a message")
        if kind not in {_SCHEMA, _DICTIONARY, _BATCH}:
            raise ValueError(f"a message of sort {kind} is neither schema nor rows")
        yield header, _table(header, _offset(header, root, _HEADER)), kind
        at += length + body
    if at != len(stream):
        raise ValueError("no whole Arrow IPC stream: something comes after its end")


def _table(header: bytes, at: int) -> int:
    """Where a table lies that is pointed to from here."""
    found: int = struct.unpack_from("<I", header, at)[0]
    return at + found


def _field(header: bytes, table: int, number: int) -> int:
    """Where a table's field lies; 0: it is left out."""
    known = table - struct.unpack_from("<i", header, table)[0]
    place = 4 + 2 * number
    if known < 0 or place >= struct.unpack_from("<H", header, known)[0]:
        return 0
    found: int = struct.unpack_from("<H", header, known + place)[0]
    return table + found if found else 0


def _offset(header: bytes, table: int, number: int) -> int:
    at = _field(header, table, number)
    if not at:
        raise ValueError("no whole Arrow IPC stream: a message without its header")
    return at


def _number(header: bytes, table: int, number: int, form: str) -> int:
    at = _field(header, table, number)
    return int(struct.unpack_from(form, header, at)[0]) if at else 0


def _buffer_lengths(header: bytes, batch: int) -> Iterator[int]:
    at = _field(header, batch, _BUFFERS)
    if not at:
        return
    vector = _table(header, at)
    for number in range(struct.unpack_from("<I", header, vector)[0]):
        length = struct.unpack_from("<q", header, vector + 4 + 16 * number + 8)[0]
        yield max(int(length), 0)
