"""The short of a run for the terminal: one table a service."""

from rich.table import Table

from deepcity.intercity.results import (
    ALONE,
    AUTOMATIC,
    NAIVE_WEEK,
    POOLED,
    PartyResult,
    Results,
    ServiceResult,
)


def tables(results: Results) -> list[Table]:
    """One table a service: each party's level and errors."""
    return [_table(service) for service in results.services]


def _table(service: ServiceResult) -> Table:
    title = f"{service.title.en}: mean absolute error over the test days, {service.unit}"
    table = Table(title=title, title_justify="left")
    table.add_column("party")
    for name in ("last week", "alone", "joined", "pooled"):
        table.add_column(name, justify="right")
    table.add_column("level", justify="right")
    table.add_column("joining saved", justify="right")
    for party in service.parties:
        table.add_row(*_row(party))
    return table


def _row(party: PartyResult) -> list[str]:
    cells = [f"{party.title.en}{' (scarce)' if party.scarce else ''}"]
    for method in (NAIVE_WEEK, ALONE, AUTOMATIC, POOLED):
        errors = party.test.get(method)
        cells.append(f"{errors.mae:.3g}" if errors else "")
    return [*cells, str(party.level), f"{party.gain():+.1%}"]
