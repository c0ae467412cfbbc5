"""A traffic decision in words: each jam, where it spread from, its kind, and the way around it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from deepcity.applications.decision import Action, Decision, Reason
from deepcity.web.report.figures import percent
from deepcity.web.report.text import Text, joined, same, translate

if TYPE_CHECKING:
    from deepcity.web.report.decisions import DecisionFacts

_KINDS = ("recurring", "weather", "incident-like", "event-like", "unusual", "no-same-hours")
_WEATHER = {"rain": "mm/h", "snow": "mm/h", "wind": "m/s", "visibility": "km"}


def jam_words(decision: Decision, facts: "DecisionFacts") -> list[Text]:
    """What to do, then each jam's causes, then ways around."""
    if decision.reasons[0].code == "no-jam":
        numbers = decision.reasons[0].numbers
        limit, lowest = percent(numbers["limit"], 0), percent(numbers["lowest"], 0)
        return [translate("jams.no_jam", limit=limit, lowest=lowest)]
    found = [_where_to_act(decision.actions)]
    for jam in _jams(decision.reasons):
        found.extend(_jam(jam, facts))
    found += [_detour(action) for action in decision.actions if action.code == "detour"]
    for reason in decision.reasons:
        if reason.code == "slow-everywhere":
            places, of = (f"{reason.numbers[name]:.0f}" for name in ("places", "of"))
            found.append(translate("jams.slow_everywhere", n=places, of=of))
        elif reason.code in {"no-weather-records", "weather-hardly-seen"}:
            key, hours = reason.code.replace("-", "_"), reason.numbers.get("hours", 0)
            found.append(translate(f"jams.{key}", hours=f"{hours:.0f}"))
    return found


def _where_to_act(actions: Sequence[Action]) -> Text:
    places = [same(one.place) for one in actions if one.code != "detour"]
    action = translate(f"decision.action_{actions[0].code}")
    return translate("decision.act_at", action=action, places=joined(places))


def _jams(reasons: Sequence[Reason]) -> Iterator[list[Reason]]:
    """The reasons of each jam: they begin with `jam`."""
    starts = [number for number, one in enumerate(reasons) if one.code == "jam"]
    for start, end in zip(starts, [*starts[1:], len(reasons)], strict=True):
        yield list(reasons[start:end])


def _jam(reasons: Sequence[Reason], facts: "DecisionFacts") -> list[Text]:
    first, numbers = reasons[0], reasons[0].numbers
    minutes = numbers["begins-minutes"]
    when = translate("jams.since" if minutes < 0 else "jams.within", minutes=f"{abs(minutes):.0f}")
    values = {name: facts.value(numbers[name]) for name in ("value", "usual")}
    found = [
        translate("jams.jam", place=first.place, n=f"{numbers['places']:.0f}", when=when)
        + translate("jams.jam_speeds", **values)
    ]
    origins = [_origin(one) for one in reasons if one.code in {"spreads-from", "begins-here"}]
    if origins:
        found.append(translate("jams.causes", places=joined(origins)))
    return [*found, *(_kind(one) for one in reasons if one.code in _KINDS)]


def _origin(reason: Reason) -> Text:
    likelihood = percent(reason.numbers["likelihood"], 0)
    if reason.code == "begins-here":
        return translate("jams.begins_here", place=reason.place, p=likelihood)
    numbers = reason.numbers
    return translate(
        "jams.spreads_from",
        place=reason.place,
        p=likelihood,
        lead=f"{numbers['lead-minutes']:.0f}",
        km=f"{numbers['metres'] / 1000:.1f}",
        wave=f"{numbers['wave-kmh']:.0f}",
    )


def _kind(reason: Reason) -> Text:
    """What a cause explains, and its evidence; a decision of before tells no share."""
    numbers = reason.numbers
    counts = {name: f"{numbers.get(name, 0):.0f}" for name in ("days", "jammed-days")}
    found = translate(
        f"jams.{reason.code.replace('-', '_')}",
        place=reason.place,
        days=counts["days"],
        jammed=counts["jammed-days"],
        weather=joined(list(_weather(numbers)) or [same("–")]),
        loss=percent(numbers.get("loss", 0.0), 0),
        abrupt=percent(numbers.get("abrupt", 0.0), 0),
    )
    if reason.code == "event-like" and "around" in numbers:
        found += translate("jams.around", share=percent(numbers["around"], 0))
    if numbers.get("holiday"):
        found += translate("jams.holiday")
    if "share" not in numbers:
        return found
    return translate("jams.share", p=percent(numbers["share"], 0)) + found


def _weather(numbers: Mapping[str, float]) -> Iterator[Text]:
    for name, unit in _WEATHER.items():
        if name in numbers:
            yield translate(f"jams.{name}", value=f"{numbers[name]:.1f} {unit}")


def _detour(action: Action) -> Text:
    numbers = action.numbers
    return translate(
        "jams.detour",
        start=action.route[0],
        way=", ".join(action.route[1:-1]),
        end=action.route[-1],
        minutes=f"{numbers['minutes']:.1f}",
        usual=f"{numbers['usual-minutes']:.1f}",
        p=percent(numbers["probability"], 0),
    )
