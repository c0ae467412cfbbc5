"""Steps and seconds to a target error: learning alone against reusing layers."""

import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from benchmarks.cost.setting import SEEDS, water
from deepcity.city.level import HEAD, HIDDEN_LAYERS, MAX_LEVEL, Layers
from deepcity.intercity.method import Method
from deepcity.learning.training.learner import Learner
from deepcity.learning.training.local_training import validation_score
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.party import Party, parties_of
from deepcity.runs.trainings import train_parties

NEW = ("ferrara/district-3", "ferrara/district-7")  # those that come later, and reuse layers
SCARCE_DAYS = 14
EVALUATE_EVERY = 10  # optimizer steps


@dataclass(frozen=True)
class Course:
    """One training: test error and training seconds at each look, and the kept state's error.

    Kept is the state with the lowest validation error, as in every run.
    """

    errors: list[float]
    seconds: list[float]
    kept: float = float("nan")

    def reaches(self, target: float) -> tuple[float, float]:
        """Steps and seconds until the error is at or under the target; infinite if never."""
        for evaluation, error in enumerate(self.errors):
            if error <= target:
                return float(evaluation * EVALUATE_EVERY), self.seconds[evaluation]
        return float("inf"), float("inf")


def reuse() -> str:
    """Layers learned by eight districts, brought into two others, against learning alone."""
    services = {"all": water(), f"{SCARCE_DAYS}": water(**dict.fromkeys(NEW, SCARCE_DAYS))}
    ready = {days: parties_of(service) for days, service in services.items()}
    rows: dict[tuple[str, str, int], list[tuple[float, ...]]] = {}
    for seed in SEEDS:
        common = _common(services["all"].settings, ready["all"], seed)
        for days, found in ready.items():
            for party in found:
                if party.name in NEW:
                    own = _course(services[days].settings, party, {}, seed)
                    for level in (5, MAX_LEVEL):
                        names = (*HIDDEN_LAYERS, HEAD)[:level]
                        start = {name: common[name] for name in names}
                        other = _course(services[days].settings, party, start, seed)
                        key = (party.name.partition("/")[2], days, level)
                        rows.setdefault(key, []).append(_compare(own, other))
        print(f"reuse: seed {seed} done", flush=True)
    return _reuse_report(rows)


def _common(settings: ServiceSettings, found: list[Party], seed: int) -> Layers:
    """h1..h5 and the head as eight districts fused them last."""
    first = [party for party in found if party.name not in NEW]
    method = Method("joined", {party.name: MAX_LEVEL for party in first})
    training, _ = train_parties(settings, first, seed, method)
    return {name: training.progress.state.layers[name] for name in (*HIDDEN_LAYERS, HEAD)}


def _compare(own: Course, other: Course) -> tuple[float, ...]:
    """Steps alone, steps reusing, ratio of seconds; errors reusing / alone: first, kept.

    The ratio is NaN where learning alone needs no step: it ends no better than it began.
    """
    target = own.errors[-1]
    (own_steps, own_seconds), (steps, seconds) = own.reaches(target), other.reaches(target)
    ratio = seconds / own_seconds if own_seconds else float("nan")
    return own_steps, steps, ratio, other.errors[0] / own.errors[0], other.kept / own.kept


def _course(settings: ServiceSettings, party: Party, start: Layers, seed: int) -> Course:
    total = settings.training.total_steps
    training = settings.training.model_copy(
        update={"rounds": total // EVALUATE_EVERY, "local_steps": EVALUATE_EVERY}
    )
    learner = Learner(party.data, training, seed, start=start)
    course = Course([_test_error(learner, party)], [0.0])
    for number in range(training.rounds):
        begun = time.process_time()
        learner.train_round(number)
        course.seconds.append(course.seconds[-1] + time.process_time() - begun)
        course.errors.append(_test_error(learner, party))
        learner.receive({})
    learner.keep_best()
    return replace(course, kept=_test_error(learner, party))


def _test_error(learner: Learner, party: Party) -> float:
    return validation_score(learner.forecast(party.test), party.test, learner.settings.mae_weight)


def _reuse_report(rows: Mapping[tuple[str, str, int], list[tuple[float, ...]]]) -> str:
    lines = [
        "## Cost: steps to a target error, alone against reusing layers",
        f"Eight water districts of Ferrara learn together (level {MAX_LEVEL}); their h1..h5",
        "(level 5), or these and the head (level 6), then begin a district that was not among",
        "them, and all is fine-tuned. Target: the test error (MAE) that learning alone ends",
        "with; looked at every 10 optimizer steps, training CPU seconds only. `never` counts as",
        f"infinite. Seeds {', '.join(map(str, SEEDS))}: median (lowest to highest); ± is the",
        "standard deviation. The eight districts' own training is not counted. Where learning",
        "alone ends no better than its ridge began (0 steps), the ratio has no meaning and is",
        "left out (–). The error kept is that of the state chosen on the validation span.",
        "",
        "| district | days it has | level | steps alone | steps reusing | seconds, reusing / alone"
        " | error before training, reusing / alone | error kept, reusing / alone |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for (district, days, level), found in rows.items():
        own, steps, seconds, first, kept = zip(*found, strict=True)
        cells = [_range(own, 0), _range(steps, 0), _range(seconds, 2)]
        cells += [f"{statistics.mean(e):.3f} ± {statistics.stdev(e):.3f}" for e in (first, kept)]
        lines.append(f"| {district} | {days} | {level} | {' | '.join(cells)} |")
    for level in (5, MAX_LEVEL):
        ratios = [row[2] for (_, _, own), found in rows.items() if own == level for row in found]
        known = [ratio for ratio in ratios if not math.isnan(ratio)]
        never = sum(math.isinf(ratio) for ratio in known)
        lines.append("")
        lines.append(
            f"Level {level}: median ratio of seconds {_range(known, 2)} over the {len(known)} of "
            f"{len(ratios)} cases where it has a meaning; target never reached in {never} of them."
        )
    return "\n".join(lines)


def _range(values: tuple[float, ...] | list[float], digits: int) -> str:
    def formatted(value: float) -> str:
        return "never" if value == float("inf") else f"{value:.{digits}f}"

    values = [value for value in values if not math.isnan(value)]
    if not values:
        return "–"
    low, high = formatted(min(values)), formatted(max(values))
    return f"{formatted(statistics.median(values))} ({low} to {high})"
