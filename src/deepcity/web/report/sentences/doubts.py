"""The sentence of a doubt about an agency's records, with its place, time span and value."""

from collections.abc import Iterator
from datetime import tzinfo

from deepcity.runs.note import Note
from deepcity.web.report.figures import moment
from deepcity.web.report.notes import warned_where, warning_kind
from deepcity.web.report.sentences.reading import READING, reading
from deepcity.web.report.text import Text, translate


def doubt(found: Note, zone: tzinfo) -> Text:
    """A doubt of the data check, as `deepcity.runs.records.record_doubts` notes it, or what was
    wrong with rows when they were read, as `deepcity.live.node.checking.reading` does.

    Args:
        zone: of the times in it.
    """
    if found.code.startswith(READING):
        return reading(found, zone)
    where = warned_where(found) if found.names.get("field") else translate("doubt.everywhere")
    text = translate("doubt.at", where=where, what=warning_kind(found))
    details = list(_details(found, zone))
    if not details:
        return text
    english = "; ".join(one.en for one in details)
    shown = Text(english[:1].upper() + english[1:], "; ".join(one.ko for one in details))
    return text + translate("doubt.details", details=shown)


def _details(found: Note, zone: tzinfo) -> Iterator[Text]:
    span = _span(found, zone)
    place = str(found.names.get("place", ""))
    if place and found.names.get("places") == [place]:  # named already
        place = ""
    if span is not None:
        yield translate("doubt.placed", place=place, span=span) if place else span
    elif place:
        yield translate("doubt.at_place", place=place)
    yield from _values(found)
    if "factor" in found.numbers:
        yield translate("doubt.factor", p=f"{found.numbers['factor']:.0%}")
    if hours := found.numbers.get("hours"):
        yield translate("doubt.later" if hours > 0 else "doubt.earlier", n=f"{abs(hours):g}")
    unit, stated = (str(found.names.get(name, "")) for name in ("unit", "stated"))
    if unit:
        yield translate("doubt.units", unit=unit, stated=stated)
    elif stated:
        yield translate("doubt.stated", stated=stated)


def _span(found: Note, zone: tzinfo) -> Text | None:
    since, until = (
        None if second is None else moment(int(second), zone)
        for second in (found.numbers.get("from_s"), found.numbers.get("to_s"))
    )
    if since is None:
        return None if until is None else translate("doubt.until", until=until)
    if until is None:
        return translate("doubt.since", since=since)
    return translate("doubt.span", since=since, until=until)


def _values(found: Note) -> Iterator[Text]:
    unit = str(found.names.get("of", ""))

    def shown(name: str) -> str:
        return f"{found.numbers[name]:,.6g}{unit and f' {unit}'}".replace("-", "−")

    if "value" in found.numbers:
        yield translate("doubt.value", value=shown("value"))
    if "low" in found.numbers and "high" in found.numbers:
        yield translate("doubt.mostly", low=shown("low"), high=shown("high"))
