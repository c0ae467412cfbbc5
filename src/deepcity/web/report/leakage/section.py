"""The report's section on leakage: one part for each audited party."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from deepcity.audit.results import PartyAudit
from deepcity.web.report.charts.canvas import Ids
from deepcity.web.report.charts.leakage import leakage
from deepcity.web.report.leakage.members import member_table, members_intro
from deepcity.web.report.leakage.sentences import facts, findings, whose
from deepcity.web.report.leakage.table import LeakTable, leak_table
from deepcity.web.report.leakage.updates import update_table
from deepcity.web.report.text import Text


@dataclass(frozen=True)
class LeakagePart:
    """One audit as the template shows it."""

    key: str
    service: str
    party: Text
    facts: Text
    findings: list[Text]
    table: LeakTable
    chart: Markup
    updates: LeakTable
    members: LeakTable
    members_intro: Text


def leakage_parts(audits: Sequence[PartyAudit], ids: Ids) -> list[LeakagePart]:
    """Parts of the section; none where nothing was audited."""
    return [
        LeakagePart(
            key=f"leakage-{number}",
            service=audit.subject.service,
            party=whose(audit),
            facts=facts(audit),
            findings=findings(audit),
            table=leak_table(audit),
            chart=leakage(audit, ids),
            updates=update_table(audit),
            members=member_table(audit),
            members_intro=members_intro(audit),
        )
        for number, audit in enumerate(audits, 1)
        if audit.windows
    ]
