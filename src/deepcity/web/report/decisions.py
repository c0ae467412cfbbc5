"""A service's decisions in words: what it would do now, why, and how good such decisions were."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from deepcity.applications.decision import Action, Decision
from deepcity.city.errors import CheckpointError
from deepcity.parties.method_errors import AUTOMATIC
from deepcity.runs.decision_scores import COUNTED, FREE_NOW, NEAREST
from deepcity.runs.results import PartyResult, ServiceResult
from deepcity.runs.service_scores import MOST_COUNTED
from deepcity.web.report.charts.curves import method_name
from deepcity.web.report.charts.forecast import zone_of
from deepcity.web.report.figures import MISSING, moment, number, percent, stretch
from deepcity.web.report.services.registry import SERVICE_WORDS
from deepcity.web.report.services.sources import source_words
from deepcity.web.report.text import Text, counted, joined, of, same, translate

SHOWN = 6  # parties; the others are folded away
_PLANS = (NEAREST, FREE_NOW, COUNTED, MOST_COUNTED)
_WARN = {"crossing-likely", "crossing-unlikely"}
_NOBODY, _NO_FORECAST = "nobody-asks", "no-forecast"


@dataclass(frozen=True)
class DecisionFacts:
    """What a decision's words need beside it.

    Attributes:
        party: whose it is.
        unit: of its field.
        zone: in which times are written.
        places: how many it has.
        ahead: how far its forecast looks.
        step_s: of its forecast.
    """

    party: Text
    unit: str
    zone: ZoneInfo
    places: int
    ahead: Text
    step_s: int

    def moment(self, second: int) -> Text:
        """A time as written in both languages."""
        return moment(second, self.zone)

    def value(self, amount: float) -> str:
        """An amount with its unit."""
        return f"{amount:,.3g} {self.unit}" if abs(amount) < 1000 else f"{amount:,.0f} {self.unit}"


@dataclass(frozen=True)
class ScoreRow:
    """One score: its name, and per method what was reached and whether it is the best."""

    name: Text
    cells: list[tuple[str, bool]]


@dataclass(frozen=True)
class ScoreTable:
    """Scores of decisions by the method that forecast, a row a score."""

    caption: Text
    key: Text
    heads: list[Text]
    rows: list[ScoreRow]


@dataclass(frozen=True)
class DecisionCard:
    """One party's decision as the page shows it.

    Attributes:
        at: which party of its service it is of.
        state: it in one or two words.
        tone: how it is coloured: `warn`, or nothing.
        sentences: what, why, and until when.
        example: a plan for invented requests: cells by row; none for other tasks.
    """

    at: int
    party: PartyResult
    state: Text
    tone: str
    sentences: list[Text]
    scores: ScoreTable | None
    example: list[list[Text]]
    example_title: Text | None


def cards(service: ServiceResult) -> list[DecisionCard]:
    """The decision of every party that has one.

    Raises:
        CheckpointError: if a decision lacks what its words are made of: then its file is damaged.
    """
    return [
        _whole_card(service, at, party)
        for at, party in enumerate(service.parties)
        if party.decision is not None
    ]


def intro(service: ServiceResult) -> Text:
    """What the section of a service shows."""
    made = [party.decision for party in service.parties if party.decision]
    codes = {decision.reasons[0].code for decision in made}
    if codes & _WARN or any(code in SERVICE_WORDS and SERVICE_WORDS[code].alert for code in codes):
        return translate("decision.intro_alert")
    plans = any(party.example or NEAREST in party.decision_scores for party in service.parties)
    plans |= _NOBODY in codes
    scored = any(party.decision_scores for party in service.parties)
    return translate(f"decision.intro_{'plan' if plans else 'scored' if scored else 'forecast'}")


def lines(service: ServiceResult) -> list[Text]:
    """A line for every party's decision, for the terminal."""
    return [
        translate("decision.line", party=of(card.party.title), state=card.state, sentence=sentence)
        for card in cards(service)
        for sentence in card.sentences[:1]
    ]


def facts_of(service: ServiceResult, party: PartyResult) -> DecisionFacts:
    """What the words of a party's decision need beside it."""
    steps = party.horizon_steps or service.horizon_steps
    minutes = party.step_minutes or service.step_minutes
    return DecisionFacts(
        of(party.title),
        party.unit or service.unit,
        zone_of(party.forecast.time_zone),
        party.places,
        stretch(steps * minutes),
        round(minutes * 60),
    )


