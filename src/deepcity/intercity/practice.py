"""Parties with many days practise being newcomers, so that what they learn fits one.

A newcomer's typical day rests on few days: its first Sunday is compared with working days.
Networks trained on full records have never seen that. So after the last round parties meet
a few times more, and learn half from their own rows and half from rows as they would look
had they known only the last 1, 2, 4, ... days: the typical day, its scale and all that
follows from it are made anew from these days, at times after them when more have come in.
How many like days a typical day rests on is an input, and weekdays are named, so the network
learns what an unseen Sunday is like, and when to trust its own anchor. (Learning to learn
from few by episodes that look like the test: Vinyals et al. 2016.)

Such rows are drawn anew for every course of rounds: rounds that meet the same rows again
learn them by heart. Where parties have few places in all, the first course is the only one.

Shapes: B origins, N places, H horizon steps, S summaries, F features.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.city.level import MAX_LEVEL, STEM, Layers
from deepcity.data.windows import Span
from deepcity.exchange.coordinator import Training
from deepcity.exchange.profile import SiteProfile
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.method import Method
from deepcity.intercity.methods import Run, profiles_of, run_method
from deepcity.intercity.parties import SCARCE_VALIDATION, Party
from deepcity.intercity.site import Site
from deepcity.learning.features import Inputs, Samples, fit_inputs
from deepcity.learning.hearsay import told
from deepcity.learning.training import party_seed
from deepcity.store.checkpoint import CheckpointStore

KNOWN_DAYS = (1, 2, 4, 7, 14, 28)
PASSED_DAYS = 14  # so many days after its first forecast a newcomer is watched
EPISODES = 4  # for each number of known days
COURSES = ((6, 0.75), (18, 1.5))
"""Rounds of each course, and its share of the learning rate; rows are drawn anew for each."""
ENOUGH_PLACES = 8  # of all who practise; fewer are learned by heart in a second course
SitesOf = Callable[[int], Sequence[Site]]
COURSE_SEED = 1000  # sets the draws of one course apart from those of the one before


def practise(
    settings: ServiceSettings,
    sites_of: SitesOf,
    layers: Layers,
    seed: int,
    *,
    checkpoints: CheckpointStore | None = None,
    after_round: Callable[[int], None] = lambda _round: None,
) -> list[Training]:
    """Courses of practice, from the layers that parties have in common after their last round.

    Newcomers start from what the last course left; with few places there is but one. Empty
    where stems are private: the newcomer's own stem is trained under the layers later.

    Args:
        sites_of: the sites of a course, each with rows as `with_practice` gives them; asked
            when the course begins, so that the rows of one alone are in memory.
        checkpoints: the coordinator's, where a killed practice goes on from.
        after_round: told how many rounds of all courses are done.
    """
    found: list[Training] = []
    if STEM not in layers:
        return found
    for number in range(len(COURSES)):
        start = found[-1].progress.state.layers if found else layers
        sites = sites_of(number)
        profiles = profiles_of(sites)
        before = sum(rounds for rounds, _ in COURSES[:number])

        def advance(done: int, before: int = before) -> None:
            after_round(before + done)

        hurried, draw = _hurried(settings, number), seed + COURSE_SEED * number
        run = Run(hurried, profiles, draw, start=start, made_of=_digest(start))
        method = Method(f"practice-{number + 1}", dict.fromkeys(profiles, MAX_LEVEL))
        found.append(run_method(run, method, sites, checkpoints=checkpoints, after_round=advance))
        if number + 1 == courses_of(profiles):
            break
    return found


def practising(site: Site, course: int) -> Site:
    """The site with the rows of a course, and no network yet."""
    party = with_practice(site.party, site.settings, site.seed, course)
    return Site(site.settings, party, site.seed, site.folder)


def courses_of(profiles: Mapping[str, SiteProfile]) -> int:
    """How many courses these parties practise."""
    places = sum(profile.places for profile in profiles.values())
    return len(COURSES) if places >= ENOUGH_PLACES else 1


def _hurried(settings: ServiceSettings, number: int) -> ServiceSettings:
    """A course has rounds and a rate of its own."""
    rounds, share = COURSES[number]
    rate = share * settings.training.learning_rate
    training = settings.training.model_copy(update={"rounds": rounds, "learning_rate": rate})
    return settings.model_copy(update={"training": training})


def _digest(layers: Layers) -> str:
    digest = hashlib.sha256()
    for layer, tensors in sorted(layers.items()):
        for name, values in sorted(tensors.items()):
            digest.update(f"{layer}.{name}".encode() + np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def with_practice(party: Party, settings: ServiceSettings, seed: int, course: int = 0) -> Party:
    """The party with as many rows again, as it would see them with few days.

    Each course draws its own. A party whose records are too short for any episode is given
    back as it is.
    """
    seed += COURSE_SEED * course
    plan = _plan(party, seed)
    count = max(1, round(len(party.data.train) / max(1, len(plan))))
    rng = np.random.default_rng(party_seed(seed, f"{party.name}/practice rows", 0))
    rows = [part for span in plan for part in _episode(party, settings, span, count, rng)]
    if not rows:
        return party
    return replace(party, data=replace(party.data, train=Samples.concat([party.data.train, *rows])))


def _plan(party: Party, seed: int) -> list[tuple[int, int, int]]:
    """Episodes (first step, steps known, steps after) inside the training span."""
    rng = np.random.default_rng(party_seed(seed, f"{party.name}/practice", 0))
    slots, train = party.inputs.grid.slots, party.split.train
    window, found = party.inputs.settings, []
    for days in KNOWN_DAYS:
        known = days * slots
        learned = round(known * (1 - SCARCE_VALIDATION))
        if learned < window.history + window.horizon or 2 * known > len(train):
            continue
        after = min(PASSED_DAYS * slots, len(train) - known)
        starts = (len(train) - known - after) // slots + 1
        for _ in range(EPISODES):
            found.append((train.start + int(rng.integers(starts)) * slots, known, after))
    return found


def _episode(
    party: Party,
    settings: ServiceSettings,
    plan: tuple[int, int, int],
    count: int,
    rng: np.random.Generator,
) -> Iterator[Samples]:
    """Rows at random origins after the known days, if any of those was measured."""
    first, known, after = plan
    end = min(first + known + after, party.split.train.end)
    last = end - first - settings.window.horizon
    if last < known:
        return
    inputs = _inputs(party, settings, first, end, known)
    origins_B = np.sort(rng.integers(known, last + 1, count)).astype(np.int64)
    yield _in_scale(inputs.samples(origins_B), party.data.train.scale_N1)


def _inputs(party: Party, settings: ServiceSettings, first: int, end: int, known: int) -> Inputs:
    """What a newcomer would see that owns `known` steps, and later those that came in."""
    time_T: Ints = party.panel.time_T
    panel = party.panel.between(int(time_T[first]), int(time_T[end - 1]) + 1)
    train = Span(0, round(known * (1 - SCARCE_VALIDATION)))
    inputs = fit_inputs(panel, party.field, settings.window, train, panel.adjacency_NN)
    return told(inputs, party.inputs.share, train, panel.adjacency_NN)


def _in_scale(samples: Samples, scale_N1: np.ndarray) -> Samples:
    """The same targets, said in another scale around 0: rows of other views can be stacked."""
    target_BNH = samples.target_BNH
    return Samples(
        samples.features_BNF,
        samples.summaries_BNHS,
        np.zeros_like(target_BNH),
        np.asarray(target_BNH * scale_N1, np.float32),
        scale_N1,
        samples.recent,
    )
