"""A table of parties for the terminal, a line each."""

from collections.abc import Collection, Sequence

from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table

_GAP = 2  # columns that rich leaves beside each of ours
_LEAST = 12


def party_table(
    title: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    left: Collection[str] = (),
) -> Table:
    """The first column names the party, and is cut short where `width` columns do not hold it.

    Args:
        left: further columns of words.
    """
    columns = list(zip(headings, *rows, strict=True))
    taken = sum(max(map(cell_len, column)) + _GAP for column in columns[1:])
    table = Table(title=escape(title), title_justify="left", box=None, pad_edge=False)
    room = max(_LEAST, width - taken - _GAP)
    table.add_column(headings[0], no_wrap=True, overflow="ellipsis", max_width=room)
    for name in headings[1:]:
        table.add_column(name, justify="left" if name in left else "right", no_wrap=True)
    for party, *cells in rows:
        table.add_row(escape(party), *cells)
    return table
