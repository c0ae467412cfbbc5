"""What the data check doubts in records that are known so far, each doubt as a note.

The rules are those of `deepcity data check`. A note's numbers and names hold what its rule
saw, as `deepcity.data.findings.RuleEvidence` has it: `from_s`, `to_s` (UTC seconds; without `to_s`
it goes on), `place`, `value`, `low`, `high`, `factor`, `hours`, `unit`, `stated`, and the field's
unit as `of`.

Shapes: T steps, N places, F fields.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace

from deepcity.data.check.file_report import view_of
from deepcity.data.check.rules import run_rules
from deepcity.data.city_file import CityFile
from deepcity.data.findings import NO_EVIDENCE, Finding, Severity
from deepcity.data.load import panel_warnings
from deepcity.data.panel import Panel
from deepcity.runs.note import Note
from deepcity.runs.records.finding_note import finding_note

MOST_VALUES = 5_000_000
"""Values of an agency that are checked: its newest steps. A minute or two, and half a GB."""
MOST_ALIKE = 4
"""Doubts of one kind on one field that are listed one by one."""
MOST_DOUBTS = 60
"""Of one agency; the first rules come first."""
_DIGITS = 6
_PASSING = ("low", "high", "more")
_GROWING = "records_short"  # its count is that of all steps


def record_doubts(city_file: CityFile, panels: Mapping[str, Panel]) -> dict[str, list[Note]]:
    """Agency -> the doubts about its records.

    Args:
        panels: agency -> its records, with a step at least. What is not in them is not looked at.
    """
    views = [view_of(city_file, name, newest_steps(panel)) for name, panel in panels.items()]
    seen = run_rules(views)
    settings = {one.name: one for one in city_file.settings.agency}
    return {
        view.agency: _notes(
            view.panel,
            [*_warnings(panel_warnings(view.panel, settings[view.agency])), *seen[view.agency]],
        )
        for view in views
    }


def newest_steps(panel: Panel) -> Panel:
    """The newest steps of a panel, with `MOST_VALUES` values at most."""
    _, places, fields = panel.values_TNF.shape
    most = max(1, MOST_VALUES // max(1, places * fields))
    if len(panel.time_T) <= most:
        return panel
    return replace(panel, time_T=panel.time_T[-most:], values_TNF=panel.values_TNF[-most:])


def identity(doubt: Note) -> tuple[object, ...]:
    """What makes a doubt the one of the day before: not what grows with every step."""
    numbers = {name: one for name, one in doubt.numbers.items() if name not in _PASSING}
    if doubt.code == _GROWING:
        numbers.pop("count", None)
    names = {name: one for name, one in doubt.names.items() if name != "text"}
    return doubt.code, repr(sorted(numbers.items())), repr(sorted(names.items()))


def _warnings(findings: Iterable[Finding]) -> list[Finding]:
    """Without notes on how rows were treated; those of the rules themselves are doubts too."""
    return [one for one in findings if one.severity is Severity.WARNING]


def _notes(panel: Panel, findings: Sequence[Finding]) -> list[Note]:
    alike: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        alike.setdefault((one.what, one.shows[0]), []).append(one)
    units = {one.name: one.unit for one in panel.fields}
    found = []
    for (what, field), some in alike.items():
        each = len(some) <= MOST_ALIKE and any(one.evidence != NO_EVIDENCE for one in some)
        for group in [[one] for one in some] if each else [some]:
            note = finding_note(what, group, field)
            found.append(_with_evidence(note, _evidence(group, units.get(field, "")), panel))
    return found[:MOST_DOUBTS]


def _evidence(group: Sequence[Finding], unit: str) -> dict[str, float | str]:
    """That of the first finding; of several, with the place that it is of."""
    evidence = group[0].evidence
    if len(group) > 1 and evidence != NO_EVIDENCE and not evidence.place:
        evidence = replace(evidence, place=next(iter(group[0].shows[1]), ""))
    found = {name: value for name, value in asdict(evidence).items() if value not in (None, "")}
    in_unit = {"value", "low", "high"} & found.keys()
    return found | ({"of": unit} if in_unit and unit else {})


def _with_evidence(note: Note, evidence: Mapping[str, float | str], panel: Panel) -> Note:
    """The note with what a rule saw; places are named where they are not all."""
    names = dict(note.names)
    if note.numbers["more"] + len(names["places"]) == len(panel.places):
        names["places"] = []
    numbers = dict(note.numbers) if names["places"] else note.numbers | {"more": 0.0}
    for name, value in evidence.items():
        if isinstance(value, str):
            names[name] = value
        else:
            numbers[name] = float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
    return Note(code=note.code, numbers=numbers, names=names)
