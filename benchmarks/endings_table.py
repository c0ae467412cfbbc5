"""How many attempts of each kind ended how, as a table."""

from collections import Counter
from collections.abc import Sequence


def endings_table(
    kinds: Sequence[str], endings: Sequence[str], counts: Counter[tuple[str, str]]
) -> str:
    """Markdown: a row for each kind and one for all, a column for each ending."""
    lines = ["| " + " | ".join(["kind", *endings]) + " |", "| --- |" + " ---: |" * len(endings)]
    for kind in [*kinds, "all"]:
        row = [
            str(sum(n for (of, end), n in counts.items() if end == one and kind in (of, "all")))
            for one in endings
        ]
        lines.append(f"| {kind} | {' | '.join(row)} |")
    return "\n".join(lines)
