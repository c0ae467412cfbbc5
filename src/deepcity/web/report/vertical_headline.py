"""What vertical training gained, in words and large numbers that a person understands.

Every sentence is picked by its number: a loss is called a loss in both languages.
"""

from collections.abc import Sequence

from deepcity.parties.method_errors import ALONE, AUTOMATIC, POOLED
from deepcity.vertical.results import TOGETHER, WITHOUT_AGENCY, VerticalPartyResult, VerticalResults
from deepcity.web.report.figures import decimals, number, percent, signed_percent, size
from deepcity.web.report.findings import Verdict, mean_known, verdict
from deepcity.web.report.headline import Tile
from deepcity.web.report.text import Text, counted, joined, of, same, translate
from deepcity.web.report.vertical_tables import mode_name

_NAMED = 3  # agencies or parties named one by one; more are counted
_FAR_CHEAPER = 2.0


def all_parties(results: VerticalResults) -> list[VerticalPartyResult]:
    """All parties of all services."""
    return [party for service in results.services for party in service.parties]


def lead(results: VerticalResults) -> list[Text]:
    """Two or three sentences for a reader new to the subject."""
    parties = all_parties(results)
    if not parties:
        return [translate("service.empty")]
    if len(parties) == 1:
        agencies = _one(parties[0])
    else:
        names = dict.fromkeys(of(agency.title) for p in parties for agency in p.facts)
        agencies = translate("vertical.lead_many", n=len(parties), agencies=_names(list(names)))
    asked = [service.question for service in results.services if service.question is not None]
    questions = dict.fromkeys((words.en, words.ko) for words in asked)
    task = Text(" ".join(en for en, _ in questions), " ".join(ko for _, ko in questions))
    sentences = [
        agencies,
        translate("vertical.lead_activations")
        if _anybody(parties)
        else translate("vertical.lead_no_agency"),
    ]
    return [*sentences, translate("lead.task", questions=task)] if asked else sentences


def _anybody(parties: Sequence[VerticalPartyResult]) -> bool:
    return any(party.agencies for party in parties)


def _one(party: VerticalPartyResult) -> Text:
    names = [of(agency.title) for agency in party.facts] or [same(n) for n in party.agencies]
    if not names:
        return translate("vertical.lead_alone", party=of(party.title))
    return translate("vertical.lead_one", party=of(party.title), agencies=_names(names))


def _names(names: Sequence[Text]) -> Text:
    """Names in a row; of many the first, and how many more."""
    if not names:
        return same("–")
    if len(names) <= _NAMED + 1:
        return joined(names)
    return joined([*names[:_NAMED], translate("vertical.others", n=len(names) - _NAMED)])


def tiles(results: VerticalResults) -> list[Tile]:
    """The headline numbers that these results allow."""
    parties = all_parties(results)
    known = [party for party in parties if party.change(TOGETHER) is not None]
    if not known:
        return []
    shown = _of_one(known[0], results) if len(parties) == 1 else _of_many(known)
    shown += _ensemble(known)
    outages = [
        (change, party, agency.title)
        for party in known
        for agency in party.facts
        if (change := party.change(f"{WITHOUT_AGENCY}{agency.name}")) is not None
    ]
    if outages:
        change, party, agency = max(outages, key=lambda found: found[0])
        tone = verdict(-change)
        words = translate(f"vertical_result.outage_{tone}", agency=of(agency))
        note = translate("vertical_result.outage_note", party=of(party.title))
        shown.append(Tile(_share(-change), words, note, tone))
    pooled = mean_known(_gain(party, POOLED) for party in known)
    if pooled is not None:
        tone = verdict(pooled)
        shown.append(
            Tile(
                _share(pooled),
                translate(f"vertical_result.pooled_{tone}"),
                translate("vertical_result.pooled_note"),
                tone,
            )
        )
    return [*shown, _wire(known)]


def _gain(party: VerticalPartyResult, method: str) -> float | None:
    change = party.change(method)
    return None if change is None else -change


def _share(gain: float) -> Text:
    """A change shown large: its size where words give the direction, else its sign too."""
    return same(signed_percent(-gain) if verdict(gain) is Verdict.SAME else percent(gain))


def _of_one(party: VerticalPartyResult, results: VerticalResults) -> list[Tile]:
    gain = -(party.change(TOGETHER) or 0.0)
    tone = verdict(gain)
    alone, together = party.error(ALONE) or 0.0, party.error(TOGETHER) or 0.0
    places = decimals([alone, together])
    both = {"alone": number(alone, places), "together": number(together, places)}
    first = Tile(
        _share(gain),
        translate(f"vertical_result.worth_{tone}"),
        translate("vertical_result.from_to", **both),
        tone,
    )
    unit = party.metric_unit
    size_ = number(abs(alone - together), places + 1)
    value = same(f"{size_} {unit}" if unit else size_)
    spread, seeds = party.spread(TOGETHER), len(results.seeds)
    note = (
        translate("vertical_result.one_seed")
        if spread is None
        else translate("vertical_result.seeds", n=seeds, spread=number(spread, places + 1))
    )
    less = "vertical_result.less" if alone >= together else "vertical_result.more"
    return [first, Tile(value, translate(less, metric=of(party.metric)), note, tone)]


