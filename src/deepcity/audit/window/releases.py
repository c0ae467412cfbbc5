"""What a model releases at many times, with the windows of records that it was computed from.

Shapes: B origins, N places (or cells), D numbers of a layer, X values of a window, K numbers of
the clock, R rows (a place at an origin).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.data.windows import Span

STREAM = 24
"""Releases of a stream: the newest and those of the origins before it."""
BLOCKS = 4


@dataclass(frozen=True, eq=False)
class Pairs:
    """Releases with the windows behind them: what a decoder learns from, or is tested on."""

    released_RD: Floats
    window_RX: Floats

    def __len__(self) -> int:
        return len(self.released_RD)

    def split(self, share: float) -> tuple["Pairs", "Pairs"]:
        """The first share of the rows, and the rest; rows lie in order of time."""
        at = round(len(self) * share)
        first = Pairs(self.released_RD[:at], self.window_RX[:at])
        return first, Pairs(self.released_RD[at:], self.window_RX[at:])


@dataclass(frozen=True, eq=False)
class Releases:
    """Releases of each layer at origins in order of time.

    Attributes:
        layers: name -> (B, N, D), from the inputs up.
        window_BNX: the windows to be rebuilt, in scaled units.
        clock_BK: time of day, which everyone knows.
        block_B: consecutive origins have the same number; a stream never crosses blocks.
    """

    layers: Mapping[str, Floats]
    window_BNX: Floats
    clock_BK: Floats
    block_B: Ints

    def pairs(self, layer: str, stream: int, places: Ints) -> Pairs:
        """One row for each place and origin that has a whole `STREAM` before it.

        The same rows for every layer and length of stream, so that their leakage compares.

        Args:
            stream: releases that the attacker has seen, the newest among them.
            places: which places; (P,).
        """
        ends_S = np.flatnonzero(self._whole(STREAM))
        back_SL = ends_S[:, None] - np.arange(stream)
        seen = self.layers[layer][:, places][back_SL]  # (S, L, P, D)
        seen_SPD = np.moveaxis(seen, 2, 1).reshape(len(ends_S), len(places), -1)
        clock = np.repeat(self.clock_BK[ends_S, None], len(places), axis=1)
        released = np.concatenate([seen_SPD, clock], axis=-1)
        window = self.window_BNX[ends_S][:, places]
        rows = len(ends_S) * len(places)
        return Pairs(released.reshape(rows, -1), window.reshape(rows, -1))

    def _whole(self, stream: int) -> Bools:
        """Which origins end a whole stream; where no block is that long, none does."""
        found = np.zeros(len(self.block_B), np.bool_)
        found[stream - 1 :] = self.block_B[stream - 1 :] == self.block_B[: -(stream - 1) or None]
        return found


def sample_blocks(span: Span, count: int) -> tuple[Ints, Ints]:
    """Some `count` origins of a span as a few blocks spread evenly, and the block of each.

    A block is long enough for streams; of a short span all origins are taken.

    >>> sample_blocks(Span(0, 3), 10)[0]
    array([0, 1, 2])
    """
    if len(span) <= max(count, BLOCKS * STREAM):
        found = np.arange(span.start, span.end, dtype=np.int64)
        return found, np.zeros(len(found), np.int64)
    size = max(count // BLOCKS, 2 * STREAM)
    blocks = min(BLOCKS, len(span) // size) or 1
    starts = np.linspace(span.start, span.end - size, blocks).astype(np.int64)
    return (starts[:, None] + np.arange(size)).reshape(-1), np.repeat(np.arange(blocks), size)
