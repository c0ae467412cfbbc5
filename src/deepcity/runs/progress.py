"""Tasks of a run for the progress display: every method of every service, and its cost."""

from collections.abc import Sequence

from deepcity.city.level import ALONE
from deepcity.city.progress import ProgressTask, task_name
from deepcity.intercity.party_choices import allows_episodes
from deepcity.maps.city_map import Service
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties import method_errors as names
from deepcity.runs.episodic_training import STAGES

NEWCOMERS_ALONE = "newcomers alone"
EPISODIC_TRAINING = "episodic training for newcomers"


def is_lone(settings: ServiceSettings, parties: int) -> bool:
    """Whether a service has nobody to share layers with: a single party, and no package to start
    from.
    """
    return parties == 1 and settings.reuse is None


def trained_levels(settings: ServiceSettings, parties: int) -> list[int]:
    """Levels that are trained: alone, the fixed ones, and the deepest for the choice of levels.

    A lone party (`is_lone`) is trained alone.
    """
    if is_lone(settings, parties):
        return [ALONE]
    deepest = settings.grant.level
    asked = {min(level, deepest) for level in settings.levels}
    return sorted({ALONE, *asked, *([deepest] if settings.automatic else [])})


def tasks_of(services: Sequence[Service]) -> list[ProgressTask]:
    """Every method of these services, in order of execution."""
    return [task for service in services for task in _tasks(service)]


def _tasks(service: Service) -> list[ProgressTask]:
    settings, parties = service.settings, len(service.members)
    training = settings.training
    one = float(training.rounds * training.local_steps * training.batch_size)
    levels = trained_levels(settings, parties)
    methods = [names.ALONE if level == ALONE else names.fixed_level_name(level) for level in levels]
    joining = parties - len(settings.newcomers)
    tasks = [_task(settings, name, training.rounds, joining * one) for name in methods]
    newcomers = len(settings.newcomers)
    if newcomers:
        tasks.insert(
            1, _task(settings, NEWCOMERS_ALONE, training.rounds * newcomers, newcomers * one)
        )
    if allows_episodes(settings):
        rounds = sum(rounds for rounds, _ in STAGES)
        tasks.append(
            _task(settings, EPISODIC_TRAINING, rounds, joining * one * rounds / training.rounds)
        )
    tries = max(levels) + 1 if settings.automatic else 0
    choosing = float(parties * tries * training.refit_steps * training.batch_size)
    tasks.append(_task(settings, names.AUTOMATIC, parties, choosing))
    if settings.pooled:
        tasks.append(_task(settings, names.POOLED, training.rounds, one))
    return tasks


def _task(settings: ServiceSettings, method: str, steps: int, cost: float) -> ProgressTask:
    return ProgressTask(task_name(settings.name, method), steps, cost)
