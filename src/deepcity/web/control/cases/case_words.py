"""What a case's codes say in English and Korean."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from deepcity.applications.decision import Action, Decision, Reason
from deepcity.web.report.text import Text, same, translate


def case_sentences(decision: Decision, zone: ZoneInfo) -> list[Text]:
    """What sightings say together, and what is missing; what to look at stands in lists."""
    ways = [_way(one, zone) for one in decision.actions if one.code == "follow"]
    return [*ways, *(_reason(one) for one in decision.reasons)]


def clock_text(time_s: float, zone: ZoneInfo) -> str:
    """A time as the city's clocks show it."""
    return datetime.fromtimestamp(time_s, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def chance_text(chance: float) -> str:
    """A probability as a share of 100; no score makes one certain.

    >>> chance_text(0.999), chance_text(0.5), chance_text(0.0)
    ('> 99%', '50%', '< 1%')
    """
    if not 0.01 <= chance <= 0.99:
        return "> 99%" if chance > 0.5 else "< 1%"
    return f"{100 * chance:.0f}%"


def _way(one: Action, zone: ZoneInfo) -> Text:
    return translate(
        "case.way",
        n=int(one.numbers["sightings"]),
        way=same(" → ".join(one.route)),
        p=same(chance_text(one.numbers["probability"])),
        at=same(clock_text(one.at_s, zone)),
    )


def _reason(one: Reason) -> Text:
    numbers = {key: int(value) for key, value in one.numbers.items()}
    if one.code == "nobody":
        return translate("case.nobody", p=same(chance_text(one.numbers["probability"])))
    if one.code == "city-silent":
        return translate("case.city_silent", city=one.place)
    if one.code == "camera-unknown":
        return translate("case.camera_unknown", n=numbers["hits"])
    return translate("case.sightings", **numbers)
