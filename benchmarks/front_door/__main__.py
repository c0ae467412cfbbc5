"""`python -m benchmarks.front_door`: init on every file; `... speed`: three commands, timed.

Names of sets behind it (`... energy bikes`) measure these again and keep the others' rows.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from typer.testing import CliRunner

from benchmarks.front_door.compare import RULES, Judged, difference
from benchmarks.front_door.files import ASKED, REFUSED, Tried, cases, sets
from benchmarks.front_door.speed import speed
from benchmarks.record import record, recorded
from deepcity.city.errors import DeepCityError
from deepcity.cli import app
from deepcity.data.draft.answers import OpenQuestionsError

COLUMNS = ("right", "asked", "refused", "wrong")


def outcome(tried: Tried, judged: Judged) -> tuple[str, str]:
    """Right, asked, refused or wrong, and why."""
    with tempfile.TemporaryDirectory(prefix="front-door-") as folder:
        words = ["init", str(tried.path), "--yes", "--no-open", "--time-zone", tried.zone]
        words += ["--out", folder, "--name", "town", *tried.options]
        ended = CliRunner().invoke(app, words)
        city = Path(folder) / "town.toml"
        if city.exists():
            differs = difference(tried, city, judged)
            if tried.right in (REFUSED, ASKED):
                differs = f"it should be {tried.right}"
            return ("wrong", differs) if differs else ("right", "")
        error = ended.exception
        if not isinstance(error, DeepCityError):
            return "wrong", f"{type(error).__name__}: {error}"
        first = str(error).splitlines()[1].strip()[:160]
        if tried.right == REFUSED:
            return "right", f"refused: {first}"
        return ("asked" if isinstance(error, OpenQuestionsError) else "refused"), first


def main() -> None:
    """Try all files, print and record the table."""
    if sys.argv[1:] == ["speed"]:
        record("front-door-speed", speed())
        return
    chosen = sys.argv[1:]
    before = recorded("front-door") if chosen else ""
    counts = {name: one for name, one in rows_of(before).items() if name not in chosen}
    tries = [one for one in (*cases(), *sets()) if not chosen or one.set in chosen]
    again = {one.path.name for one in tries}
    notes = [
        line
        for line in before.splitlines()
        if line.startswith("- ") and not any(line.startswith(f"- {name}:") for name in again)
    ]
    judged = Judged()
    for tried in tries:
        found, why = outcome(tried, judged)
        counts.setdefault(tried.set, Counter())[found] += 1
        print(f"{tried.set} {tried.path.parent.name}/{tried.path.name}: {found} {why}", flush=True)
        if found != "right" and tried.set != "cases":
            notes.append(f"- {tried.path.name}: {found}. {why}")
    record("front-door", table(counts, notes))


def rows_of(text: str) -> dict[str, Counter[str]]:
    """The rows of a recorded table, without that of all sets."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) == len(COLUMNS) + 2 and cells[1].isdigit() and cells[0] != "all":
            found[cells[0]] = Counter(dict(zip(COLUMNS, map(int, cells[2:]), strict=True)))
    return found


def table(counts: dict[str, Counter[str]], notes: list[str]) -> str:
    """The table in Markdown."""
    total = sum(counts.values(), Counter())
    share = total["right"] / total.total()
    lines = [
        "## `deepcity init` on files as people have them",
        "",
        "`python -m benchmarks.front_door`: each file with `--yes`, the time zone given. *Right*: "
        "times, places and values as read by hand (a damaged file: refused by name). *Asked*: "
        "refused with a question that names its option. *Refused*: with a named error.",
        "",
        f"| set | files | {' | '.join(COLUMNS)} |",
        f"| --- |{' --- |' * (len(COLUMNS) + 1)}",
        *(
            f"| {name} | {one.total()} | {' | '.join(str(one[key]) for key in COLUMNS)} |"
            for name, one in (*counts.items(), ("all", total))
        ),
        "",
        f"Right without a question: {share:.0%}. Not right among the real sets:",
        "",
        *notes,
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