def state_words(decision: Decision) -> tuple[Text, str]:
    """A decision in one or two words, and its colour."""
    code = decision.reasons[0].code
    if code in _WARN:
        warn = bool(decision.actions)
        return translate("decision.warning" if warn else "decision.no_warning"), "warn" * warn
    if code in SERVICE_WORDS:
        return translate(SERVICE_WORDS[code].state), SERVICE_WORDS[code].tone
    key = {_NOBODY: "no_requests", _NO_FORECAST: "no_forecast"}.get(code)
    return translate(f"decision.{key or ('actions' if decision.actions else 'nothing')}"), ""


def decision_words(
    decision: Decision, facts: DecisionFacts, *, example: bool = False
) -> list[Text]:
    """What is to be done, why, how sure that is, until when, and who confirms it.

    Args:
        example: whether an example for a plan without requests follows.
    """
    code = decision.reasons[0].code
    if code in _WARN:
        found = _alert_words(decision, facts)
    elif code == _NOBODY:
        return [translate("decision.nobody_asks" if example else "decision.nobody_asks_nowhere")]
    elif code in SERVICE_WORDS:
        found = SERVICE_WORDS[code].words(decision, facts)
        found += _cutoff_words(decision.reasons[0].numbers) if SERVICE_WORDS[code].alert else []
    elif not decision.actions:
        found = []
    else:
        found = [_actions(decision, facts)]
    return [*found, *source_words(decision), *_ending(decision, facts, "holds")]


def _ending(decision: Decision, facts: DecisionFacts, key: str) -> list[Text]:
    until, sure = facts.moment(decision.valid_until_s), decision.certainty
    shown = percent(min(sure, 0.99) if sure < 1 else sure, 0)  # only what is certain is 100 %
    return [
        translate(f"decision.{key}", p=shown, until=until),
        translate(f"decision.confirm_{decision.confirm.value}"),
    ]


def _alert_words(decision: Decision, facts: DecisionFacts) -> list[Text]:
    numbers = decision.reasons[0].numbers
    level = facts.value(numbers["threshold"])
    if decision.actions:
        first, now_s = decision.actions[0], decision.valid_until_s - facts.step_s
        lead = (first.at_s - now_s) / 3600
        when = translate("decision.from_then", when=facts.moment(first.at_s), lead=f"{lead:g}")
        found = translate(
            "decision.warn_at",
            n=len(decision.actions),
            places=facts.places,
            level=level,
            place=first.place,
            from_=when if lead > 0 else translate("decision.from_now"),
            p=percent(first.numbers["probability"], 0),
        )
    else:
        p = percent(numbers["probability"], 0)
        found = translate("decision.no_warn", level=level, ahead=facts.ahead, p=p)
    return [found, *_cutoff_words(numbers)]


def _cutoff_words(numbers: Mapping[str, float]) -> list[Text]:
    """Why it warns from there on; nothing in results of before this was kept."""
    if not {"miss", "false-alarm", "crossed"} <= set(numbers):
        return []
    return [
        translate(
            "decision.cutoff_costs" if numbers["crossed"] else "decision.cutoff_unseen",
            cutoff=percent(numbers["cutoff"], 0),
            miss=f"{numbers['miss']:g}",
            false=f"{numbers['false-alarm']:g}",
        )
    ]


def _actions(decision: Decision, facts: DecisionFacts) -> Text:
    """All of one code: the places where, in a row."""
    where = []
    for number_, action in enumerate(decision.actions):
        reasons = decision.reasons[number_ : number_ + 1]
        where.append(_where(action, reasons[0].numbers if reasons else {}, facts))
    action_words = action_name(decision.actions[0].code)
    return translate("decision.act_at", action=action_words, places=joined(where))


def _where(action: Action, numbers: Mapping[str, float], facts: DecisionFacts) -> Text:
    amount = action.numbers.get("value")
    if amount is None:
        return same(action.place)
    when, value = facts.moment(action.at_s), facts.value(amount)
    if "usual" not in numbers:
        return translate("decision.act_place_bare", place=action.place, when=when, value=value)
    usual = facts.value(numbers["usual"])
    return translate("decision.act_place", place=action.place, when=when, value=value, usual=usual)


def action_name(code: str) -> Text:
    """What an action is called; one that has no words keeps its code.

    >>> action_name("cover-peak").ko, action_name("ring-bells").en
    ('최대 수요 대비', 'Ring bells')
    """
    try:
        return translate(f"decision.action_{code}")
    except KeyError:
        return same(code.replace("-", " ").capitalize())


def action_words(code: str, place: str) -> Text:
    """An action and where."""
    return action_name(code) + same(f": {place}" if place else "")


