"""Notes of a run on parties that differ: newcomers, late joiners, other windows.

All of them follow from the map, the sites' profiles and messages.
"""

from collections.abc import Mapping

from deepcity.city.level import ALONE, HEAD, STEM
from deepcity.exchange.coordinator import Training
from deepcity.exchange.profile import SiteProfile
from deepcity.exchange.trust.layer_distance import is_unused
from deepcity.exchange.trust.refusals import GOOD_ROUNDS
from deepcity.intercity.compatibility import shape_groups_of
from deepcity.intercity.party_choices import round_members
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.method_errors import naive_gaps
from deepcity.parties.party import Party
from deepcity.runs.note import Note
from deepcity.runs.progress import is_lone
from deepcity.store.packages.manifest import Manifest

Profiles = Mapping[str, SiteProfile]
LEAST_GAPS = 0.005  # share of test values without an earlier week that gives a note
UNEQUAL = 3.0  # ratio of the most to the fewest rows that gives a note


def service_notes(
    settings: ServiceSettings,
    profiles: Profiles,
    package: Manifest | None,
    joined: Training | None,
) -> list[Note]:
    """Notes on the package that parties start from, on layers fused only within groups, on very
    unequal weights, and on parties that failed in a round.
    """
    if settings.grant.level == ALONE:
        return []
    if is_lone(settings, len(profiles)) and (settings.automatic or settings.levels):
        return [Note(code="lone_party", names={"party": next(iter(profiles))})]
    members = round_members(settings, profiles)
    sharing = [site for site in members if settings.grant.stem_of(site) == "common"]
    found = [_started(settings, package)] if package is not None else []
    for layer, sites in ((STEM, sharing), (HEAD, members)):
        own = shape_groups_of({site: profiles[site] for site in sites}).get(layer)
        if own is not None and (layer == STEM or settings.grant.level > 5):
            groups = [
                ", ".join(site for site in sites if own[site] == group)
                for group in dict.fromkeys(own.values())
            ]
            found.append(Note(code=f"grouped_{layer}", names={"groups": groups}))
    if joined is None:
        return found
    return [*found, *_weighed(settings, joined), *_refused(joined), *_left_out(joined)]


def _refused(joined: Training) -> list[Note]:
    """Parties whose updates were refused: since when, why, and from when on they count again."""
    return [
        Note(
            code="update_refused" if one.back is None else "update_refused_back",
            numbers={
                "since": one.since,
                "good": one.good,
                "needed": GOOD_ROUNDS,
                **({} if one.back is None else {"back": one.back}),
            },
            names={"party": one.party, "reason": one.reason},
        )
        for one in joined.progress.refusals
    ]


def _is_refused(joined: Training, party: str, number: int) -> bool:
    """Whether a party was left out of a round for a refused update."""
    last = joined.progress.round
    return any(
        one.party == party and one.since <= number <= (one.back - 1 if one.back else last)
        for one in joined.progress.refusals
    )


def _left_out(joined: Training) -> list[Note]:
    """Parties that failed in joint training, or did not use what they were sent: number of rounds,
    and the last reason.
    """
    rounds: dict[tuple[str, str], set[int]] = {}
    reasons: dict[tuple[str, str], str] = {}
    for number, failed in enumerate(joined.progress.failures, 1):
        for failure in failed:
            if _is_refused(joined, failure.party, number):
                continue
            key = failure.party, "unused_layers" if is_unused(failure) else "left_out"
            rounds.setdefault(key, set()).add(number)
            reasons[key] = failure.reason
    evaluations = len(joined.progress.failures)  # one a round, and one after the last
    return [
        Note(
            code=code,
            numbers={"rounds": len(found), "looks": evaluations},
            names={"party": site, "reason": reasons[site, code]},
        )
        for (site, code), found in rounds.items()
    ]


def _started(settings: ServiceSettings, package: Manifest) -> Note:
    """The package that every method but learning alone started from."""
    assert settings.reuse is not None
    return Note(
        code="started_frozen" if settings.reuse.frozen else "started",
        numbers={"level": settings.reuse.level},
        names={"service": package.service, "city": package.city},
    )


def _weighed(settings: ServiceSettings, joined: Training) -> list[Note]:
    """Weights of parties in averages, where their numbers of rows are very unequal."""
    rows = joined.progress.weights
    if not rows:  # all parties left
        return []
    least, most = min(rows, key=rows.__getitem__), max(rows, key=rows.__getitem__)
    if rows[most] < UNEQUAL * rows[least]:
        return []
    equal = settings.strategy.weighting == "equal"
    return [
        Note(
            code="unequal_rows_alike" if equal else "unequal_rows",
            numbers={
                "least_rows": rows[least],
                "most_rows": rows[most],
                "share": rows[most] / sum(rows.values()),
            },
            names={"least": least, "most": most},
        )
    ]


def newcomer_notes(
    settings: ServiceSettings, site: str, others: int, unit: str, first_day: float | None
) -> list[Note]:
    """That a party is a newcomer, if it is.

    Args:
        others: number of members, from whose layers it started.
        first_day: error of the shared layers as received; None where that was not measured.
    """
    if site not in settings.newcomers:
        return []
    numbers: dict[str, float] = {"others": others}
    if first_day is None:
        return [Note(code="newcomer", numbers=numbers)]
    numbers["error"] = first_day
    return [Note(code="newcomer_first_day", numbers=numbers, names={"unit": unit})]


def participation_notes(
    settings: ServiceSettings, site: str, profiles: Profiles, joined: Training | None
) -> list[Note]:
    """Rounds that a party took part in, and its window, where these are unlike the others'."""
    found = []
    if joined is not None and site in joined.levels:
        found += _attended(settings, site, joined)
    if _another_window(settings, site, profiles):
        minutes = profiles[site].step_s / 60
        steps = settings.window_of(site).horizon
        found.append(Note(code="own_window", numbers={"steps": steps, "minutes": minutes}))
    return found


def naive_notes(party: Party) -> list[Note]:
    """Where naive forecasts had to fall back on a later value than their own."""
    week, day = naive_gaps(party)
    if week < LEAST_GAPS:
        return []
    return [Note(code="naive_fallback", numbers={"week": week, "day": day})]


def _attended(settings: ServiceSettings, site: str, joined: Training) -> list[Note]:
    """The rounds it took part in, where these were not all."""
    participation, rounds = settings.participation, joined.progress.round
    found = []
    if first := participation.joins.get(site):
        found.append(Note(code="joined_late", numbers={"round": first, "rounds": rounds}))
    if left := participation.leaves.get(site):
        found.append(Note(code="left_early", numbers={"round": left, "rounds": rounds}))
    if participation.share < 1:
        count = sum(site in errors for errors in joined.progress.errors[:rounds])
        found.append(Note(code="drawn", numbers={"count": count, "rounds": rounds}))
    return found


def _another_window(settings: ServiceSettings, site: str, profiles: Profiles) -> bool:
    first = next(iter(profiles))
    own, others = profiles[site].step_s, profiles[first].step_s
    return (own, settings.window_of(site)) != (others, settings.window_of(first))
