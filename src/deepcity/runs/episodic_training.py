"""Episodic training: members with many days are trained on rows as a newcomer would see them.

A newcomer's typical day rests on few days: its first Sunday is compared with working days.
Networks trained on full records have never seen that. So after the last round there are a few
more, in which parties train half on their own rows and half on episodes: rows as they would look
with only the last 1, 2, 4, ... days known. The typical day, its scale and everything derived from
it are fitted to these days only, at times after them with the days since added. The number of
days behind a typical day is an input, and weekdays are encoded, so the network learns what an
unseen Sunday is like, and when to rely on the seasonal baseline. (Few-shot learning by episodes
that resemble the test: Vinyals et al. 2016.)

Episodes are sampled anew for every stage of rounds, since further rounds on the same rows
overfit. Where parties have few places in all, there is only one stage.

Shapes: B origins, N places, H horizon steps, S linear features, F features.
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
from deepcity.intercity.method import Method
from deepcity.learning.features.cold_start_scaling import shrink_scale
from deepcity.learning.features.inputs import Inputs, Samples, fit_inputs
from deepcity.learning.training.local_training import party_seed
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.party import SCARCE_VALIDATION, Party
from deepcity.runs.site import Site
from deepcity.runs.trainings import ServiceRun, profiles_of, run_method
from deepcity.store.checkpoint import CheckpointStore

KNOWN_DAYS = (1, 2, 4, 7, 14, 28)
LATER_DAYS = 14  # days of an episode after the known ones
EPISODES = 4  # for each number of known days
STAGES = ((6, 0.75), (18, 1.5))
"""Rounds of each stage, and the factor of its learning rate; each samples its own rows."""
ENOUGH_PLACES = 8  # of all members; with fewer a second stage overfits
SitesOf = Callable[[int], Sequence[Site]]
STAGE_SEED = 1000  # offset between the seeds of two stages
_SEED_LABEL = "practice"  # of the episodes; results follow from it, so it stays


def run_episodic_training(
    settings: ServiceSettings,
    sites_of: SitesOf,
    layers: Layers,
    seed: int,
    *,
    checkpoints: CheckpointStore | None = None,
    after_round: Callable[[int], None] = lambda _round: None,
    keys: Mapping[str, str] | None = None,
) -> list[Training]:
    """Train in stages on episodes, starting from the shared layers after the last round.

    Newcomers start from the layers of the last stage. Empty where stems are private: a
    newcomer's own stem is trained below the shared layers later.

    Args:
        sites_of: stage -> its sites, each with rows as `with_episodes` gives them; called when
            the stage starts, so that only one stage's rows are in memory.
        layers: shared layers to start from.
        checkpoints: the coordinator's, from which a killed training resumes.
        after_round: called with the number of rounds done in all stages.
        keys: as of `run_method`.
    """
    found: list[Training] = []
    if STEM not in layers:
        return found
    for number in range(len(STAGES)):
        start = found[-1].progress.state.layers if found else layers
        sites = sites_of(number)
        profiles = profiles_of(sites)
        before = sum(rounds for rounds, _ in STAGES[:number])

        def advance(done: int, before: int = before) -> None:
            after_round(before + done)

        run, method = stage_run(settings, profiles, start, seed, number)
        found.append(
            run_method(run, method, sites, checkpoints=checkpoints, after_round=advance, keys=keys)
        )
        if number + 1 == stage_count(profiles):
            break
    return found


def stage_run(
    settings: ServiceSettings,
    profiles: Mapping[str, SiteProfile],
    start: Layers,
    seed: int,
    number: int,
) -> tuple[ServiceRun, Method]:
    """A stage's training, as the coordinator leads it.

    Args:
        start: shared layers that every site starts from.
        seed: of the run.
        number: of the stage, from 0 on.
    """
    hurried, draw = stage_settings(settings, number), stage_seed(seed, number)
    run = ServiceRun(hurried, profiles, draw, start=start, source_digest=_digest(start))
    return run, Method(stage_method(number), dict.fromkeys(profiles, MAX_LEVEL))


def stage_method(number: int) -> str:
    """Name of a stage's method."""
    return f"episodic-{number + 1}"


