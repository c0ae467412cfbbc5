"""The sentence of every note of a run."""

from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite

from deepcity.city.level import HIDDEN_LAYERS
from deepcity.runs.note import Note
from deepcity.runs.records.finding_note import CODE as RECORDS
from deepcity.runs.results import DriftFound, PartyResult
from deepcity.web.report.charts.forecast import zone_of
from deepcity.web.report.figures import moment
from deepcity.web.report.text import Text, Value, same, translate

Values = dict[str, Value]


def note(found: Note) -> Text:
    """The sentence of a note.

    Raises:
        KeyError: if that code has no sentence.
    """
    if found.code.startswith(RECORDS):
        return record_warning(found)
    return translate(f"note.{found.code}", **_values(found))


def record_warning(found: Note) -> Text:
    """A warning of the data check: which field and places, what was seen, and since when."""
    text = translate("note.records", where=warned_where(found), what=warning_kind(found))
    day = found.names.get("day")
    return text + translate("note.records_since", day=str(day)) if day else text


def warning_kind(found: Note) -> Text:
    """What the data check saw; a kind without a sentence of its own, as of a rule that was dropped
    in, keeps the rule's text.
    """
    kind = found.code.removeprefix(RECORDS)
    try:
        return translate(f"data_check.{kind}", count=_count(found.numbers.get("count", 0)))
    except KeyError:
        return same(str(found.names.get("text", kind)))


def warned_where(found: Note) -> Text:
    """The field that the data check warns of, and at which places."""
    places, field = found.names.get("places", []), found.names.get("field", "")
    where: Text = same(str(field))
    if places and not isinstance(places, str):
        shown = same(", ".join(places))
        if more := int(found.numbers.get("more", 0)):
            shown = translate("note.records_more", places=shown, more=more)
        where = translate("note.records_at", field=where, places=shown)
    return where


def level_words_of(party: PartyResult) -> Text:
    """Why a party chose its level, and what set it."""
    reason = note(party.level_reason)
    if party.level_bound is None:
        return reason
    return reason + same(" ") + note(party.level_bound)


def notes_of(party: PartyResult) -> list[Text]:
    """All that is noted of a party, its drift too."""
    found = [note(one) for one in party.notes]
    found += [drift(party.forecast.time_zone, party.drift)] if party.drift else []
    return [*found, *set_aside(party), *allowance_spent(party)]


def set_aside(party: PartyResult) -> list[Text]:
    """The last levels that it set aside, with the evidence; none where it set none aside."""
    if not party.set_aside:
        return []
    last = party.set_aside[-1]
    zone = zone_of(party.forecast.time_zone)
    values: Values = {
        "levels": ", ".join(map(str, last.levels)),
        "since": moment(last.since, zone),
        "error": _error(last.error),
        "bound": _error(last.bound),
        "unit": f" {party.unit}" if party.unit else "",
    }
    if last.back is None:
        text = translate("note.set_aside", **values)
    else:
        text = translate("note.set_aside_back", back=moment(last.back, zone), **values)
    if earlier := len(party.set_aside) - 1:
        text += translate("note.set_aside_more", count=str(earlier))
    return [text]


def allowance_spent(party: PartyResult) -> list[Text]:
    """When joined experts had last lost what they may; nothing where they never had."""
    if not party.allowance_spent:
        return []
    last, zone = party.allowance_spent[-1], zone_of(party.forecast.time_zone)
    values: Values = {
        "since": moment(last.since, zone),
        "lost": _error(last.lost),
        "allowed": _error(last.allowed),
    }
    if last.back is None:
        text = translate("note.allowance_spent", **values)
    else:
        text = translate("note.allowance_spent_back", back=moment(last.back, zone), **values)
    if earlier := len(party.allowance_spent) - 1:
        text += translate("note.set_aside_more", count=str(earlier))
    return [text]


def drift(time_zone: str, found: DriftFound) -> Text:
    """Since when a party's error is above the usual."""
    zone = zone_of(time_zone)
    since, noticed = (datetime.fromtimestamp(s, zone) for s in (found.since, found.noticed))
    text = translate(
        "note.drift",
        since=Text(f"{since.day} {since:%b %Y}", f"{since:%Y}년 {since.month}월 {since.day}일"),
        excess=f"{found.excess:.0%}",
        noticed=Text(f"{noticed.day} {noticed:%b}", f"{noticed.month}월 {noticed.day}일"),
    )
    if not isfinite(found.naive_excess):
        return text
    harder = f"{found.naive_excess:+.0%}".replace("-", "−")
    return text + translate("note.drift_naive", harder=harder)


def _values(found: Note) -> Values:
    """Numbers as they are written, names as they are; groups in a row."""
    values: Values = {
        name: value if isinstance(value, str) else "; ".join(value)
        for name, value in found.names.items()
    }
    if isinstance(metric := found.names.get("metric"), list):
        values["metric"] = Text(*metric)  # in both languages
    why = found.names.get("why")  # in both languages
    values["why"] = Text(*(f" ({one})" for one in why)) if isinstance(why, list) else ""
    if unit := found.names.get("unit"):  # none where errors are shares
        values["unit"] = f" {unit}"
    for name, number in found.numbers.items():
        values[name] = _WRITTEN.get(name, _count)(number)
    return values


def _layers(level: float) -> Text:
    """Layers up to a level over 0; in Korean as an object."""
    if level == 1:
        return translate("note.layers_one")
    if level <= len(HIDDEN_LAYERS):
        return translate("note.layers_hidden", level=int(level))
    return translate("note.layers_all")


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _share(number: float) -> str:
    return f"{number:.0%}"


def _part(number: float) -> str:
    return f"{number:.1%}" if 0 < number < 0.1 else f"{number:.0%}"


def _error(number: float) -> str:
    return f"{number:.3g}"


_WRITTEN: Mapping[str, Callable[[float], Value]] = {
    "level": _layers,
    "own": _share,
    "share": _share,
    "week": _part,
    "day": _part,
    "alone": _error,
    "together": _error,
    "error": _error,
    "doubt": lambda number: f"{number:.2g}",
    "energy": lambda number: f"{number:.3f}",
    "low": lambda number: f"{number:.3f}",
    "high": lambda number: f"{number:.3f}",
    "correlation": lambda number: f"{number:.2f}".replace("-", "−"),
    "least": lambda number: f"{number:.2f}".replace("-", "−"),
    "days": lambda number: f"{number:g}",
    "excess": lambda number: f"{number:+.0%}".replace("-", "−"),
    "minutes": lambda number: f"{number:g}",
    "r2": _error,
    "most_r2": _error,
    "hours": lambda number: f"{number:g}",
}
