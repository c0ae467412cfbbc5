"""Problems of rows that were sent, in a sender's words: they were found as those of a file are.

A sender has no file and no keys such as `max_line_mb`; settings that a source of rows does have
are its city file's, which another may have to change.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from deepcity.city.problem import Problem

_FILE = re.compile(r"\brows\.(csv|json)\b")
_OF_FILES = frozenset({"path", "records", "encoding", "delimiter", "header"})
_SETTING = re.compile(r"\b[a-z_.]+ = |\btime\.[a-z_]+")
_TIME = "send times as 2024-05-01T08:00:00+09:00"
_SEMICOLONS = "part cells by commas, with a point in numbers, or let the city file name the sign"
_RIGHTS: Sequence[tuple[str, str]] = (
    ("max_line_mb", "send lines with ends, each of at most 1,000,000 bytes"),
    ("max_record_mb", "send a list of objects, each of at most 1,000,000 bytes"),
    ("records = ", "send a list of objects alone, one a row"),
    ("the file is complete", "send the body whole; NDJSON has one object a line"),
    ("save the file as", "send it as UTF-8"),
    ("check the delimiter", "send a CSV with commas and a header"),
)


def sender_problem(problem: Problem) -> Problem:
    """A problem of a batch as its sender can correct it.

    >>> found = Problem("rows", "path", "rows.csv", "too long", "raise max_line_mb")
    >>> print(sender_problem(found))
    rows: body = 'CSV': too long. Send lines with ends, each of at most 1,000,000 bytes.
    """
    reason = _FILE.sub("the body", problem.reason)
    if problem.key not in _OF_FILES:
        right = problem.right
        if problem.key == "time" and "time.format" in right:
            right = f"{_TIME}, or {right}"
        if _SETTING.search(right):
            right += "; settings are the source's, in the city file"
        return replace(problem, reason=reason, right=right)
    shown = _FILE.fullmatch(str(problem.value))
    value = shown[1].upper() if shown else None
    if "the header 1:" in reason and ";" in reason:
        return replace(problem, key="body", value=value, reason=reason, right=_SEMICOLONS)
    right = next((ours for part, ours in _RIGHTS if part in problem.right), problem.right)
    return replace(problem, key="body", value=value, reason=reason, right=right)
