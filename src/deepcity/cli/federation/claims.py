"""What parties signed for their rows, read from the coordinator's record and checked again."""

from pathlib import Path

from rich.table import Table

from deepcity.city.errors import CheckpointError
from deepcity.cli.federation.parts import out
from deepcity.exchange.flare import kits
from deepcity.runs.machines.status import run_folder
from deepcity.runs.outcome.claim_review import claim_notes, claim_problem, claims_in
from deepcity.runs.outcome.round_records import ROUNDS, Records, read_rounds
from deepcity.web.report.notes import note

_KEY_DIGITS = 16


def print_claims(folder: Path) -> bool:
    """Print every claim in the record of a federation, or of a run in one process.

    Returns:
        whether all signatures hold.

    Raises:
        CheckpointError: if there is no record, it cannot be read, or it holds no claim.
    """
    run = run_folder(folder) if (folder / kits.FEDERATION).exists() else folder
    records = read_rounds(run)
    if not any(one.claims for one in records.values()):
        raise CheckpointError(
            f"{run / ROUNDS} holds no claim of rows: no training has begun, or it was led by an "
            f"earlier version. Name a federation's folder, or that of a run"
        )
    table = Table("training", "party", "level", "rows", "key", "signature")
    holds = True
    for training, party, one in claims_in(records):
        problem = claim_problem(records, training, party)
        holds = holds and not problem
        rows, key = f"{one.claim.rows:,.0f}", one.key[:_KEY_DIGITS]
        table.add_row(training, party, str(one.claim.level), rows, key, problem or "holds")
    out.print(table)
    _print_jumps(records)
    return holds


def _print_jumps(records: Records) -> None:
    for service in dict.fromkeys(name.partition(".")[0] for name in records):
        for one in claim_notes(records, service):
            out.print(note(one).en, markup=False)
