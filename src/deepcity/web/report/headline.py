"""The first screen: who took part, in a few plain sentences, and the headline numbers.

Every tile's words are picked by its number: a loss is called a loss in both languages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from deepcity.city.level import ALONE
from deepcity.parties import method_errors
from deepcity.runs.results import RunResults, ServiceResult
from deepcity.web.report.figures import days, percent, signed_percent, size
from deepcity.web.report.findings import (
    Case,
    Verdict,
    bytes_left,
    cases,
    count,
    gain_over_baseline,
    mean_known,
    overlaps,
    raw_bytes,
    verdict,
)
from deepcity.web.report.text import Text, counted, joined, of, same, translate

_NUMERALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
             "eleven", "twelve")  # fmt: skip


@dataclass(frozen=True)
class Tile:
    """One headline number: the number, what it is, a note, and how it is coloured."""

    value: Text
    label: Text
    note: Text
    tone: str = ""


def lead(results: RunResults) -> list[Text]:
    """Two or three sentences for a reader new to the subject."""
    services = [service for service in results.services if service.parties]
    if not services:
        return [translate("service.empty")]
    parties = [party for service in services for party in service.parties]
    who = capital(joined(_who(service) for service in services))
    one = len({(party.city, party.name) for party in parties}) == 1
    shared = "one" if one else "many"
    if not one and all(party.level == ALONE for party in parties):
        shared = "not_chosen" if bytes_left(services) is None else "none"
    return [
        translate("lead.kept_one" if one else "lead.kept_many", who=who),
        translate(f"lead.shared_{shared}"),
        translate("lead.task", questions=_questions(services)),
    ]


def tiles(services: Sequence[ServiceResult]) -> list[Tile]:
    """The headline numbers that these services allow; none on joining where nobody joined."""
    found = [] if learned_alone(services) else cases(services)
    shown = [] if not found else [_mean(found), _gained(found, services), _worst(found)]
    scarce = [case for case in found if case.party.scarce]
    if scarce:
        shown.append(_scarce(scarce))
    naive = mean_known(gain_over_baseline(p, s.baselines) for s in services for p in s.parties)
    if naive is not None:
        tone = verdict(naive)
        note = _rules(services)
        shown.append(Tile(_share(naive), translate(f"tile.naive_{tone}"), note, tone))
    return [*shown, *_bytes(services)]


def learned_alone(services: Sequence[ServiceResult]) -> bool:
    """Whether no service had a second party to learn with, nor layers of others to try."""
    parties = [service.parties for service in services]
    return all(len(found) <= 1 for found in parties) and all(
        set(party.weights) <= {method_errors.ALONE} for found in parties for party in found
    )


def _who(service: ServiceResult) -> Text:
    n = len(service.parties)
    numeral = translate(f"numeral.{_NUMERALS[n - 1]}") if n <= len(_NUMERALS) else same(f"{n}")
    end = "one" if n == 1 else "many"
    if service.who is not None:
        return translate(f"lead.who_{end}", n=numeral, who=of(service.who))
    return translate(f"lead.who_unnamed_{end}", n=numeral, service=of(service.title))


def _questions(services: Sequence[ServiceResult]) -> Text:
    """What is forecast, each question once."""
    asked = dict.fromkeys((s.question.en, s.question.ko) for s in services)
    return Text(" ".join(en for en, _ in asked), " ".join(ko for _, ko in asked))


def capital(words: Text) -> Text:
    """With a capital at the beginning."""
    return Text(words.en[:1].upper() + words.en[1:], words.ko)


def _rules(services: Sequence[ServiceResult]) -> Text:
    """The baselines of these services, each once."""
    named = dict.fromkeys(name for service in services for name in service.baselines)
    return joined(translate(f"tile.naive_{name}") for name in named)


def _share(gain: float) -> Text:
    """How a change is shown large: its size where words give the direction, else its sign too."""
    return same(signed_percent(-gain) if verdict(gain) is Verdict.SAME else percent(gain))


def _gained(found: list[Case], services: Sequence[ServiceResult]) -> Tile:
    gained, alike, lost = (count(found, v) for v in (Verdict.GAIN, Verdict.SAME, Verdict.LOSS))
    what = "cases" if overlaps(services) else "parties"
    return Tile(
        translate("tile.gained_value", gained=gained, n=len(found)),
        translate(f"tile.gained_{what}"),
        translate("tile.gained_note", same=alike, lost=lost),
        Verdict.GAIN if gained > lost else Verdict.LOSS if lost else Verdict.SAME,
    )


def _mean(found: list[Case]) -> Tile:
    gain = fmean(case.gain for case in found)
    tone = verdict(gain)
    return Tile(_share(gain), translate(f"tile.mean_{tone}"), translate("tile.mean_note"), tone)


def _worst(found: list[Case]) -> Tile:
    worst = min(found, key=lambda case: case.gain)
    lost = count(found, Verdict.LOSS)
    note = counted("tile.worst_note", lost) if lost else translate("tile.worst_note_none")
    words = translate(f"tile.worst_{worst.verdict}", party=of(worst.party.title))
    return Tile(_share(worst.gain), words, note, worst.verdict)


def _scarce(found: list[Case]) -> Tile:
    gain = fmean(case.gain for case in found)
    tone = verdict(gain)
    if len(found) > 1:
        party, note = (
            translate("tile.scarce_several", n=len(found)),
            translate("tile.scarce_note_several"),
        )
    else:
        party = of(found[0].party.title)
        note = translate("tile.scarce_note", days=days(found[0].party.train_days))
    return Tile(_share(gain), translate(f"tile.scarce_{tone}", party=party), note, tone)


def _bytes(services: Sequence[ServiceResult]) -> list[Tile]:
    left, raw = bytes_left(services), raw_bytes(services)
    if left is None:
        return []
    note = (
        translate("tile.bytes_note_unknown")
        if raw is None
        else translate("tile.bytes_note", raw=size(raw))
    )
    return [Tile(same(size(left)), translate("tile.bytes" if left else "tile.bytes_zero"), note)]


def sentences(service: ServiceResult, pooled: float | None) -> list[Text]:
    """The findings of one service in words; `pooled` is the mean gain of pooling raw rows."""
    found = cases([service])
    if learned_alone([service]):
        return []
    if not found:
        return [translate("service.unknown")]
    gained, alike, lost = (count(found, v) for v in (Verdict.GAIN, Verdict.SAME, Verdict.LOSS))
    gain = fmean(case.gain for case in found)
    change = signed_percent(-gain) if verdict(gain) is Verdict.SAME else percent(gain)
    lines = [
        translate("service.verdict", gained=gained, same=alike, lost=lost),
        translate(f"service.mean_{verdict(gain)}", p=change),
    ]
    if pooled is not None:
        lines.append(translate(f"service.pooled_{verdict(pooled)}", p=percent(pooled)))
    return lines
