"""Messages by which heads of ledgers are handed round: verbs, and sheets as arrays of bytes.

What comes is another party's: sheets are read one by one, bounded in number and bytes, and what
cannot be read is left out.
"""

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from deepcity.city.errors import LedgerError
from deepcity.city.level import Layers
from deepcity.exchange.message import Message
from deepcity.store.release_ledger.release import Strict
from deepcity.store.release_ledger.sheets import Sheet, parse_sheet

KNOWN, HEAD, COSIGN, COSIGNED = (
    "ledger_known",
    "ledger_head",
    "ledger_cosign",
    "ledger_cosigned",
)
SHEETS, EVIDENCE = "sheets", "evidence"
MOST_SHEETS = 1000  # of a message
_MOST_BYTES = 1_000_000  # of a sheet
_MOST_TOTAL = 64_000_000  # of a message's sheets


def packed(group: str, sheets: Mapping[str, Strict]) -> Layers:
    """Sheets as a layer of a message: each the bytes of its canonical JSON."""
    if not sheets:
        return {}
    return {group: {name: np.frombuffer(one.to_line(), np.uint8) for name, one in sheets.items()}}


def blobs(message: Message, group: str, names: Collection[str] = ()) -> Iterator[tuple[str, bytes]]:
    """The sheets of a message as bytes, by name; those over the bounds are left out.

    Args:
        names: others than these are left out; empty: none is.
    """
    total = 0
    found = [*message.layers.get(group, {}).items()]
    wanted = [(name, one) for name, one in found if not names or name in names]
    for name, tensor in wanted[:MOST_SHEETS]:
        if tensor.nbytes <= _MOST_BYTES and total + tensor.nbytes <= _MOST_TOTAL:
            total += tensor.nbytes
            yield name, tensor.tobytes()


def read_sheets(
    message: Message, group: str, kind: type[Sheet], names: Collection[str] = ()
) -> dict[str, Sheet]:
    """The sheets of a message; what cannot be read is left out."""
    found: dict[str, Sheet] = {}
    for name, blob in blobs(message, group, names):
        try:
            found[name] = parse_sheet(blob, kind, "a sheet")
        except LedgerError:
            continue
    return found
