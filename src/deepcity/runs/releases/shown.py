"""What sites were shown when heads were last handed round, checked: whose co-signature was lacking.

In a kit that is all there is to check with, for ledgers of others are elsewhere.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from deepcity.city.errors import LedgerError
from deepcity.exchange.trust.shown_heads import SHOWN_HEADS, ShownHead, ShownHeads
from deepcity.store.release_ledger.heads import HeadSheet
from deepcity.store.release_ledger.sheets import read_sheet
from deepcity.store.release_ledger.verify import LedgerCheck


def check_shown(check: LedgerCheck, name: str, path: Path) -> None:
    """Name cities that were missing when a site's own head was handed back to it.

    Args:
        path: of its ledger.
    """
    shown = _shown(path).get(name)
    known = any(one.code == "uncosigned" for one in check.findings)
    if shown is not None and shown.lacking and not known:
        size = shown.sheet.head.head.size
        check.add(
            "uncosigned",
            f"its head of {size} entries came back without co-signatures of "
            f"{', '.join(shown.lacking)}: they were away or refused, as their engine.log says",
        )


def shown_elsewhere(
    paths: Collection[Path], here: Collection[str]
) -> Iterator[tuple[str, Path, LedgerCheck, HeadSheet]]:
    """Heads of ledgers that are elsewhere, as a site here was shown them without co-signatures that
    it expected: ledger, file, what is lacking, the head.
    """
    for path in paths:
        for name, shown in _shown(path).items():
            if name in here or not shown.lacking:
                continue
            check, state = LedgerCheck(), shown.sheet.head.head
            check.add(
                "uncosigned",
                f"of the head of {state.size} entries that was co-signed here, no co-signature of "
                f"{', '.join(shown.lacking)} was shown: they were away, or the hub shows them "
                f"another history. Compare root {state.root[:16]} with theirs",
            )
            yield name, path.parent / SHOWN_HEADS, check, shown.sheet


def _shown(path: Path) -> Mapping[str, ShownHead]:
    """What a ledger's site was shown; none if it was shown nothing, or that cannot be read."""
    with suppress(LedgerError):
        if (shown := path.parent / SHOWN_HEADS).exists():
            return read_sheet(shown, ShownHeads).heads
    return {}