def _of_many(parties: Sequence[VerticalPartyResult]) -> list[Tile]:
    gains = [-(party.change(TOGETHER) or 0.0) for party in parties]
    gained, lost = (sum(verdict(g) is v for g in gains) for v in (Verdict.GAIN, Verdict.LOSS))
    alike = len(gains) - gained - lost
    tone = Verdict.GAIN if gained > lost else Verdict.LOSS if lost else Verdict.SAME
    value = translate("tile.gained_value", gained=gained, n=len(gains))
    note = translate("tile.gained_note", same=alike, lost=lost)
    mean = sum(gains) / len(gains)
    worst = min(zip(gains, parties, strict=True), key=lambda pair: pair[0])
    words = translate(f"tile.worst_{verdict(worst[0])}", party=of(worst[1].title))
    return [
        Tile(value, translate("vertical_result.gained"), note, tone),
        Tile(
            _share(mean),
            translate(f"vertical_result.worth_{verdict(mean)}"),
            translate("tile.mean_note"),
            verdict(mean),
        ),
        Tile(_share(worst[0]), words, translate("vertical_result.worst_note"), verdict(worst[0])),
    ]


def _ensemble(parties: Sequence[VerticalPartyResult]) -> list[Tile]:
    gain = mean_known(_gain(party, AUTOMATIC) for party in parties)
    if gain is None:
        return []
    tone = verdict(gain)
    return [
        Tile(
            _share(gain),
            translate(f"vertical_result.ensemble_tile_{tone}"),
            translate("vertical_result.ensemble_tile_note"),
            tone,
        )
    ]


def _wire(parties: Sequence[VerticalPartyResult]) -> Tile:
    count = sum(party.cost.bytes for party in parties)
    messages = sum(party.cost.messages for party in parties)
    raw = sum(agency.raw_bytes for party in parties for agency in party.facts)
    note = (
        translate("vertical_result.wire_note", raw=size(raw))
        if raw
        else translate("vertical_result.wire_note_unknown")
    )
    return Tile(
        same(size(count)), translate("vertical_result.wire", messages=f"{messages:,}"), note
    )


def findings(party: VerticalPartyResult, mode: str) -> list[Text]:
    """What one party's numbers say, and no more."""
    gain = _gain(party, TOGETHER)
    if gain is None:
        return [translate("vertical.unknown", party=of(party.title))]
    alone, together = party.error(ALONE) or 0.0, party.error(TOGETHER) or 0.0
    places = decimals([alone, together])
    numbers = {"alone": number(alone, places), "together": number(together, places)}
    sentences = [
        translate(
            f"vertical_result.verdict_{verdict(gain)}",
            party=of(party.title),
            p=_share(gain),
            unit=party.metric_unit or "",
            metric=of(party.metric),
            mode=mode_name(mode),
            **numbers,
        )
    ]
    ensemble, pooled = _gain(party, AUTOMATIC), _gain(party, POOLED)
    if ensemble is not None:
        sentences.append(
            translate(f"vertical_result.ensemble_{verdict(ensemble)}", p=_share(ensemble))
        )
    if pooled is not None:
        sentences.append(translate(f"service.pooled_{verdict(pooled)}", p=percent(pooled)))
    return [*sentences, *_cheapest(party), *_worse_without(party), *_failed(party)]


def _cheapest(party: VerticalPartyResult) -> list[Text]:
    """How the mode with the fewest bytes compares with the best of the others."""
    by_mode = {m: e for m, method in party.modes.items() if (e := party.error(method)) is not None}
    if len(by_mode) < 2:
        return []
    cheap = min(by_mode, key=lambda mode: party.costs[mode].bytes)
    best = min((m for m in by_mode if m != cheap), key=lambda mode: by_mode[mode])
    times = party.costs[best].bytes / max(1, party.costs[cheap].bytes)
    if times < _FAR_CHEAPER or not by_mode[best]:
        return []
    apart = by_mode[cheap] / by_mode[best] - 1
    names = {"cheap": mode_name(cheap), "best": mode_name(best)}
    tone = verdict(-apart)
    return [
        translate(
            f"vertical_result.cheapest_mode_{tone}",
            times=f"{times:,.0f}",
            p=percent(apart),
            **names,
        )
    ]


def _worse_without(party: VerticalPartyResult) -> list[Text]:
    """Agencies without whom the party is worse off than alone."""
    worse = [
        of(agency.title)
        for agency in party.facts
        if verdict(-(party.change(f"{WITHOUT_AGENCY}{agency.name}") or 0.0)) is Verdict.LOSS
    ]
    return [translate("vertical.worse_without", agencies=_names(worse))] if worse else []


def _failed(party: VerticalPartyResult) -> list[Text]:
    found = len(party.failures)
    return [counted("vertical.failed", found, reasons="; ".join(party.failures))] if found else []
