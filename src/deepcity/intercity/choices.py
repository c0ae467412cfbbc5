"""What every party of a service ends with: those who learned together, and newcomers.

A newcomer took no part in the rounds. It starts from the layers that the others have in
common (`deepcity.intercity.newcomer`), and then weighs all levels as everybody does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from deepcity.city.level import ALONE, HEAD, MAX_LEVEL, STEM, Layers, layers_up_to
from deepcity.intercity.alike import fellows, groups_of, layers_for, shareable
from deepcity.intercity.automatic import Choice, choose
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.methods import Method, Outcome
from deepcity.intercity.newcomer import choose_late, common_layers, join_late
from deepcity.intercity.parties import Party
from deepcity.intercity.results import Errors, fixed
from deepcity.intercity.summary import errors_of
from deepcity.learning.learner import Learner


@dataclass(frozen=True)
class Chosen:
    """A party's choice, and what a newcomer was worth to itself before any training.

    Attributes:
        first_day: test errors of the others' layers as they came; None where the party is no
            newcomer, or had to train a stem or head of its own first.
        practice: the courses of rounds in which the others practised for it, if they did.
    """

    choice: Choice
    first_day: Errors | None = None
    practice: Sequence[Outcome] = ()


def together(settings: ServiceSettings, parties: Sequence[Party]) -> list[Party]:
    """Those who take part in the rounds."""
    return [party for party in parties if party.name not in settings.newcomers]


def fixed_method(settings: ServiceSettings, parties: Sequence[Party], level: int) -> Method:
    """Every party of the rounds at this level, or as deep as it grants and others share.

    What no other party could use, newcomers among them, does not leave; a service of one
    party has its layer package to fill.
    """
    granted = {party.name: min(level, settings.grant.level_of(party.name)) for party in parties}
    if len(granted) == 1:
        return Method(fixed(level), granted)
    groups = groups_of(parties)
    levels = {
        party.name: shareable(party.name, granted, granted[party.name], groups)
        for party in together(settings, parties)
    }
    return Method(fixed(level), levels)


def choices(
    settings: ServiceSettings,
    parties: Sequence[Party],
    alone: Mapping[str, Learner],
    joined: Outcome | None,
    seed: int,
    advance: Callable[[int], None],
    practice: Sequence[Outcome] = (),
) -> dict[str, Chosen]:
    """Every party's choice; without a joined training each stays alone.

    Args:
        practice: the courses of rounds in which members practised for newcomers, if they did.
    """
    found: dict[str, Chosen] = {}
    for done, party in enumerate(parties, 1):
        own = alone[party.name]
        if joined is None:
            found[party.name] = Chosen(choose(party, own, own, ALONE, seed))
        elif party.name in settings.newcomers:
            others = together(settings, parties)
            found[party.name] = _newcomer(settings, party, others, own, joined, seed, practice)
        else:
            found[party.name] = Chosen(_member(settings, party, parties, own, joined, seed))
        advance(done)
    return found


def _member(
    settings: ServiceSettings,
    party: Party,
    parties: Sequence[Party],
    own: Learner,
    joined: Outcome,
    seed: int,
) -> Choice:
    levels = joined.method.levels
    others = together(settings, parties)
    groups = groups_of(others)
    level = shareable(party.name, levels, levels[party.name], groups)
    if level == ALONE and settings.reuse is not None:  # it has the package's layers in common
        level = settings.reuse.level
    stem = bool(_stems(settings, party, others))
    learner = joined.learners[party.name]
    return choose(party, own, learner, level, seed, common_stem=stem)


def _newcomer(
    settings: ServiceSettings,
    party: Party,
    others: Sequence[Party],
    own: Learner,
    joined: Outcome,
    seed: int,
    practice: Sequence[Outcome],
) -> Chosen:
    groups = groups_of([*others, party])
    granted = settings.grant.level_of(party.name)
    level = shareable(party.name, joined.method.levels, granted, groups)
    stem = bool(_stems(settings, party, others))
    names = layers_up_to(level, common_stem=stem)
    fitting = layers_for(party.name, common_layers(joined.progress), groups)
    start: Layers = {name: fitting[name] for name in names}
    if not {STEM, HEAD} <= set(start):
        learner = join_late(party, settings, start, seed)
        return Chosen(choose(party, own, learner, level, seed, common_stem=stem))
    practice = () if groups else practice  # members practised in their own shapes
    layers = common_layers(practice[-1].progress) if practice else start
    choice = choose_late(party, own, settings, layers, seed)
    as_it_came = choice.first(MAX_LEVEL)(party.test, party.test_origins)
    return Chosen(choice, errors_of(as_it_came, party.test.truth_BNH), practice)


def practises(settings: ServiceSettings) -> bool:
    """Whether grants let members practise: if all share all, and some newcomer may have it."""
    grant, late = settings.grant, settings.newcomers
    less = {name for name in grant.party if not _whole(settings, name)}
    shared = grant.level == MAX_LEVEL and grant.stem == "common"
    return shared and not less - set(late) and bool(set(late) - less)


def practice_start(settings: ServiceSettings, parties: Sequence[Party], joined: Outcome) -> Layers:
    """The layers that members practise from; none where no newcomer could start from all."""
    others = together(settings, parties)
    ready = [
        party
        for party in parties
        if party.name in settings.newcomers
        and _whole(settings, party.name)
        and not groups_of([*others, party])
    ]
    layers = common_layers(joined.progress)
    if not practises(settings) or not ready or not {STEM, HEAD} <= set(layers):
        return {}
    return layers


def practice_of(chosen: Mapping[str, Chosen]) -> Sequence[Outcome]:
    """The courses of practice, which are the same for every newcomer that had them."""
    return next((one.practice for one in chosen.values() if one.practice), ())


def _whole(settings: ServiceSettings, name: str) -> bool:
    grant = settings.grant
    return grant.level_of(name) == MAX_LEVEL and grant.stem_of(name) == "common"


def _stems(settings: ServiceSettings, party: Party, others: Sequence[Party]) -> list[str]:
    """With whom a party shares its stem: those who grant theirs, where it fits."""
    if settings.grant.stem_of(party.name) != "common":
        return []
    groups = groups_of([*(other for other in others if other.name != party.name), party])
    sharing = [other.name for other in others if settings.grant.stem_of(other.name) == "common"]
    return fellows(STEM, party.name, sharing, groups)


def level_errors(chosen: Chosen, party: Party, levels: Sequence[int]) -> dict[str, Errors]:
    """A newcomer's test errors at fixed levels: what it tuned from the others' layers."""
    deepest = max(level for level, _ in chosen.choice.experts)
    if deepest == ALONE:
        return {}
    return {
        fixed(level): errors_of(
            chosen.choice.first(min(level, deepest))(party.test, party.test_origins),
            party.test.truth_BNH,
        )
        for level in levels
    }