def _whole_card(service: ServiceResult, at: int, party: PartyResult) -> DecisionCard:
    try:
        return _card(service, at, party)
    except LookupError as error:
        lacks = f"the number {error}" if isinstance(error, KeyError) else "an action"
        msg = (
            f"the decision of {party.name} in the results lacks {lacks}. Put back a copy of the "
            f"file, or run the map again"
        )
        raise CheckpointError(msg) from error


def _card(service: ServiceResult, at: int, party: PartyResult) -> DecisionCard:
    decision, facts = party.decision, facts_of(service, party)
    assert decision is not None
    state, tone = state_words(decision)
    sentences = decision_words(decision, facts, example=party.example is not None)
    if NEAREST in party.decision_scores:
        sentences.insert(0, _plan_worth(party.decision_scores))
    example, title = [], None
    if party.example is not None:
        example = [_example_row(action, facts) for action in party.example.actions]
        cars = sum(action.numbers.get("count", 0) for action in party.example.actions)
        when = facts.moment(party.example.valid_until_s - facts.step_s)
        title = translate("decision.example", cars=f"{cars:.0f}", when=when)
        sentences += _ending(party.example, facts, "holds_plan")
    return DecisionCard(
        at, party, state, tone, sentences, score_table(party.decision_scores), example, title
    )


def _plan_worth(found: Mapping[str, Mapping[str, float]]) -> Text:
    """What guidance is worth against driving to the nearest lot."""
    ours, nearest = found[AUTOMATIC], found[NEAREST]
    return translate(
        "decision.plan_worth",
        p=percent(ours["found"], 1),
        n=number(ours["cars"], 0),
        walk=number(ours["walk_m"], 0),
        near=percent(nearest["found"], 1),
    )


def _example_row(action: Action, facts: DecisionFacts) -> list[Text]:
    numbers = action.numbers
    return [
        same(action.place),
        same(f"{datetime.fromtimestamp(action.at_s, facts.zone):%H:%M}"),
        same(f"{numbers['count']:.0f}"),
        same(percent(numbers["probability"], 0)),
        translate("decision.metres", n=f"{numbers['walk-m']:,.0f}"),
    ]


@dataclass(frozen=True)
class _Score:
    """How a score is written, and whether more of it is better; None: neither is by itself."""

    written: Callable[[float], str]
    more: bool | None


def _share(value: float) -> str:
    return percent(value, 0)


_SCORES = {
    "csi": _Score(_share, more=True),
    "hit_rate": _Score(_share, more=True),
    "false_alarm_ratio": _Score(_share, more=False),
    "lead_hours": _Score(lambda value: number(value, 1), more=True),
    "brier": _Score(lambda value: number(value, 3), more=False),
    "cost": _Score(lambda value: number(value, 3), more=False),
    "found": _Score(lambda value: percent(value, 1), more=True),
    "walk_m": _Score(lambda value: number(value, 0), more=None),
    "height_error": _Score(lambda value: percent(value, 1), more=False),
    "hours_off": _Score(lambda value: number(value, 1), more=False),
    "near": _Score(_share, more=True),
    "promised": _Score(_share, more=None),
    "covered": _Score(_share, more=None),
    "carried": _Score(_share, more=True),
    "pai": _Score(lambda value: number(value, 1), more=True),
    "patrol_share": _Score(_share, more=None),
    "count_share": _Score(_share, more=None),
}
_COUNTS = {"csi": ("alert", "events"), "pai": ("patrol", "days"), "near": ("peak", "peaks")}
"""A score that only one task has -> its words, and the number of what was scored."""


def score_table(found: Mapping[str, Mapping[str, float]]) -> ScoreTable | None:
    """Scores by method as a table; None where none were kept."""
    if not found:
        return None
    first = next(iter(found.values()))
    what, number_of = next((_COUNTS[one] for one in _COUNTS if one in first), ("plan", "cars"))
    count = first[number_of]
    known = [name for name in _SCORES if name in first]
    heads: list[Text] = [
        translate(f"decision.plan_{one}") if one in _PLANS else method_name(one) for one in found
    ]
    rows = [
        ScoreRow(translate(f"decision.score_{name}"), _cells(name, list(found.values())))
        for name in known
    ]
    caption = counted(f"decision.scores_{what}", int(count))
    return ScoreTable(caption, translate(f"decision.key_{what}"), heads, rows)


def _cells(name: str, found: Sequence[Mapping[str, float]]) -> list[tuple[str, bool]]:
    score = _SCORES[name]
    values = [one.get(name, math.nan) for one in found]
    finite = [value for value in values if math.isfinite(value)]
    differ = score.more is not None and len(set(finite)) > 1
    best = (max if score.more else min)(finite) if differ else None
    return [
        (score.written(value) if math.isfinite(value) else MISSING, value == best)
        for value in values
    ]
