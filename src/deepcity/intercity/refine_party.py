"""One party goes on learning: which rows are new, what they teach, and whether to take it.

Everything here happens on the party's own side; nothing is sent.

Shapes: B origins, N places, H horizon steps, E experts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepcity.city.arrays import Bools, Floats
from deepcity.city.errors import ExpertError, RefineError
from deepcity.city.problem import Problem
from deepcity.data.windows import Span
from deepcity.intercity.automatic import said_by
from deepcity.intercity.city_map import Service
from deepcity.intercity.new_days import NewDays, drawn, fresh_origins, told_origins
from deepcity.intercity.own_networks import Own, experts_of, refined
from deepcity.intercity.own_package import OldRows
from deepcity.intercity.parties import choosing_origins
from deepcity.intercity.present_rows import ANEW, Rows
from deepcity.intercity.watched_days import Told
from deepcity.intercity.weather import weather_of
from deepcity.learning.council import Aggregated, Gradient, aggregate, parts_of_day
from deepcity.learning.experts.expert import ExpertData
from deepcity.learning.features import fit_inputs, train_origins
from deepcity.learning.metrics import scores


@dataclass(frozen=True, eq=False)
class Judged:
    """Two ways to go on, and what each would have been worth on the newest days.

    Attributes:
        own, better: experts as they were, and refined.
        kept, changed: the aggregate with the first, and with the second on the judged days.
        later_B: which of the told origins are judged.
    """

    own: Sequence[Own]
    better: Sequence[Own]
    told: Told
    kept: Aggregated
    changed: Aggregated
    later_B: Bools
    moved: float
    corrected: bool

    def error(self, said_BNH: Floats) -> float:
        """Mean absolute error of the judged days."""
        return scores(said_BNH[self.later_B], self.told.truth_BNH[self.later_B]).mae

    @property
    def taken(self) -> bool:
        """Whether the refined networks are taken: where they err less."""
        was, would = self.error(self.kept.forecast_BNH), self.error(self.changed.forecast_BNH)
        return self.moved > 0 and would < was


def judge_new(
    service: Service,
    rows: Rows,
    days: NewDays,
    seed: int,
    bound: float,
    advance: Callable[[int], None],
) -> Judged:
    """Learn from the fresh rows, and see on the newest what that is worth.

    Args:
        advance: told how many experts are done.

    Raises:
        RefineError: if the kept layers do not fit the network that the party would have now.
    """
    ground = ground_of(service, rows, seed)
    own, corrected = _experts(rows, ground)
    number, horizon = rows.package.number + 1, rows.known.horizon
    fresh_B = fresh_origins(days, horizon, seed + number)
    better, moves = [], []
    for done, one in enumerate(own, 1):
        changed, moved = refined(one, fresh_B, bound, number)
        better.append(changed)
        moves += [moved] if changed is not one else []
        advance(done)
    moved = float(np.mean(moves)) if moves else 0.0
    gradient = service.application.metric.gradient
    return _judged(rows, days, ground, own, better, gradient, moved=moved, corrected=corrected)


def _judged(
    rows: Rows,
    days: NewDays,
    ground: ExpertData,
    own: Sequence[Own],
    better: Sequence[Own],
    gradient: Gradient,
    *,
    moved: float,
    corrected: bool,
) -> Judged:
    """Both ways over the same origins; the refined networks come in with the judged days."""
    origins_B = told_origins(rows.known)
    samples = ground.inputs.samples(origins_B)
    told = Told(ground.inputs, rows.panel.time_T, origins_B, samples.truth_BNH)
    said_EBNH = said_by([(one.level, one.expert) for one in own], samples, origins_B)
    later_B = origins_B >= days.judged.start
    changed_EBNH = said_EBNH.copy()
    changed_EBNH[:, later_B] = said_by(
        [(one.level, one.expert) for one in better],
        ground.inputs.samples(origins_B[later_B]),
        origins_B[later_B],
    )
    part_BH = parts_of_day(ground.inputs.grid, origins_B, rows.known.horizon)
    kept, changed = (
        aggregate(said, samples.truth_BNH, origins_B, part_BH, rows.package.council, gradient)
        for said in (said_EBNH, changed_EBNH)
    )
    return Judged(own, better, told, kept, changed, later_B, moved, corrected)


def ground_of(service: Service, rows: Rows, seed: int) -> ExpertData:
    """What a party's networks learned from first, as the records have it now."""
    times, window = rows.package.times, rows.package.identity.window
    train = Span(rows.step(times.train_from), rows.step(times.train_to))
    aside = Span(train.end, rows.known.aside_to)
    newcomer = rows.member.name in service.settings.newcomers
    inputs = fit_inputs(
        rows.panel,
        rows.member.field,
        window,
        train,
        rows.panel.adjacency_NN,
        validation=aside,
        partly=newcomer,
    )
    return ExpertData(
        party=rows.member.name,
        panel=rows.panel,
        inputs=inputs,
        train=train,
        aside=aside,
        train_B=drawn(train_origins(window, train, partly=newcomer), seed),
        aside_B=choosing_origins(aside, window.horizon, partly=newcomer),
        training=service.settings.training,
        seed=seed,
        weather=weather_of(service, rows.member, rows.panel),
    )


def _experts(rows: Rows, ground: ExpertData) -> tuple[list[Own], bool]:
    """Experts as they were, and whether old rows were corrected since they were learned from.

    Then forgetting counts anew: errors on other rows cannot be compared.
    """
    try:
        own = experts_of(rows.package.experts, ground)
    except ExpertError as error:
        right = f"put the settings back as they were, {ANEW}"
        raise RefineError(
            [Problem(ground.party, "own package", None, str(error), right)]
        ) from error
    old = rows.values_TN[ground.train.start : rows.known.aside_to]
    if OldRows.of(old).same_as(rows.package.old_rows):
        return own, False
    return [replace(one, known=one.known * (1 + one.forgot)) for one in own], True
