"""What leaves one party, put together for the report and the control room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from deepcity.city.level import STEM
from deepcity.runs.releases.outflow import SiteOutflow, party_outflow
from deepcity.runs.results import ServiceResult
from deepcity.store.run_folder import site_folder
from deepcity.web.report.charts.forecast import zone_of
from deepcity.web.report.figures import moment, percent, size
from deepcity.web.report.house.words import HouseRow, row
from deepcity.web.report.text import Text, counted, joined, of, translate


@dataclass(frozen=True)
class HouseParty:
    """A party whose house it is.

    Attributes:
        values_shared: whether measured values of it are in the shared results; None: not known.
        purposes: service -> what it is for.
    """

    name: str
    title: Text
    zone: tzinfo
    values_shared: bool | None = None
    purposes: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class HouseView:
    """What leaves a party.

    Attributes:
        never: what never leaves, in one sentence.
        more: what else is to be known, with the next step where one is needed.
        reading: whether its ledger is not read to the end yet.
    """

    party: HouseParty
    never: Text
    more: tuple[Text, ...]
    rows: tuple[HouseRow, ...]
    reading: bool = False


def house_view(
    party: HouseParty, sites: Sequence[Path], seconds: float = float("inf")
) -> HouseView:
    """What leaves a party, by the ledgers and audits in its sites' folders.

    Args:
        sites: of its runs, the oldest first.
        seconds: that reading ledgers may take.
    """
    return view_of(party, party_outflow(sites, seconds), here=any(one.is_dir() for one in sites))


def view_of(party: HouseParty, found: SiteOutflow | None, *, here: bool) -> HouseView:
    """What leaves a party, in words.

    Args:
        found: by its ledger; None: there is none.
        here: whether a folder of its site is on this machine.
    """
    known = SiteOutflow() if found is None else found
    stem_left = any(one.total.kind.layer == STEM for one in known.layers)
    more = [translate("house.stem_left")] if stem_left else []
    more += [translate("house.values_shared")] if party.values_shared else []
    more += _left(party, known)
    if not known.layers:
        more += [translate(_nothing(found, here=here))]
    return HouseView(
        party,
        _never(party, stem_left=stem_left),
        tuple(more),
        tuple(row(one, party.purposes) for one in known.layers),
        known.share < 1,
    )


def _never(party: HouseParty, *, stem_left: bool) -> Text:
    items = [translate("house.records")]
    items += [translate("house.values")] if party.values_shared is False else []
    items += [] if stem_left else [translate("house.stem")]
    return translate("house.never", items=joined(items), party=party.title)


def _nothing(found: SiteOutflow | None, *, here: bool) -> str:
    """Why nothing is shown, as the key of its sentence."""
    if found is not None and found.problem:
        return "house.unreadable"
    if found is not None and found.share < 1:
        return "house.begun"
    return "house.nothing" if here else "house.elsewhere"


def _left(party: HouseParty, found: SiteOutflow) -> list[Text]:
    texts = []
    if totals := [one.total for one in found.layers]:
        times = sum(one.times for one in totals)
        texts.append(
            counted(
                "house.sum",
                times,
                times=f"{times:,}",
                bytes=size(sum(one.bytes for one in totals)),
                first=moment(min(one.first_s for one in totals), party.zone),
                last=moment(max(one.last_s for one in totals), party.zone),
            )
        )
    if found.share < 1:
        texts.append(translate("house.reading", share=percent(found.share, 0)))
    if found.unread:
        texts.append(counted("house.unread", found.unread))
    if found.beyond:
        texts.append(counted("house.beyond", found.beyond))
    return texts


def houses(services: Sequence[ServiceResult], folder: Path) -> list[HouseView]:
    """The parties of a run, each once.

    Args:
        folder: of the run.
    """
    return [house_view(one, [site_folder(folder, one.name)]) for one in house_parties(services)]


def house_parties(services: Sequence[ServiceResult]) -> list[HouseParty]:
    """The parties of a run's results, each once, with the services that they are in."""
    found: dict[str, HouseParty] = {}
    for service in services:
        purpose = translate("house.purpose", title=of(service.title), question=of(service.question))
        for party in service.parties:
            before = found.get(party.name)
            shared = party.forecast.truth is not None
            found[party.name] = HouseParty(
                party.name,
                of(party.title),
                zone_of(party.forecast.time_zone),
                shared or (before is not None and before.values_shared is True),
                {**(before.purposes if before else {}), service.name: purpose},
            )
    return list(found.values())
