"""The summary of a run for the terminal: one table a service, and a line for every decision."""

from math import isfinite

from rich.table import Table

from deepcity.cli.party_table import party_table
from deepcity.parties.method_errors import ALONE, AUTOMATIC, NAIVE_WEEK, POOLED
from deepcity.runs.records.finding_note import CODE as RECORDS
from deepcity.runs.results import PartyResult, RunResults, ServiceResult
from deepcity.web.report.decisions import lines
from deepcity.web.report.notes import allowance_spent, note, set_aside
from deepcity.web.report.text import Text

_BOUNDS = ("level_by_leakage", "level_by_unmeasured", "level_by_policy")
_NAMED = ("lone_party", "update_refused", "update_refused_back", "rows_jumped")
_SET_BY, _AS_EVER = "set by", "accuracy"
HEADINGS = ("party", "last week", "alone", "joined", "pooled", "level", _SET_BY, "change")


def tables(results: RunResults, width: int) -> list[Table]:
    """One table a service: each party's level and errors.

    A row takes one line: a party's name is cut short where `width` columns do not hold it.
    """
    return [_table(service, width) for service in results.services]


def decisions(results: RunResults) -> list[str]:
    """What each service would do at the end of the test days: a line a party."""
    return [
        f"{service.title.en}, {line.en}" for service in results.services for line in lines(service)
    ]


def warnings(results: RunResults) -> list[str]:
    """What the data check warns of in each party's records; one line for parties that share it."""
    by_text: dict[str, list[str]] = {}
    for service in results.services:
        for party in service.parties:
            for one in party.notes:
                if one.code.startswith(RECORDS):
                    by_text.setdefault(note(one).en, []).append(party.name)
    return [f"warning ({', '.join(dict.fromkeys(who))}) {text}" for text, who in by_text.items()]


def extra_lines(results: RunResults) -> list[str]:
    """What must be known to read the tables: a service that had nobody to share with, and who
    was set aside, with the evidence.
    """
    return [
        f"{service.title.en}: {line}"
        for service in results.services
        for line in (
            *(note(one).en for one in service.notes if one.code in _NAMED),
            *(
                f"{party.name}: {one.en}"
                for party in service.parties
                for one in (*_bounds(party), *set_aside(party), *allowance_spent(party))
            ),
        )
    ]


def _bounds(party: PartyResult) -> list[Text]:
    """That a limit or a policy's grant set its level, and not accuracy."""
    bound = party.level_bound
    return [note(bound)] if bound is not None and bound.code in _BOUNDS else []


def _table(service: ServiceResult, width: int) -> Table:
    unit = f", {service.unit}" if service.metric_in_unit else ""
    title = f"{service.title.en}: {service.metric.en}{unit}"
    causes = [_set_by(party) for party in service.parties]
    shown = any(cause not in ("", _AS_EVER) for cause in causes)  # else it takes room for nothing
    headings = [one for one in HEADINGS if shown or one != _SET_BY]
    rows = [
        _row(party, [cause] if shown else [])
        for party, cause in zip(service.parties, causes, strict=True)
    ]
    return party_table(title, headings, rows, width)


def _row(party: PartyResult, cause: list[str]) -> list[str]:
    mark = " (newcomer)" if party.newcomer else " (scarce)" if party.scarce else ""
    cells = [f"{party.title.en}{mark}"]
    for method in (NAIVE_WEEK, ALONE, AUTOMATIC, POOLED):
        errors = party.test.get(method)
        cells.append(_known(errors.metric_error, ".3g") if errors else "")
    return [*cells, str(party.level), *cause, _known(-party.gain(), "+.1%")]


def _set_by(party: PartyResult) -> str:
    """What set its level, in a word."""
    bound = party.level_bound
    return "" if bound is None else bound.code.removeprefix("level_by_")


def _known(value: float, form: str) -> str:
    """A number as written; nothing where it is not known."""
    return format(value, form) if isfinite(value) else ""
