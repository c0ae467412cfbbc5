"""Rows of earlier runs stay: what one run did not measure is left in its tables as it stands.

Cases lie outside the repository and may be gone; their rows in benchmarks/RESULTS.md are then
all that is left of them, and measuring some sets anew must not erase the others'.
"""

from collections.abc import Iterator, Sequence

Table = tuple[str, list[str]]
"""A header line, and the rows under it."""


def with_earlier_rows(fresh: str, earlier: str) -> str:
    """Fresh Markdown whose tables also hold the rows that only the earlier text has.

    Tables are the same where their header lines are, rows where their first cells are, but for
    what these say in brackets. Rows stand sorted by their first cells.

    >>> fresh = "| set | gain |\\n|---|---|\\n| b (1 seed) | 2 |"
    >>> print(with_earlier_rows(fresh, "| set | gain |\\n|---|---|\\n| a | 1 |\\n| b | 9 |"))
    | set | gain |
    |---|---|
    | a | 1 |
    | b (1 seed) | 2 |
    """
    before = dict(_tables(earlier.splitlines()))
    lines = fresh.splitlines()
    for header, rows in _tables(lines):
        own = {_key(row) for row in rows}
        kept = [row for row in before.get(header, []) if _key(row) not in own]
        start = lines.index(header) + 2
        lines[start : start + len(rows)] = sorted([*kept, *rows], key=_key)
    return "\n".join(lines)


def _key(row: str) -> str:
    return row.split("|")[1].partition(" (")[0].strip()


def _tables(lines: Sequence[str]) -> Iterator[Table]:
    lines = list(lines)
    for index, line in enumerate(lines[:-1]):
        if line.startswith("|") and lines[index + 1].startswith("|---"):
            rows = []
            for row in lines[index + 2 :]:
                if not row.startswith("|"):
                    break
                rows.append(row)
            yield line, rows
