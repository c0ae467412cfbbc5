"""What every party of a service ends with: those who learned together, and newcomers.

A newcomer took no part in the rounds. It starts from the layers that the others have in
common (`deepcity.intercity.newcomer`), and then weighs all levels as everybody does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deepcity.city.level import ALONE, HEAD, MAX_LEVEL, STEM, Layers, layers_up_to
from deepcity.exchange.coordinator import Training
from deepcity.exchange.profile import SiteProfile
from deepcity.intercity.alike import fellows, groups_of, layers_for, shareable
from deepcity.intercity.automatic import Choice, choose
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.method import Method
from deepcity.intercity.newcomer import choose_late, common_layers, join_late
from deepcity.intercity.parties import Party
from deepcity.intercity.results import ALONE as ALONE_METHOD
from deepcity.intercity.results import Errors, fixed
from deepcity.intercity.summary import errors_of
from deepcity.learning.learner import Learner

Profiles = Mapping[str, SiteProfile]


@dataclass(frozen=True)
class Offer:
    """What a party may choose from once others have learned together; known from messages alone.

    Attributes:
        level: the deepest reuse level it can try.
        common_stem: whether it shares its stem.
        layers: of a newcomer: those that fit it and that it may have.
        practised: of a newcomer that may have all: those that the others practised for it.
    """

    level: int
    common_stem: bool
    layers: Layers | None = None
    practised: Layers | None = None


@dataclass(frozen=True)
class Chosen:
    """A party's choice, and what a newcomer was worth to itself before any training.

    Attributes:
        first_day: test errors of the others' layers as they came; None where the party is no
            newcomer, or had to train a stem or head of its own first.
    """

    choice: Choice
    first_day: Errors | None = None


def together(settings: ServiceSettings, names: Iterable[str]) -> list[str]:
    """Those who take part in the rounds."""
    return [name for name in names if name not in settings.newcomers]


def fixed_method(settings: ServiceSettings, profiles: Profiles, level: int) -> Method:
    """Every party of the rounds at this level, or as deep as it grants and others share.

    What no other party could use, newcomers among them, does not leave; a service of one
    party has its layer package to fill.
    """
    granted = {name: min(level, settings.grant.level_of(name)) for name in profiles}
    if len(granted) == 1:
        return Method(fixed(level), granted)
    groups = groups_of(profiles)
    levels = {
        name: shareable(name, granted, granted[name], groups)
        for name in together(settings, profiles)
    }
    return Method(fixed(level), levels)


def offer_to(
    settings: ServiceSettings,
    name: str,
    profiles: Profiles,
    joined: Training,
    practised: Layers | None = None,
) -> Offer:
    """What a party may choose from after the joined training.

    Args:
        practised: what members have in common once they practised for newcomers, if they did.
    """
    levels = joined.levels
    others = {other: profiles[other] for other in together(settings, profiles)}
    stem = bool(_stems(settings, name, profiles))
    if name not in settings.newcomers:
        level = shareable(name, levels, levels[name], groups_of(others))
        if level == ALONE and settings.reuse is not None:  # the package's layers are in common
            level = settings.reuse.level
        return Offer(level, stem)
    groups = groups_of({**others, name: profiles[name]})
    level = shareable(name, levels, settings.grant.level_of(name), groups)
    fitting = layers_for(name, common_layers(joined.progress), groups)
    layers = {layer: fitting[layer] for layer in layers_up_to(level, common_stem=stem)}
    # members practised in their own shapes
    return Offer(level, stem, layers, None if groups else practised)


def choose_from(
    settings: ServiceSettings,
    party: Party,
    alone: Learner,
    joined: Learner | None,
    offer: Offer | None,
    seed: int,
) -> Chosen:
    """A party's choice; without an offer it stays alone.

    Args:
        joined: its own network after the joined training; None of a newcomer.
    """
    if offer is None:
        return Chosen(choose(party, alone, alone, ALONE, seed))
    level, stem = offer.level, offer.common_stem
    if offer.layers is None:
        assert joined is not None
        return Chosen(choose(party, alone, joined, level, seed, common_stem=stem))
    if not {STEM, HEAD} <= set(offer.layers):
        learner = join_late(party, settings, offer.layers, seed)
        return Chosen(choose(party, alone, learner, level, seed, common_stem=stem))
    choice = choose_late(party, alone, settings, offer.practised or offer.layers, seed)
    as_it_came = choice.first(MAX_LEVEL).predict(party.test, party.test_origins)
    return Chosen(choice, errors_of(as_it_came, party.test.truth_BNH, party.metric))


def practises(settings: ServiceSettings) -> bool:
    """Whether grants let members practise: if all share all, and some newcomer may have it."""
    grant, late = settings.grant, settings.newcomers
    less = {name for name in grant.party if not _whole(settings, name)}
    shared = grant.level == MAX_LEVEL and grant.stem == "common"
    return shared and not less - set(late) and bool(set(late) - less)


def practice_start(settings: ServiceSettings, profiles: Profiles, joined: Training) -> Layers:
    """The layers that members practise from; none where no newcomer could start from all."""
    others = {name: profiles[name] for name in together(settings, profiles)}
    ready = [
        name
        for name in profiles
        if name in settings.newcomers
        and _whole(settings, name)
        and not groups_of({**others, name: profiles[name]})
    ]
    layers = common_layers(joined.progress)
    if not practises(settings) or not ready or not {STEM, HEAD} <= set(layers):
        return {}
    return layers


def _whole(settings: ServiceSettings, name: str) -> bool:
    grant = settings.grant
    return grant.level_of(name) == MAX_LEVEL and grant.stem_of(name) == "common"


def _stems(settings: ServiceSettings, name: str, profiles: Profiles) -> list[str]:
    """With whom a party shares its stem: those who grant theirs, where it fits."""
    if settings.grant.stem_of(name) != "common":
        return []
    others = together(settings, profiles)
    groups = groups_of({other: profiles[other] for other in (*others, name)})
    sharing = [other for other in others if settings.grant.stem_of(other) == "common"]
    return fellows(STEM, name, sharing, groups)


def alone_errors(chosen: Chosen, party: Party) -> dict[str, Errors]:
    """Test errors of learning alone, where that is more than a party's network."""
    choice = chosen.choice
    several = {level for level, _ in choice.experts} == {ALONE} and len(choice.experts) > 1
    alone = choice if several else choice.alone
    if alone is None:
        return {}
    said = alone.forecast(party).forecast_BNH
    return {ALONE_METHOD: errors_of(said, party.test.truth_BNH, party.metric)}


def level_errors(chosen: Chosen, party: Party, levels: Sequence[int]) -> dict[str, Errors]:
    """A newcomer's test errors at fixed levels: what it tuned from the others' layers."""
    deepest = max(level for level, _ in chosen.choice.experts)
    if deepest == ALONE:
        return {}
    return {
        fixed(level): errors_of(
            chosen.choice.first(min(level, deepest)).predict(party.test, party.test_origins),
            party.test.truth_BNH,
            party.metric,
        )
        for level in levels
    }
