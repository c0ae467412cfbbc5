"""The table of plays and how they ended."""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.red_team.play import Ending, Play, Result

_FOLDER = re.compile(rf"{re.escape(tempfile.gettempdir())}/\S*/")


def text(endings: Mapping[Play, Ending]) -> str:
    """Heading, command, counts and one row a play."""
    counts = {one: sum(end.result is one for end in endings.values()) for one in Result}
    lines = [
        "## Red team",
        "",
        "`python -m benchmarks.red_team`: each adversary of the "
        "[threat model](../docs/explanation/threat-model.md) attacks a running federation of four "
        "members in one process (simulated), of a hub and three sites in processes of their own "
        "under mutual TLS (machines), and `deepcity up` in a process of its own (running-city). "
        "*Stopped*: by the error that the play names beforehand. *Measured*: harm under a limit "
        "stated beforehand.",
        "",
        f"{len(endings)} plays: "
        + ", ".join(f"{number} {one}" for one, number in counts.items())
        + ".",
        "",
        "| play | adversary | wants | does | stage | ended as |",
        "|---|---|---|---|---|---|",
    ]
    lines += [row(play, ending) for play, ending in endings.items()]
    return "\n".join([*lines, ""])


def load_endings(path: Path) -> dict[str, Ending]:
    """How plays ended the last time, by their names."""
    if not path.exists():
        return {}
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {one["play"]: Ending(Result(one["result"]), one["by"]) for one in lines}


def save_endings(path: Path, endings: Mapping[str, Ending]) -> None:
    """Keep how plays ended, a line each."""
    lines = [
        json.dumps({"play": name, "result": one.result.value, "by": _FOLDER.sub("", one.by)})
        for name, one in endings.items()
    ]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def row(play: Play, ending: Ending) -> str:
    """One line of the table; what got through stands out."""
    result = ending.result.value if ending.good else f"**{ending.result.value}**"
    cells = (play.name, play.adversary, play.wants, play.does, play.stage, f"{result}: {ending.by}")
    return "| " + " | ".join(_cell(one) for one in cells) + " |"


def _cell(words: str) -> str:
    return _FOLDER.sub("", words).replace("|", "\\|")
