"""Findings of one kind as a note."""

from collections.abc import Sequence

from deepcity.data.check.rules import NAMED
from deepcity.data.findings import Finding
from deepcity.runs.note import Note

CODE = "records_"  # how the codes of these notes begin


def finding_note(what: str, findings: Sequence[Finding], field: str) -> Note:
    """One note of all findings of a kind; the day is the first of theirs."""
    places = list(dict.fromkeys(id_ for finding in findings for id_ in finding.shows[1]))
    day = min((finding.day for finding in findings if finding.day), default="")
    count = sum(finding.count for finding in findings)
    return records_note(what.replace("-", "_"), count, field, places, day, findings[0].text)


def records_note(
    code: str, count: int, field: str, places: Sequence[str], day: str = "", text: str = ""
) -> Note:
    """A note on records: a kind of finding on a field, the first places of it, and since when."""
    names: dict[str, str | list[str]] = {"field": field, "places": list(places[:NAMED])}
    if day:
        names["day"] = day
    if text:
        names["text"] = text
    numbers: dict[str, float] = {"count": count, "more": max(0, len(places) - NAMED)}
    return Note(code=f"{CODE}{code}", numbers=numbers, names=names)
