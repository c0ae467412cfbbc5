"""The sentence of what was wrong with rows while they were read, or as they came."""

from collections.abc import Iterator
from datetime import tzinfo

from deepcity.runs.note import Note
from deepcity.web.report.figures import moment
from deepcity.web.report.text import Text, counted, same, translate

READING = "reading_"
_QUOTED = {"unreadable", "other"}  # what was wrong is in the reader's own words alone


def reading(found: Note, zone: tzinfo) -> Text:
    """A note of `deepcity.live.node.checking.reading`.

    Args:
        zone: of the times in it.
    """
    code = found.code.removeprefix(READING)
    numbers, names = found.numbers, found.names
    if code == "more":
        return translate("reading.more", n=f"{numbers['count']:,.0f}")
    file, column, text = (str(names.get(name, "")) for name in ("file", "column", "text"))
    try:
        what = translate(f"reading.{code}")
    except KeyError:
        code, what = "other", translate("reading.other")
    if code in _QUOTED:
        what = translate("reading.quoted", what=what, text=text)
    where = translate("reading.column", file=file, column=column) if column else same(file)
    sentence = translate("reading.at", where=where, what=what) if file or column else what
    details = list(_details(found, zone))
    if not details:
        return sentence
    english = "; ".join(one.en for one in details)
    shown = Text(english[:1].upper() + english[1:], "; ".join(one.ko for one in details))
    return sentence + translate("reading.details", details=shown)


def _details(found: Note, zone: tzinfo) -> Iterator[Text]:
    rows, numbers = found.names.get("rows", []), found.numbers
    count = int(numbers.get("count", 0))
    if rows and not isinstance(rows, str):
        more = count - len(rows)
        shown = ", ".join(f"{int(one):,}" for one in rows)
        if "batches" in numbers:
            yield translate("reading.rows_of_batch", rows=shown)
        elif more > 0:
            yield translate("reading.rows_more", rows=shown, more=f"{more:,}")
        else:
            yield counted("reading.rows", len(rows), rows=shown)
    elif count > 1:
        yield translate("reading.count", n=f"{count:,}")
    if value := str(found.names.get("value", "")):
        yield translate("reading.value", value=value)
    if "batches" in numbers:
        first, last = (moment(int(numbers[name]), zone) for name in ("from_s", "to_s"))
        n = int(numbers["batches"])
        yield counted("reading.batches", n, first=first, last=last)
