"""What an audit found, for the terminal, in English or Korean."""

from typing import TYPE_CHECKING

from rich.table import Table

from deepcity.audit.results import PartyAudit
from deepcity.city.errors import DataError
from deepcity.city.localized_text import LocalizedText
from deepcity.cli.party_table import party_table
from deepcity.web.report.leakage.members import member_table
from deepcity.web.report.leakage.sentences import facts, findings, whose
from deepcity.web.report.leakage.table import LeakTable, leak_table
from deepcity.web.report.leakage.updates import update_table
from deepcity.web.report.text import translate

if TYPE_CHECKING:
    from deepcity.forecasting.audit_run import AuditFailure


def tables(audit: PartyAudit, width: int, language: str) -> list[Table]:
    """R² by layer and by the lowest layer that an update shares, and rates of membership."""

    def table(found: LeakTable, title: str, first: str) -> Table:
        headings = [_in(head, language) for head in (translate(first), *found.heads)]
        rows = [[_in(row.layer, language), *row.cells] for row in found.rows]
        return party_table(title, headings, rows, width)

    whole = f"{audit.subject.service}, {_in(whose(audit), language)}"
    layers = table(leak_table(audit), f"{whole}: R²", "leakage.layer")
    more = (
        (update_table(audit), "leakage.updates", "leakage.lowest", ": R²"),
        (member_table(audit), "leakage.members", "leakage.members_unit", ""),
    )
    found = [
        table(one, f"{_in(translate(title), language)}{unit}", first)
        for one, title, first, unit in more
        if one.rows
    ]
    return [layers, *found]


def lines(audit: PartyAudit, language: str) -> list[str]:
    """What was audited, and what it means."""
    return [_in(one, language) for one in (facts(audit), *findings(audit))]


def failure_line(failure: "AuditFailure", language: str) -> str:
    """Why a party was not audited, and where it can be."""
    where = f"\n{rows_hint(language)}" if isinstance(failure.error, DataError) else ""
    return f"{failure.party}: {failure.error}{where}"


def rows_hint(language: str) -> str:
    """Where an audit runs."""
    return _in(translate("leakage.where_rows_are"), language)


def _in(words: LocalizedText, language: str) -> str:
    return words.en if language == "en" else words.ko