def stage_seed(seed: int, number: int) -> int:
    """Seed of a stage."""
    return seed + STAGE_SEED * number


def episodic_site(site: Site, stage: int) -> Site:
    """The site with the rows of a stage, without a network."""
    party = with_episodes(site.party, site.settings, site.seed, stage)
    return replace(site, party=party, learners={}, test={})


def stage_count(profiles: Mapping[str, SiteProfile]) -> int:
    """Number of stages for these parties."""
    places = sum(profile.places for profile in profiles.values())
    return len(STAGES) if places >= ENOUGH_PLACES else 1


def stage_settings(settings: ServiceSettings, number: int) -> ServiceSettings:
    """The service's settings with the rounds and learning rate of a stage."""
    rounds, share = STAGES[number]
    rate = share * settings.training.learning_rate
    training = settings.training.model_copy(update={"rounds": rounds, "learning_rate": rate})
    return settings.model_copy(update={"training": training})


def _digest(layers: Layers) -> str:
    digest = hashlib.sha256()
    for layer, tensors in sorted(layers.items()):
        for name, values in sorted(tensors.items()):
            digest.update(f"{layer}.{name}".encode() + np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def with_episodes(party: Party, settings: ServiceSettings, seed: int, stage: int = 0) -> Party:
    """The party with as many rows again, as it would see them with few days.

    Each stage samples its own. A party with records too short for any episode is returned
    unchanged.
    """
    seed += STAGE_SEED * stage
    plan = _plan(party, seed)
    count = max(1, round(len(party.data.train) / max(1, len(plan))))
    rng = np.random.default_rng(party_seed(seed, f"{party.name}/{_SEED_LABEL} rows", 0))
    rows = [part for span in plan for part in _episode(party, settings, span, count, rng)]
    if not rows:
        return party
    return replace(party, data=replace(party.data, train=Samples.concat([party.data.train, *rows])))


def _plan(party: Party, seed: int) -> list[tuple[int, int, int]]:
    """Episodes (first step, steps known, steps after) inside the training span."""
    rng = np.random.default_rng(party_seed(seed, f"{party.name}/{_SEED_LABEL}", 0))
    slots, train = party.inputs.grid.slots, party.split.train
    window, found = party.inputs.settings, []
    for days in KNOWN_DAYS:
        known = days * slots
        learned = round(known * (1 - SCARCE_VALIDATION))
        if learned < window.history + window.horizon or 2 * known > len(train):
            continue
        after = min(LATER_DAYS * slots, len(train) - known)
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
    """Rows at random origins after the known days; none where the episode is too short."""
    first, known, after = plan
    end = min(first + known + after, party.split.train.end)
    last = end - first - settings.window.horizon
    if last < known:
        return
    inputs = _inputs(party, settings, first, end, known)
    origins_B = np.sort(rng.integers(known, last + 1, count)).astype(np.int64)
    yield _in_scale(inputs.samples(origins_B), party.data.train.scale_N1)


def _inputs(party: Party, settings: ServiceSettings, first: int, end: int, known: int) -> Inputs:
    """Inputs of a newcomer that has `known` steps, and later those since."""
    time_T: Ints = party.panel.time_T
    panel = party.panel.between(int(time_T[first]), int(time_T[end - 1]) + 1)
    train = Span(0, round(known * (1 - SCARCE_VALIDATION)))
    inputs = fit_inputs(panel, party.field, settings.window, train, panel.adjacency_NN)
    return shrink_scale(inputs, party.inputs.residual_ratio, train, panel.adjacency_NN)


def _in_scale(samples: Samples, scale_N1: np.ndarray) -> Samples:
    """The same targets in another scale around 0, so that rows of several inputs can be stacked."""
    target_BNH = samples.target_BNH
    return Samples(
        samples.features_BNF,
        samples.linear_BNHS,
        np.zeros_like(target_BNH),
        np.asarray(target_BNH * scale_N1, np.float32),
        scale_N1,
        samples.recent,
    )
