"""Bytes that one party sends and receives in a round, by reuse level."""

from benchmarks.cost.setting import water
from deepcity.city.level import MAX_LEVEL
from deepcity.intercity.method import Method
from deepcity.parties.party import parties_of
from deepcity.runs.trainings import train_parties


def bytes_by_level() -> str:
    """What one party sends and receives in a round once all layers meet, by the ledger."""
    service = water()
    found = parties_of(service)[:2]
    short = service.settings.training.model_copy(update={"rounds": 2, "local_steps": 1})
    settings = service.settings.model_copy(update={"training": short})
    lines = [
        "## Cost: bytes a round, by reuse level",
        "Per party, as serialised, second round of the demo's water service (the first hands",
        "out no head). No seed moves them. Level 0 still carries its two numbers and a header.",
        "",
        "| level | up, bytes | down, bytes |",
        "|---:|---:|---:|",
    ]
    for level in range(MAX_LEVEL + 1):
        method = Method(f"level_{level}", {party.name: level for party in found})
        training, _ = train_parties(settings, found, 0, method)
        rows = [row for row in training.ledger.snapshot() if row[0] == 1]
        me = found[0].name
        up = sum(row[5] for row in rows if row[2] == me)
        down = sum(row[5] for row in rows if row[3] == me)
        lines.append(f"| {level} | {up:,} | {down:,} |")
    return "\n".join(lines)
