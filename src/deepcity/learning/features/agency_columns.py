"""Inputs of an agency's encoder: its own columns, by origin and cell.

An agency of another kind than the one that forecasts (a weather office, a calendar, an air
office) has several fields and few places. Its places are grouped into *cells* that all
agencies of a city can name without naming places; values are standardised by the agency's
own training rows, and these statistics never leave it.

Shapes: T steps, C cells, F fields, S slots of a day, B origins, X inputs of an encoder.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from pydantic import Field

from deepcity.city.arrays import Bools, Doubles, Floats, Ints
from deepcity.city.clock import Clock
from deepcity.city.place import Place
from deepcity.data.config.toml_file import Settings
from deepcity.data.panel import Panel
from deepcity.data.windows import Span

_CLIP = 6.0  # in standard deviations
_LEAST_SPREAD = 1e-3
_BACK_DAYS = (1, 3, 7)
_QUARTERS = 4


class ColumnSettings(Settings):
    """How far an encoder looks back and ahead, in steps of its agency's own clock."""

    history: int = Field(
        default=6, ge=1, description="recent steps that an encoder uses one by one"
    )
    ahead: int = Field(
        default=0,
        ge=0,
        description="steps after the origin that are known at it: a calendar, a weather forecast",
    )
    ahead_every: int = Field(
        default=1, ge=1, description="steps ahead are averaged in blocks of so many steps"
    )
    lag: int = Field(
        default=0, ge=0, description="steps that pass until a value has arrived and can be encoded"
    )

    @property
    def used_ahead(self) -> int:
        """Steps ahead that fill whole blocks; the rest is not used."""
        return self.ahead // self.ahead_every * self.ahead_every


@dataclass(frozen=True)
class Cells:
    """Where an agency's values belong: one number a cell, and which of its places lie there.

    A place with a position lies in its H3 cell; one without in a cell that is a salted hash
    of its name, so that two agencies with the same place get the same cell and no
    name is sent. (A hash hides a name only from those who cannot guess it.)
    """

    cell_C: Ints
    member_CN: Floats

    @classmethod
    def of(cls, places: Sequence[Place], salt: str) -> "Cells":
        """Group places; `salt` is agreed on by the agencies that train together."""
        numbers = [cell_number(place, salt) for place in places]
        cell_C = np.array(sorted(set(numbers)), dtype=np.int64)
        member = (np.array(numbers)[None] == cell_C[:, None]).astype(np.float32)
        return cls(cell_C, member)


