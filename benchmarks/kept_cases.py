"""Cases of a long measurement, kept one by one, so that a killed one goes on where it stood."""

import argparse
import json
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BESIDE = Path(__file__).parent  # committed: hours of measuring outlive the machine


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    sets: tuple[str, ...]
    seeds: tuple[int, ...]
    only_tables: bool


def asked_of(about: str | None, sets: Collection[str]) -> Asked:
    """The command line of a measurement of some sets by some seeds; exits on an unknown set."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--sets", default=",".join(sets))
    parser.add_argument("--only-tables", action="store_true", help="of the cases there are")
    given = parser.parse_args()
    wanted = tuple(given.sets.split(","))
    if unknown := [name for name in wanted if name not in sets]:
        sys.exit(f"no set {', '.join(unknown)}; there are {', '.join(sets)}")
    return Asked(wanted, tuple(map(int, given.seeds.split(","))), given.only_tables)


def load(path: Path) -> list[dict[str, Any]]:
    """Cases of earlier runs."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def load_some(path: Path) -> list[dict[str, Any]]:
    """As `load`, for a table; exits where there are none, so that no empty table is recorded."""
    found = load(path)
    if not found:
        sys.exit(f"no case has been measured ({path} holds none): leave out --only-tables")
    return found


def keep(path: Path, case: dict[str, Any]) -> None:
    """One more case."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(case) + "\n")
