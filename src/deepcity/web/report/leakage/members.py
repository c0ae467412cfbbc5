"""An audit's membership inference as a table: a row a kind of unit, rates by false alarms."""

from collections.abc import Callable

from deepcity.audit.results import MembershipLeak, PartyAudit
from deepcity.web.report.figures import MISSING, percent
from deepcity.web.report.leakage.table import LeakRow, LeakTable
from deepcity.web.report.text import Text, translate

_Rate = Callable[[MembershipLeak], float | None]


def member_table(audit: PartyAudit) -> LeakTable:
    """The better of both attacks for each rate; without rows where none was made."""
    heads = [translate(f"leakage.members_{one}") for one in ("area", "hundredth", "thousandth")]
    rows = tuple(
        LeakRow(
            translate(f"leakage.members_{unit}"),
            (
                _area(max(of_unit, key=lambda one: one.area)),
                _best(of_unit, lambda one: one.found_at_hundredth),
                _best(of_unit, lambda one: one.found_at_thousandth),
            ),
            floor=False,
        )
        for unit in dict.fromkeys(leak.unit for leak in audit.membership)
        if (of_unit := [leak for leak in audit.membership if leak.unit == unit])
    )
    return LeakTable(tuple(heads), rows)


def members_intro(audit: PartyAudit) -> Text:
    """How members were told from others."""
    first = audit.membership[0] if audit.membership else None
    return translate("leakage.members_intro", shadows=0 if first is None else first.shadows)


def _area(leak: MembershipLeak) -> str:
    spread = "" if leak.area_spread is None else f" ±{leak.area_spread:.2f}"
    return f"{leak.area:.2f}{spread}"


def _best(leaks: list[MembershipLeak], rate: _Rate) -> str:
    known = [found for one in leaks if (found := rate(one)) is not None]
    return percent(max(known)) if known else MISSING
