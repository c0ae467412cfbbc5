"""Every party's final choice of a level, for members of the rounds and for newcomers.

A newcomer took no part in the rounds. It starts from the members' shared layers
(`deepcity.intercity.newcomer`), and then weighs all levels as every party does.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.level import ALONE, HEAD, MAX_LEVEL, STEM, Layers, layers_up_to
from deepcity.exchange.coordinator import Training
from deepcity.exchange.profile import SiteProfile
from deepcity.intercity.compatibility import (
    deepest_shared_level,
    layers_for,
    peers,
    shape_groups_of,
)
from deepcity.intercity.level_choice import LevelChoice, choose_level
from deepcity.intercity.method import Method
from deepcity.intercity.newcomer import choose_newcomer_level, common_layers, start_newcomer
from deepcity.intercity.received_layers import unusable
from deepcity.learning.training.learner import Learner
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.method_errors import ALONE as ALONE_METHOD
from deepcity.parties.method_errors import MethodErrors, fixed_level_name, score_forecast
from deepcity.parties.party import Party
from deepcity.privacy.secure_sums.roster import LEAST_MEMBERS

_log = logging.getLogger(__name__)
Profiles = Mapping[str, SiteProfile]


@dataclass(frozen=True)
class Offer:
    """What a party may choose from after the joint training; follows from messages alone.

    Attributes:
        level: the deepest reuse level it can try.
        common_stem: whether it shares its stem.
        layers: for a newcomer, the shared layers that fit it and are granted to it; those after
            episodic training where it may use all of them.
    """

    level: int
    common_stem: bool
    layers: Layers | None = None


@dataclass(frozen=True)
class PartyChoice:
    """A party's choice, and a newcomer's errors before any training.

    Attributes:
        choice: its experts and weights.
        first_day: test errors of the shared layers as received; None where the party is no
            newcomer, or had to train a stem or head of its own first.
        refused: why the layers that were offered were not used; empty where they were.
    """

    choice: LevelChoice
    first_day: MethodErrors | None = None
    refused: str = ""


def round_members(settings: ServiceSettings, names: Iterable[str]) -> list[str]:
    """The parties that take part in the rounds."""
    return [name for name in names if name not in settings.newcomers]


def joined_method(settings: ServiceSettings) -> str:
    """Name of the training at the deepest level granted, from whose networks parties choose."""
    return fixed_level_name(settings.grant.level)


def fixed_method(settings: ServiceSettings, profiles: Profiles, level: int) -> Method:
    """Every party of the rounds at this level, or as deep as it grants, its city's policy lets it
    share now, and others share.

    Layers that no other party could use, newcomers included, do not leave; a service of one
    party still fills its layer package.
    """
    granted = {
        name: min(level, settings.grant.level_of(name), profile.most_level)
        for name, profile in profiles.items()
    }
    if len(granted) == 1:
        return Method(fixed_level_name(level), granted)
    groups, members = shape_groups_of(profiles), round_members(settings, profiles)
    summed = _too_few_for_sums(settings, granted, members)
    levels = {
        name: deepest_shared_level(
            name, summed or granted, granted[name], groups, LEAST_MEMBERS - 1 if summed else 1
        )
        for name in members
    }
    return Method(fixed_level_name(level), levels)


def _too_few_for_sums(
    settings: ServiceSettings, granted: Mapping[str, int], members: Sequence[str]
) -> Mapping[str, int]:
    """Members' levels, where policies leave some layer with too few for a secure sum of it; else
    none. Sums of too few by the map's own grants are refused with what to change.
    """
    if settings.strategy.aggregation != "secure":
        return {}
    capped = [name for name in members if granted[name] < settings.grant.level_of(name)]
    return {name: granted[name] for name in members} if capped else {}


def offer_to(
    settings: ServiceSettings,
    name: str,
    profiles: Profiles,
    joined: Training,
    episodic: Layers | None = None,
) -> Offer:
    """What a party may choose from after the joined training.

    Args:
        episodic: the members' shared layers after episodic training, if there was any.
    """
    levels = joined.levels
    others = {other: profiles[other] for other in round_members(settings, profiles)}
    stem = bool(_stems(settings, name, profiles))
    if name not in settings.newcomers:
        level = deepest_shared_level(name, levels, levels[name], shape_groups_of(others))
        if level == ALONE and settings.reuse is not None:  # the package's layers are shared
            level = settings.reuse.level
        return Offer(level, stem)
    groups = shape_groups_of({**others, name: profiles[name]})
    level = deepest_shared_level(name, levels, settings.grant.level_of(name), groups)
    fitting = layers_for(name, common_layers(joined.progress), groups)
    layers = {layer: fitting[layer] for layer in layers_up_to(level, common_stem=stem)}
    if episodic and not groups and {STEM, HEAD} <= set(layers):  # it used the members' own shapes
        layers = dict(episodic)
    return Offer(level, stem, layers)


def choose_from(
    settings: ServiceSettings,
    party: Party,
    alone: Learner,
    joined: Learner | None,
    offer: Offer | None,
    seed: int,
) -> PartyChoice:
    """A party's choice; without an offer it stays alone, and so does a newcomer whose offered
    layers cannot be used (`deepcity.intercity.received_layers`).

    Args:
        joined: its own network after the joint training; None for a newcomer.
    """
    if offer is None:
        return PartyChoice(choose_level(party, alone, alone, ALONE, seed))
    level, stem = offer.level, offer.common_stem
    if offer.layers is None:
        assert joined is not None
        return PartyChoice(choose_level(party, alone, joined, level, seed, common_stem=stem))
    if refused := unusable(offer.layers, alone.export(offer.layers)):
        _log.warning("%s uses no layers that were offered: %s", party.name, refused)
        choice = choose_level(party, alone, alone, ALONE, seed)
        return PartyChoice(choice, refused=refused)
    if not {STEM, HEAD} <= set(offer.layers):
        learner = start_newcomer(party, settings, offer.layers, seed)
        return PartyChoice(choose_level(party, alone, learner, level, seed, common_stem=stem))
    choice = choose_newcomer_level(party, alone, settings, offer.layers, seed)
    forecast_BNH = choice.first(MAX_LEVEL).predict(party.test, party.test_origins)
    return PartyChoice(choice, score_forecast(forecast_BNH, party.test.truth_BNH, party.metric))


def allows_episodes(settings: ServiceSettings) -> bool:
    """Whether grants allow episodic training: members share all layers with some newcomer."""
    grant, newcomers = settings.grant, set(settings.newcomers)
    less = {name for name in grant.party if not _whole(settings, name)}
    shared = grant.level == MAX_LEVEL and grant.stem == "common"
    return shared and not less - newcomers and bool(newcomers - less)


def episodic_start(settings: ServiceSettings, profiles: Profiles, joined: Training) -> Layers:
    """The layers episodic training starts from; empty where no newcomer may use all of them."""
    others = {name: profiles[name] for name in round_members(settings, profiles)}
    ready = [
        name
        for name in profiles
        if name in settings.newcomers
        and _whole(settings, name)
        and not shape_groups_of({**others, name: profiles[name]})
    ]
    layers = common_layers(joined.progress)
    if not allows_episodes(settings) or not ready or not {STEM, HEAD} <= set(layers):
        return {}
    return layers


def _whole(settings: ServiceSettings, name: str) -> bool:
    grant = settings.grant
    return grant.level_of(name) == MAX_LEVEL and grant.stem_of(name) == "common"


def _stems(settings: ServiceSettings, name: str, profiles: Profiles) -> list[str]:
    """The members with whom a party shares its stem: those that grant a compatible one."""
    if settings.grant.stem_of(name) != "common":
        return []
    others = round_members(settings, profiles)
    groups = shape_groups_of({other: profiles[other] for other in (*others, name)})
    sharing = [other for other in others if settings.grant.stem_of(other) == "common"]
    return peers(STEM, name, sharing, groups)


def alone_errors(chosen: PartyChoice, party: Party) -> dict[str, MethodErrors]:
    """Test errors of learning alone, where that is an ensemble and not only the network."""
    choice = chosen.choice
    ensemble = {level for level, _ in choice.experts} == {ALONE} and len(choice.experts) > 1
    alone = choice if ensemble else choice.alone
    if alone is None:
        return {}
    forecast_BNH = alone.forecast(party).forecast_BNH
    return {ALONE_METHOD: score_forecast(forecast_BNH, party.test.truth_BNH, party.metric)}


def level_errors(
    chosen: PartyChoice, party: Party, levels: Sequence[int]
) -> dict[str, MethodErrors]:
    """A newcomer's test errors at fixed levels, tuned from the shared layers."""
    deepest = max(level for level, _ in chosen.choice.experts)
    if deepest == ALONE:
        return {}
    experts = {level: chosen.choice.first(min(level, deepest)) for level in levels}
    least, truth_BNH = np.float32(party.floor), party.test.truth_BNH
    return {
        fixed_level_name(level): score_forecast(
            np.maximum(expert.predict(party.test, party.test_origins), least),
            truth_BNH,
            party.metric,
        )
        for level, expert in experts.items()
    }