def cell_number(place: Place, salt: str) -> int:
    """The cell a place lies in, as a number below 2**63.

    >>> cell_number(Place("a"), "x") == cell_number(Place("a"), "y")
    False
    """
    if place.cell is not None:
        return int(place.cell, 16)
    digest = hashlib.blake2b(f"{salt}/{place.id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@dataclass(frozen=True)
class ColumnStats:
    """Statistics fitted on the training rows; private, as they reveal levels and daily profiles.

    Attributes:
        mean_CF, spread_CF: mean and standard deviation; a spread of 0: never measured, and so
            missing later, too.
        typical_SCF: mean by slot of the day, standardised.
    """

    mean_CF: Floats
    spread_CF: Floats
    typical_SCF: Floats


@dataclass(frozen=True)
class Columns:
    """An agency's standardised values, from which rows for any origin are made.

    Attributes:
        known_TC: whether any field of a cell was measured at a step.
        standard_TCF, deviation_TCF: standardised values, and less the slot's typical one; 0
            where missing.
    """

    settings: ColumnSettings
    clock: Clock
    time_T: Ints
    cells: Cells
    stats: ColumnStats
    known_TC: Bools
    standard_TCF: Floats
    deviation_TCF: Floats

    @property
    def width(self) -> int:
        """Inputs of an encoder, X."""
        return int(self.rows(self.time_T[:1]).shape[-1])

    @property
    def lookback(self) -> int:
        """Steps before an origin's own that `rows` looks back on."""
        return max(self.settings.history, max(_BACK_DAYS) * self.clock.steps_per_day)

    def step(self, times_B: Ints) -> Ints:
        """The step that begins at each time: all before it less `lag` are known then."""
        return (times_B - int(self.time_T[0])) // self.clock.step_s - self.settings.lag

    def known(self, times_B: Ints) -> Bools:
        """(B, C): whether the cell has any value in the encoder's window."""
        step_B, steps = self.step(times_B), np.arange(len(self.time_T) + 1)
        count = np.concatenate([np.zeros_like(self.known_TC[:1], int), self.known_TC.cumsum(0)])
        low = np.clip(step_B - self.settings.history, 0, steps[-1])
        high = np.clip(step_B + self.settings.used_ahead, 0, steps[-1])
        return np.asarray(count[high] > count[low])

    def rows(self, times_B: Ints) -> Floats:
        """(B, C, X): recent values, how they differ from the usual, last days, steps ahead."""
        step_B = self.step(times_B)
        recent = step_B[:, None] - np.arange(self.settings.history, 0, -1)
        parts = [self._at(self.standard_TCF, recent), self._at(self.deviation_TCF, recent)]
        per_day = self.clock.steps_per_day
        for days in _BACK_DAYS:
            back = step_B[:, None] - np.arange(days * per_day, 0, -max(1, per_day // 8))
            parts.append(self._at(self.deviation_TCF, back).mean(axis=2, keepdims=True))
        week = step_B[:, None] - np.arange(7 * per_day, 0, -max(1, per_day // 8))
        usual = self._at(self.standard_TCF, week).mean(axis=2, keepdims=True)
        parts.append(parts[0][:, :, -1:] - usual)
        if self.settings.ahead:
            ahead = self._ahead(step_B)
            parts += [ahead, ahead - usual]  # demand responds to change more than to level
        flat = [part.reshape(*part.shape[:2], -1) for part in parts]
        every = np.concatenate([*flat, self._clock(times_B)], -1)
        return np.asarray(np.clip(every, -_CLIP, _CLIP), dtype=np.float32)

    def pretext_targets(self, times_B: Ints, span_s: int) -> Floats:
        """(B, C, P): mean value and deviation over quarters of the time to come; NaN if unknown.

        Targets of self-supervised pretraining, without labels.
        """
        steps = max(1, span_s // self.clock.step_s)
        edges = np.unique(np.linspace(0, steps, _QUARTERS + 1).round().astype(int))
        parts = [
            self._mean_ahead(times_B, int(first), int(last)) for first, last in pairwise(edges)
        ]
        return np.concatenate(parts, axis=-1)

    def _mean_ahead(self, times_B: Ints, first: int, last: int) -> Floats:
        """(B, C, 2 F): means over steps ahead; NaN where none was measured."""
        ahead = self.step(times_B)[:, None] + np.arange(first, last)
        inside = (ahead >= 0) & (ahead < len(self.time_T))
        known = self._at(self.known_TC[..., None].astype(np.float32), ahead)
        known = known * inside[:, None, :, None]
        count = known.sum(axis=2)
        means = [
            (self._at(series, ahead) * known).sum(axis=2) / np.maximum(count, 1)
            for series in (self.standard_TCF, self.deviation_TCF)
        ]
        values = np.concatenate(means, axis=-1)
        return np.where(count > 0, values, np.nan).astype(np.float32)

    def _at(self, series_TCF: Floats, index_BX: Ints) -> Floats:
        """(B, C, X, F); zero beyond either end."""
        inside = (index_BX >= 0) & (index_BX < len(series_TCF))
        found = series_TCF[np.clip(index_BX, 0, len(series_TCF) - 1)]
        if not inside.all():
            found[~inside] = 0
        return np.moveaxis(found, 1, 2).astype(np.float32, copy=False)

    def _ahead(self, step_B: Ints) -> Floats:
        every = self.settings.ahead_every
        steps = step_B[:, None] + np.arange(self.settings.used_ahead)
        values = self._at(self.standard_TCF, steps)
        blocks = values.reshape(*values.shape[:2], -1, every, values.shape[-1])
        return np.asarray(blocks.mean(axis=3), dtype=np.float32)

    def _clock(self, times_B: Ints) -> Floats:
        phase_B = 2 * np.pi * (self.clock.local_seconds(times_B) % 86_400) / 86_400
        values = np.stack([np.sin(phase_B), np.cos(phase_B)], -1).astype(np.float32)
        return np.repeat(values[:, None], len(self.cells.cell_C), axis=1)


def fit_columns(panel: Panel, settings: ColumnSettings, train: Span, salt: str) -> Columns:
    """Fit an agency's statistics on its training span alone."""
    cells = Cells.of(panel.places, salt)
    values_TCF = _by_cell(panel, cells)
    known = values_TCF[train.start : train.end].astype(np.float64)
    count = np.isfinite(known).sum(axis=0)
    some = np.maximum(count, 1)
    level = np.nansum(known, axis=0) / some
    spread = np.sqrt(np.nansum((known - level) ** 2, axis=0) / some)
    spread = np.where(spread > _LEAST_SPREAD * np.maximum(np.abs(level), _LEAST_SPREAD), spread, 1)
    spread = np.where(count > 0, spread, 0.0)  # no scale for what training never saw
    slot_T = _slots(panel.clock, panel.time_T)
    standard = _standard(values_TCF, level, spread)
    typical = _typical(standard[train.start : train.end], slot_T[train.start : train.end], panel)
    stats = ColumnStats(*(part.astype(np.float32) for part in (level, spread, typical)))
    return view_columns(panel, settings, stats, salt)


def view_columns(panel: Panel, settings: ColumnSettings, stats: ColumnStats, salt: str) -> Columns:
    """An agency's columns of new rows, by statistics fitted before.

    Raises:
        ValueError: if they were fitted for other numbers of slots, cells or fields.
    """
    cells = Cells.of(panel.places, salt)
    shape = (panel.clock.steps_per_day, len(cells.cell_C), len(panel.fields))
    if stats.typical_SCF.shape != shape:
        raise ValueError(
            f"statistics of {stats.typical_SCF.shape} slots, cells and fields do not fit rows of "
            f"{shape}: fit columns and encoder again"
        )
    standard = _standard(_by_cell(panel, cells), stats.mean_CF, stats.spread_CF)
    deviation = standard - stats.typical_SCF[_slots(panel.clock, panel.time_T)]
    return Columns(
        settings=settings,
        clock=panel.clock,
        time_T=panel.time_T,
        cells=cells,
        stats=stats,
        known_TC=np.asarray(np.isfinite(standard).any(axis=2), dtype=np.bool_),
        standard_TCF=_clipped(standard),
        deviation_TCF=_clipped(deviation),
    )


def _standard(values_TCF: Floats, mean_CF: Floats, spread_CF: Floats) -> Floats:
    """Standardised values; NaN where training never saw any."""
    seen = spread_CF > 0
    standard = (values_TCF - mean_CF) / np.where(seen, spread_CF, 1.0)
    return np.where(seen, standard, np.nan).astype(np.float32)


def _by_cell(panel: Panel, cells: Cells) -> Floats:
    """(T, C, F): mean over the places of a cell; NaN where none was measured."""
    known = np.isfinite(panel.values_TNF)
    total = np.einsum("cn,tnf->tcf", cells.member_CN, np.where(known, panel.values_TNF, 0))
    count = np.einsum("cn,tnf->tcf", cells.member_CN, known.astype(np.float32))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _slots(clock: Clock, time_T: Ints) -> Ints:
    return clock.local_seconds(time_T) % 86_400 // clock.step_s


def _typical(standard_TCF: Floats, slot_T: Ints, panel: Panel) -> Doubles:
    """(S, C, F): mean by slot, 0 where a slot was never measured."""
    shape = (panel.clock.steps_per_day, *standard_TCF.shape[1:])
    total, count = np.zeros(shape), np.zeros(shape)
    known = np.isfinite(standard_TCF)
    np.add.at(total, slot_T, np.where(known, standard_TCF, 0))
    np.add.at(count, slot_T, known)
    return total / np.maximum(count, 1)


def _clipped(values: Floats) -> Floats:
    return np.clip(np.nan_to_num(values, nan=0.0), -_CLIP, _CLIP).astype(np.float32)
