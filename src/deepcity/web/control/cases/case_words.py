"""What a case's codes say in English and Korean."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from deepcity.applications.decision import Action, Decision, Reason
from deepcity.web.report.figures import percent
from deepcity.web.report.text import Text, same, translate


def case_sentences(decision: Decision, zone: ZoneInfo) -> list[Text]:
    """What sightings say together, and what is missing; what to look at stands in lists."""
    ways = [_way(one, zone) for one in decision.actions if one.code == "follow"]
    return [*ways, *(_reason(one) for one in decision.reasons)]


def _way(one: Action, zone: ZoneInfo) -> Text:
    at = datetime.fromtimestamp(one.at_s, UTC).astimezone(zone)
    return translate(
        "case.way",
        n=int(one.numbers["sightings"]),
        way=same(" → ".join(one.route)),
        p=percent(one.numbers["probability"], 0),
        at=same(at.strftime("%Y-%m-%d %H:%M:%S")),
    )


def _reason(one: Reason) -> Text:
    numbers = {key: int(value) for key, value in one.numbers.items()}
    if one.code == "nobody":
        return translate("case.nobody", p=percent(one.numbers["probability"], 0))
    if one.code == "city-silent":
        return translate("case.city_silent", city=one.place)
    if one.code == "camera-unknown":
        return translate("case.camera_unknown", n=numbers["hits"])
    return translate("case.sightings", **numbers)
