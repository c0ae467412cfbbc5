"""Double quotes around the cells of a CSV line: where a row ends, and which quotes are stray.

A quote counts at the beginning of a cell only; there it opens a cell that may hold delimiters
and line ends, up to the next single quote.
"""

import re

QUOTE = b'"'
_DIGIT = re.compile(rb"\d")
_SHORTEST_SHAPE = 4  # characters of a cell, such as a time's, that tells one row from a text


def in_quotes(line: bytes, delimiter: bytes, inside: bool = False) -> bool:
    """Whether a cell in quotes is still open at a line's end.

    Args:
        inside: whether one was open at its beginning.

    >>> in_quotes(b'1,"a', b","), in_quotes(b'b",2', b",", True), in_quotes(b'5",2', b",")
    (True, False, False)
    """
    if QUOTE not in line:
        return inside
    at = 0
    while True:
        if inside:
            at = line.find(QUOTE, at)
            if at < 0:
                return True
            if line[at + 1 : at + 2] == QUOTE:
                at += 2
                continue
            inside, at = False, at + 1
        elif line[at : at + 1] == QUOTE:
            inside, at = True, at + 1
            continue
        at = line.find(delimiter, at)
        if at < 0:
            return False
        at += len(delimiter)


def looks_like_row(line: bytes, delimiter: bytes, example: bytes) -> bool:
    """Whether a line is a row in itself, rather than the rest of a text in quotes.

    It must have as many cells as another row, no quote inside a cell, and at least one cell of
    digits and signs in the same order, as times have.

    >>> looks_like_row(b"2024-01-02,7", b",", b'2024-01-01,"5')
    True
    >>> looks_like_row(b"late, see 3", b",", b'2024-01-01,"5')
    False
    """
    cells, others = _cells(line, delimiter), _cells(example, delimiter)
    if len(cells) != len(others) or any(QUOTE in cell.strip(QUOTE) for cell in cells):
        return False
    shapes = [_DIGIT.sub(b"9", cell.strip(QUOTE)) for cell in cells]
    known = [_DIGIT.sub(b"9", cell.strip(QUOTE)) for cell in others]
    return any(
        one == other and b"9" in one and len(one) >= _SHORTEST_SHAPE
        for one, other in zip(shapes, known, strict=True)
    )


def _cells(line: bytes, delimiter: bytes) -> list[bytes]:
    return line.rstrip(b"\r\n").split(delimiter)


def split_rows(
    text: bytes, delimiter: bytes, example: bytes = b""
) -> tuple[list[bytes], bytes, list[int]]:
    """Complete rows, the rest, and which of the rows have a quote that is never closed.

    A line end inside quotes does not end a row, unless the next line is a row in itself.

    Args:
        example: an earlier row, to know one by, beside the rows found here.

    >>> split_rows(b'1,2\\n3,"a\\nb"\\n4,', b",")
    ([b'1,2\\n', b'3,"a\\nb"\\n'], b'4,', [])
    >>> split_rows(b'2024-01-01,"5\\n2024-01-02,7\\n', b",")
    ([b'2024-01-01,"5\\n', b'2024-01-02,7\\n'], b'', [0])
    """
    found: list[bytes] = []
    stray: list[int] = []
    pending: list[bytes] = []
    inside = False
    for line in text.splitlines(keepends=True):
        if inside and line.endswith(b"\n"):
            known = (pending[0], found[-1] if found else example)
            if any(looks_like_row(line, delimiter, row) for row in known):
                stray.append(len(found))
                found.append(b"".join(pending))
                pending, inside = [], False
        pending.append(line)
        inside = in_quotes(line, delimiter, inside)
        if line.endswith(b"\n") and not inside:
            found.append(b"".join(pending))
            pending = []
    return found, b"".join(pending), stray
