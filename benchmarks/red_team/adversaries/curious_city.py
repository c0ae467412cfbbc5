"""A curious city: a member that keeps the rules, and looks closely at what it gets."""

from collections.abc import Iterable
from functools import partial

import numpy as np

from benchmarks.red_team.play import Ending, Stage, all_of, measured, play, stopped_by
from benchmarks.red_team.stages.counts import (
    ALLOWED,
    EPSILON,
    KNOWN_K,
    TERMS,
    counts_town,
    most_right,
    right_guesses,
    shown,
)
from benchmarks.red_team.stages.machines import Machines
from benchmarks.red_team.stages.simulated import SEED, Simulated, Tap, impostor
from deepcity.city.arrays import Doubles, Floats
from deepcity.city.errors import GrantError
from deepcity.city.level import Layers
from deepcity.exchange.exchange import Handler
from deepcity.learning.features.inputs import Samples
from deepcity.privacy.counts.release import ReleasedCounts, release

WHO = "curious city"
RECORDS = "records of another member"
PERSON = "to know whether a person was counted"
_RIGHT = "share of right guesses, in or out, from {} answers (half is chance):"
_VICTIM, _RUN = "east/north", 3
"""Values in a row that count as found."""


@play(WHO, Stage.SIMULATED, RECORDS)
def looks_for_records_in_what_it_receives(stage: Simulated) -> Ending:
    """keeps every array that reaches it in a training, and looks in them for another's values"""
    *others, own = stage.sites()
    taps: list[Tap] = []

    def joining(handler: Handler) -> Handler:
        taps.append(Tap(handler))
        return taps[-1]

    stage.train([*others, impostor(own, joining)])
    received = [message.layers for tap in taps for message, _ in tap.passed]
    assert any(received), "nothing reached it"
    party = next(one for one in stage.parties if one.name == _VICTIM)
    values = np.asarray(party.inputs.values_TN[:, 0], np.float32)
    scaled = np.asarray(party.data.train.target_BNH, np.float32).reshape(-1)
    wanted = {*_runs(values), *_runs(scaled)}
    found = sum(run in wanted for layers in received for run in _all_runs(layers))
    return measured(found, 0, f"runs of {_RUN} values of another's records that it was sent:")


def _runs(values_V: Floats) -> Iterable[tuple[float, ...]]:
    runs = np.lib.stride_tricks.sliding_window_view(values_V, _RUN)
    return map(tuple, runs[np.isfinite(runs).all(axis=1) & (runs != 0).any(axis=1)].tolist())


def _all_runs(layers: Layers) -> Iterable[tuple[float, ...]]:
    for tensors in layers.values():
        for tensor in tensors.values():
            values_V = np.asarray(tensor, np.float32).reshape(-1)
            if len(values_V) >= _RUN:
                yield from _runs(values_V)


@play(WHO, Stage.SIMULATED, "to know whether a day was learned from")
def tells_days_that_were_learned_from(stage: Simulated) -> Ending:
    """ranks another's days by the error of the network that it holds after the last round"""
    sites = stage.sites()
    stage.train(sites)
    own, victim = sites[-1].learners["joined"], stage.parties[0]
    inside, outside = (
        np.abs(own.forecast(one) - one.truth_BNH).mean(axis=(1, 2))
        for one in (_some(victim.data.train), victim.test)
    )
    return measured(
        _advantage(inside, outside),
        0.2,
        "how far from guessing (area under the curve less 0.5) it tells learned days:",
    )


def _some(samples: Samples) -> Samples:
    chosen = np.random.default_rng(SEED).permutation(len(samples.truth_BNH))[:200]
    return samples[np.sort(chosen)] if hasattr(samples, "__getitem__") else samples


def _advantage(inside_B: Doubles, outside_B: Doubles) -> float:
    inside_B, outside_B = (one[np.isfinite(one)] for one in (inside_B, outside_B))
    less = (inside_B[:, None] < outside_B[None]).mean()
    same = (inside_B[:, None] == outside_B[None]).mean()
    return abs(float(less + same / 2) - 0.5)


@play(WHO, Stage.MACHINES, RECORDS)
def searches_its_own_machine(stage: Machines) -> Ending:
    """trains with others, then searches all files of its own kit for their names and records"""
    stage.rounds()
    kit = stage.kit("south")
    text = b"".join(one.read_bytes() for one in (kit / "run").rglob("*") if one.is_file())
    assert b"south/water" in text, "its own records of the run are not there"
    names = sum(text.count(f"{other}/water".encode()) for other in ("north", "centre"))
    values = sum(one in text for one in stage.record_runs("north"))
    return measured(names + values, 0, "names and records of others in its files:")


@play(WHO, Stage.SIMULATED, PERSON)
def averages_answers_to_one_question(stage: Simulated) -> Ending:
    """asks for the same counts until it gets no more, and guesses what all make likelier"""
    answers = counts_town(stage.folder / "averaged").answers()
    out = KNOWN_K[0]

    def guess(found: list[ReleasedCounts]) -> bool:
        seen = np.array([shown(one, 0) for one in found])
        return float((np.abs(seen - out - 1) - np.abs(seen - out)).sum()) < 0

    right = right_guesses(answers, guess)
    return measured(right, most_right(ALLOWED), _RIGHT.format(answers))


@play(WHO, Stage.SIMULATED, PERSON)
def takes_the_difference_of_two_questions(stage: Simulated) -> Ending:
    """asks for all, and for all but the person, until it gets no more; guesses by the difference"""
    pairs = counts_town(stage.folder / "differences").answers() // 2

    def guess(with_the_person: list[ReleasedCounts]) -> bool:
        without = [shown(release(KNOWN_K, TERMS), 0) for _ in range(pairs)]
        return float(np.mean([shown(one, 0) for one in with_the_person]) - np.mean(without)) > 0.5

    right = right_guesses(pairs, guess)
    return measured(right, most_right(pairs * EPSILON), _RIGHT.format(2 * pairs))


@play(WHO, Stage.SIMULATED, PERSON)
def asks_for_counts_by_many_names(stage: Simulated) -> Ending:
    """when nothing is left, asks for another service, through another city, and for both at once"""
    town = counts_town(stage.folder / "many-names")
    town.answers()
    others = (
        {"service": "traffic"},
        {"recipients": ("west",)},
        {"recipients": ("harbour", "west")},
    )
    return all_of(
        stopped_by(GrantError, "would be spent", partial(town.ask, **one)) for one in others
    )
