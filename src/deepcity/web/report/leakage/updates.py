"""An audit's attacks on updates as a table: a row a lowest shared layer, a column a batch size."""

from deepcity.audit.results import PartyAudit
from deepcity.web.report.leakage.table import LeakRow, LeakTable, layer_name, r2_text
from deepcity.web.report.text import translate


def update_table(audit: PartyAudit) -> LeakTable:
    """The better of all attacks for each; without rows where no update was attacked."""
    batches = sorted({leak.batch for leak in audit.gradients})
    heads = tuple(
        translate("leakage.batch_one" if size == 1 else "leakage.batch_many", n=size)
        for size in batches
    )
    rows = tuple(
        LeakRow(
            translate("leakage.layer_ridge") if lowest == "ridge" else layer_name(lowest),
            tuple(_best(audit, lowest, batch) for batch in batches),
            floor=False,
        )
        for lowest in dict.fromkeys(leak.lowest for leak in audit.gradients)
    )
    return LeakTable(heads, rows)


def _best(audit: PartyAudit, lowest: str, batch: int) -> str:
    found = [leak for leak in audit.gradients if (leak.lowest, leak.batch) == (lowest, batch)]
    return r2_text(max(found, key=lambda one: one.r2, default=None))
