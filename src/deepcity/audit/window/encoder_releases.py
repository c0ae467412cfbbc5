"""What an agency's encoder releases: its layers, and deep data behind the bottleneck.

Shapes: B origins, C cells, X inputs of the encoder, D numbers of a layer.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from deepcity.audit.effort import Effort
from deepcity.audit.results import FORECAST
from deepcity.audit.window.network_releases import day_clock, sample_places
from deepcity.audit.window.releases import Releases, sample_blocks
from deepcity.audit.window.victim import Victim, spans_of
from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.city.clock import DAY_S
from deepcity.city.level import STEM
from deepcity.data.windows import Span
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.networks.encoder import BOTTLENECK, Encoder

Released = Callable[[Floats, Bools, Ints], Floats]
"""Deep data (B, C, D) as they leave, by those of the bottleneck, cells known, and times."""
Forecast = Callable[[Ints], Floats]
"""Times -> the forecast of each cell's places as its readers see it, (B, C, H)."""


def encoder_victim(
    encoder: Encoder,
    columns: Columns,
    times_B: Ints,
    learned: int,
    effort: Effort,
    seed: int,
    released: Released | None = None,
    forecast: Forecast | None = None,
) -> Victim:
    """An encoder's releases to attack.

    Args:
        times_B: times at which it encodes, in order, UTC seconds; all their rows are there.
        learned: how many of them it learned from, the first ones.
        released: its defences; None: deep data leave as the bottleneck has them.
        forecast: made from its deep data; None: it is not known.
    """
    cells = sample_places(len(columns.cells.cell_C), effort.places, seed)
    steps = columns.settings.history + columns.settings.used_ahead
    known, attacked = spans_of(learned, len(times_B), steps)
    spans = (Span(0, learned), Span(*known), Span(*attacked))
    rows = (effort.training_rows, effort.attacked_rows, effort.attacked_rows)
    found = []
    for span, count in zip(spans, rows, strict=True):
        chosen, block_B = sample_blocks(span, count // len(cells))
        some_B = times_B[chosen]
        one = encoder_releases(encoder, columns, some_B, block_B, cells, released)
        if forecast is not None:
            layers = {**one.layers, FORECAST: forecast(some_B)[:, cells]}
            one = replace(one, layers=layers)
        found.append(one)
    return Victim(*found)


def encoder_releases(
    encoder: Encoder,
    columns: Columns,
    times_B: Ints,
    block_B: Ints,
    cells: Ints,
    released: Released | None = None,
) -> Releases:
    """Activations of every layer, and deep data as they leave.

    Windows are the encoder's own inputs: the last `history` steps of every field, as deviations
    from what is usual at that time of day, in standard units, 0 where a value is missing.
    """
    rows_BCX = columns.rows(times_B)[:, cells]
    recent = columns.settings.history * columns.standard_TCF.shape[-1]
    shape = rows_BCX.shape[:2]
    encoder.eval()
    with torch.inference_mode():
        hidden = encoder.stem(torch.from_numpy(rows_BCX).flatten(0, 1))
        layers = {STEM: hidden}
        for name in encoder.hidden_layers:
            hidden = encoder.get_submodule(name)(hidden)
            layers[name] = hidden
        layers[BOTTLENECK] = torch.tanh(encoder.bottleneck(hidden))
        found = {name: one.reshape(*shape, -1).numpy() for name, one in layers.items()}
    if released is not None:
        known_BC = columns.known(times_B)[:, cells]
        found[BOTTLENECK] = released(found[BOTTLENECK], known_BC, times_B)
    phase_B = 2 * np.pi * (columns.clock.local_seconds(times_B) % DAY_S) / DAY_S
    return Releases(
        layers=found,
        window_BNX=np.ascontiguousarray(rows_BCX[..., recent : 2 * recent]),
        clock_BK=day_clock(phase_B),
        block_B=block_B,
    )
