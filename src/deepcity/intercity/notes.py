"""What a run notes of parties that differ: newcomers, late and early ones, other steps.

All of it follows from the map, from what sites describe of themselves and from messages.
"""

from collections.abc import Mapping

from deepcity.city.level import ALONE, HEAD, STEM
from deepcity.exchange.coordinator import Training
from deepcity.exchange.profile import SiteProfile
from deepcity.intercity.alike import groups_of
from deepcity.intercity.choices import Chosen, together
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.results import Note
from deepcity.store.manifest import Manifest

Profiles = Mapping[str, SiteProfile]
UNEQUAL = 3.0  # times the fewest rows


def service_notes(
    settings: ServiceSettings,
    profiles: Profiles,
    package: Manifest | None,
    joined: Training | None,
) -> list[Note]:
    """Whose layers all begin with, which are fused within groups alone, and in whose; and who
    weighs much more than others, or failed in a round.
    """
    if settings.grant.level == ALONE:
        return []
    members = together(settings, profiles)
    sharing = [site for site in members if settings.grant.stem_of(site) == "common"]
    found = [_started(settings, package)] if package is not None else []
    for layer, sites in ((STEM, sharing), (HEAD, members)):
        own = groups_of({site: profiles[site] for site in sites}).get(layer)
        if own is not None and (layer == STEM or settings.grant.level > 5):
            groups = [
                ", ".join(site for site in sites if own[site] == group)
                for group in dict.fromkeys(own.values())
            ]
            found.append(Note(code=f"grouped_{layer}", names={"groups": groups}))
    if joined is None:
        return found
    return [*found, *_weighed(settings, joined), *_left_out(joined)]


def _left_out(joined: Training) -> list[Note]:
    """Who failed in how many rounds of learning together, and the last reason."""
    rounds: dict[str, set[int]] = {}
    reasons: dict[str, str] = {}
    for number, failed in enumerate(joined.progress.failures, 1):
        for failure in failed:
            rounds.setdefault(failure.party, set()).add(number)
            reasons[failure.party] = failure.reason
    looks = len(joined.progress.failures)  # the last is the look after all rounds
    return [
        Note(
            code="left_out",
            numbers={"rounds": len(rounds[site]), "looks": looks},
            names={"party": site, "reason": reasons[site]},
        )
        for site in rounds
    ]


def _started(settings: ServiceSettings, package: Manifest) -> Note:
    """From whose layers everything but learning alone began."""
    assert settings.reuse is not None
    return Note(
        code="started_frozen" if settings.reuse.frozen else "started",
        numbers={"level": settings.reuse.level},
        names={"service": package.service, "city": package.city},
    )


def _weighed(settings: ServiceSettings, joined: Training) -> list[Note]:
    """What parties weigh in averages, where their rows are far from equally many."""
    rows = joined.progress.weights
    if not rows:  # everybody left
        return []
    least, most = min(rows, key=rows.__getitem__), max(rows, key=rows.__getitem__)
    if rows[most] < UNEQUAL * rows[least]:
        return []
    alike = settings.strategy.weighting == "equal"
    return [
        Note(
            code="unequal_rows_alike" if alike else "unequal_rows",
            numbers={
                "least_rows": rows[least],
                "most_rows": rows[most],
                "share": rows[most] / sum(rows.values()),
            },
            names={"least": least, "most": most},
        )
    ]


def party_notes(
    settings: ServiceSettings,
    site: str,
    profiles: Profiles,
    unit: str,
    chosen: Chosen,
    joined: Training | None,
) -> list[Note]:
    """What was special about one party's part."""
    found = []
    if site in settings.newcomers:
        found.append(_newcomer(len(together(settings, profiles)), unit, chosen))
    if joined is not None and site in joined.levels:
        found += _attended(settings, site, joined)
    if _another_window(settings, site, profiles):
        minutes = profiles[site].step_s / 60
        steps = settings.window_of(site).horizon
        found.append(Note(code="own_window", numbers={"steps": steps, "minutes": minutes}))
    return found


def _newcomer(others: int, unit: str, chosen: Chosen) -> Note:
    numbers: dict[str, float] = {"others": others}
    if chosen.first_day is None:
        return Note(code="newcomer", numbers=numbers)
    numbers["error"] = chosen.first_day.judged
    return Note(code="newcomer_first_day", numbers=numbers, names={"unit": unit})


def _attended(settings: ServiceSettings, site: str, joined: Training) -> list[Note]:
    """In which rounds it took part, where these were not all."""
    wanted, rounds = settings.attendance, joined.progress.round
    found = []
    if first := wanted.joins.get(site):
        found.append(Note(code="joined_late", numbers={"round": first, "rounds": rounds}))
    if left := wanted.leaves.get(site):
        found.append(Note(code="left_early", numbers={"round": left, "rounds": rounds}))
    if wanted.share < 1:
        count = sum(site in errors for errors in joined.progress.errors[:rounds])
        found.append(Note(code="drawn", numbers={"count": count, "rounds": rounds}))
    return found


def _another_window(settings: ServiceSettings, site: str, profiles: Profiles) -> bool:
    first = next(iter(profiles))
    own, others = profiles[site].step_s, profiles[first].step_s
    return (own, settings.window_of(site)) != (others, settings.window_of(first))
