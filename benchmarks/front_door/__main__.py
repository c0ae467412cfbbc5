"""`python -m benchmarks.front_door`: init on every file; `... speed`: three commands, timed.

Names of sets behind it (`... energy bikes`) measure these again and keep the others' rows.
"""

import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner

from benchmarks.front_door.compare import RULES, Comparisons, difference
from benchmarks.front_door.files import REFUSED, Tried, cases, sets
from benchmarks.front_door.speed import speed
from benchmarks.record import record, recorded
from deepcity.city.errors import DeepCityError
from deepcity.cli import app
from deepcity.data.draft.answers import OpenQuestionsError

SHOWN = 240  # characters of a message
COLUMNS = ("right", "asked", "refused", "wrong")


def outcome(tried: Tried, compared: Comparisons) -> tuple[str, str]:
    """Right, asked, refused or wrong, and why; of what was asked, what the answer gives."""
    found, why = _first(tried, compared)
    if found == "asked" and tried.answers:
        again, differs = _first(
            replace(tried, options=tried.options + tried.answers), Comparisons()
        )
        why = (
            f"{why} With `{' '.join(tried.answers)}`: {again}{f' ({differs})' if differs else ''}."
        )
    return found, why


def _first(tried: Tried, compared: Comparisons) -> tuple[str, str]:
    with tempfile.TemporaryDirectory(prefix="front-door-") as folder:
        words = ["init", str(tried.path), "--yes", "--no-open", "--time-zone", tried.zone]
        words += ["--out", folder, "--name", "town", *tried.options]
        ended = CliRunner().invoke(app, words)
        city = Path(folder) / "town.toml"
        if city.exists():
            refused = "it should be refused" if tried.right == REFUSED else ""
            differs = refused or difference(tried, city, compared)
            return ("wrong", differs) if differs else ("right", "")
        error = ended.exception
        if not isinstance(error, DeepCityError):
            return "wrong", f"{type(error).__name__}: {error}"
        first = str(error).splitlines()[1].strip().removeprefix("1. ")
        if tried.right == REFUSED:
            return "right", f"refused: {_cut(first)}"
        if isinstance(error, OpenQuestionsError):
            options = "; ".join(f"`{one.option}`" for one in error.asks)
            return "asked", f"{_cut(first)} Answered by {options}."
        return "refused", _cut(first)


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} …"


def main() -> None:
    """Try all files, print and record the table."""
    if sys.argv[1:] == ["speed"]:
        record("front-door-speed", speed())
        return
    chosen = sys.argv[1:]
    known = {one.set for one in (*cases(), *sets())}
    if unknown := [name for name in chosen if name not in known]:
        sys.exit(f"{__doc__}\nno set {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    before = recorded("front-door") if chosen else ""
    counts = {name: one for name, one in rows_of(before).items() if name not in chosen}
    tries = [one for one in (*cases(), *sets()) if not chosen or one.set in chosen]
    again = {_label(one) for one in tries}
    notes = [
        line
        for line in before.splitlines()
        if line.startswith("- ") and line[2:].partition(":")[0] in _known() - again
    ]
    compared = Comparisons()
    for tried in tries:
        found, why = outcome(tried, compared)
        counts.setdefault(tried.set, Counter())[found] += 1
        print(f"{tried.set} {tried.path.parent.name}/{tried.path.name}: {found} {why}", flush=True)
        if found != "right":
            notes.append(f"- {_label(tried)}: {found}. {why}")
    text = table(counts, notes, "" if chosen else str(compared))
    print(text)
    record("front-door", text)


def _label(tried: Tried) -> str:
    return f"{tried.set}, {tried.path.name}"


def _known() -> set[str]:
    return {_label(one) for one in (*cases(), *sets())}


def rows_of(text: str) -> dict[str, Counter[str]]:
    """The rows of a recorded table, without that of all sets."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) == len(COLUMNS) + 2 and cells[1].isdigit() and cells[0] != "all":
            found[cells[0]] = Counter(dict(zip(COLUMNS, map(int, cells[2:]), strict=True)))
    return found


def table(counts: dict[str, Counter[str]], notes: list[str], compared: str) -> str:
    """The table in Markdown, with what is compared."""
    total = sum(counts.values(), Counter())
    share = total["right"] / total.total()
    lines = [
        "## `deepcity init` on files as people have them",
        "",
        "`python -m benchmarks.front_door`: each file with `--yes`, the time zone given. *Right*: "
        "as read by hand, by the rules below (a damaged file: refused by name). *Asked*: "
        "refused with a question that names its option. *Refused*: with a named error. *Wrong*: "
        "written, and different from the reading by hand in anything the rules name.",
        "",
        *(f"- {rule}" for rule in RULES),
        "",
        f"| set | files | {' | '.join(COLUMNS)} |",
        f"| --- |{' --- |' * (len(COLUMNS) + 1)}",
        *(
            f"| {name} | {one.total()} | {' | '.join(str(one[key]) for key in COLUMNS)} |"
            for name, one in (*counts.items(), ("all", total))
        ),
        "",
        f"Right without a question: {total['right']} of {total.total()}, {share:.0%}. {compared} "
        "Not right:",
        "",
        *notes,
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
