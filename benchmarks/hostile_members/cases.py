"""One attack on one federation of synthetic towns: every honest party's error against alone."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache

import numpy as np

from benchmarks.hostile_members import knowing
from benchmarks.hostile_members.attacks import ATTACKS, hostile
from benchmarks.hostile_members.backdoor import success
from benchmarks.hostile_members.towns import NEWCOMER_DAYS, service, town
from benchmarks.hostile_members.turncoat import TURNCOATS, turned
from benchmarks.joining.cases import alone_learner, mean_error
from deepcity.city.level import MAX_LEVEL, Layers
from deepcity.intercity.level_choice import LevelChoice, choose_level
from deepcity.intercity.method import Method
from deepcity.intercity.newcomer import choose_newcomer_level, common_layers
from deepcity.learning.training.learner import Learner
from deepcity.maps.city_map import Service
from deepcity.parties.party import Party
from deepcity.runs.episodic_training import episodic_site, run_episodic_training
from deepcity.runs.site import Site
from deepcity.runs.trainings import ServiceRun, profiles_of, run_method

MEMBER = "member"
WITH_TRIGGER = frozenset({"none", *(name for name, one in ATTACKS.items() if one.backdoor)})
"""Attacks for which the trigger's success is measured; what it does where nobody attacks is 0."""
_MANY, _LIARS_OF_MANY = 10, 3


@dataclass(frozen=True)
class Setting:
    """What is attacked.

    Attributes:
        members: that train together, hostile ones among them.
        rule: strategy by which layers are fused.
    """

    members: int
    attack: str
    rule: str
    precision: str
    seed: int


@dataclass(frozen=True)
class Case:
    """One honest party's outcome.

    Attributes:
        party: "member", or "newcomer" with its days.
        share: its error as a share of that of learning alone.
        after: weight of learning alone once the test days are known.
        backdoor: share of its test forecasts that the backdoor's trigger moves over half of the
            way to the target; `backdoor_fused` of the fused network by itself; None: not measured.
    """

    members: int
    attack: str
    rule: str
    precision: str
    seed: int
    party: str
    share: float
    after: float
    backdoor: float | None = None
    backdoor_fused: float | None = None

    def as_dict(self) -> dict[str, object]:
        """For a line of JSON."""
        return asdict(self)


def measure(setting: Setting) -> Iterator[Case]:
    """Every honest member and both newcomers."""
    of = service(setting.rule, setting.precision)
    for party, choice in _choices(setting, of):
        turns = TURNCOATS.get(setting.attack)
        lies_at_will = turns is not None and turns.knowing
        found = (knowing.forecast if lies_at_will else LevelChoice.forecast)(choice, party)
        own = choice.first(0).predict(party.test, party.test_origins)
        alone = mean_error(np.maximum(own, np.float32(party.floor)), party)
        after = choice.by_level(found.ensemble)[0]
        days = f"newcomer, {party.known_days:.0f} d" if party.newcomer else MEMBER
        share = mean_error(found.forecast_BNH, party) / alone
        case = Case(**asdict(setting), party=days, share=share, after=after)
        if setting.attack in WITH_TRIGGER:
            fused = success(party, choice, MAX_LEVEL)
            case = replace(case, backdoor=success(party, choice), backdoor_fused=fused)
        yield case


def _choices(setting: Setting, of: Service) -> Iterator[tuple[Party, LevelChoice]]:
    seed, count = setting.seed, setting.members
    late = [_town(count + number, seed, days) for number, days in enumerate(NEWCOMER_DAYS)]
    if setting.attack in TURNCOATS:
        for party, alone in [_town(0, seed, None), *late]:
            yield party, turned(party, alone, TURNCOATS[setting.attack])
        return
    sites = _sites(setting, of)
    run = ServiceRun(of.settings, profiles_of(sites), seed)
    joined = run_method(run, Method("joined", {site.name: MAX_LEVEL for site in sites}), sites)
    for site in sites[: count - liars_of(setting)]:
        _, alone = _town(sites.index(site), seed, None)
        learner = site.learners["joined"]
        yield (
            site.party,
            choose_level(site.party, alone, learner, MAX_LEVEL, seed, common_stem=True),
        )
    layers = _episodic(of, sites, common_layers(joined.progress), seed)
    for party, alone in late:
        yield party, choose_newcomer_level(party, alone, of.settings, layers, seed)


def liars_of(setting: Setting) -> int:
    """How many members attack: one or two of four, three of ten."""
    liars = ATTACKS[setting.attack].liars
    return liars if setting.members < _MANY or not liars else _LIARS_OF_MANY


def _sites(setting: Setting, of: Service) -> list[Site]:
    """Honest members first, then the hostile ones."""
    attack = ATTACKS[setting.attack]
    sites = [
        Site(of.settings, _town(number, setting.seed, None)[0], setting.seed)
        for number in range(setting.members)
    ]
    honest = setting.members - liars_of(setting)
    return [*sites[:honest], *(hostile(site, attack) for site in sites[honest:])]


def _episodic(of: Service, sites: list[Site], layers: Layers, seed: int) -> Layers:
    """What newcomers start from; hostile members attack here too."""

    def stage_sites(stage: int) -> list[Site]:
        return [episodic_site(site, stage) for site in sites]

    trained = run_episodic_training(of.settings, stage_sites, layers, seed)
    return common_layers(trained[-1].progress) if trained else layers


@cache
def _town(number: int, seed: int, days: float | None) -> tuple[Party, Learner]:
    """A party, and its network trained alone."""
    of = service()
    party = town(of, number, seed, days)
    own = replace(of, settings=of.settings)
    return party, alone_learner(own, party, seed)
