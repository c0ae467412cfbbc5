"""Forecasts a second, for one place to 100,000."""

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.network import Shape, new_network
from deepcity.learning.training.local_training import forecast


def forecasts() -> str:
    """12 horizon steps for 1, 1,000 and 100,000 places, features and weights in memory."""
    network = new_network(Shape(features=83, horizon=12, linear_features=3, recent=48), 0)
    lines = [
        "## Cost: forecasts a second",
        "One origin, 12 horizon steps, 83 features a place, weights and features in memory;",
        "synthetic features. Median of repeated calls (lowest to highest). Two threads wait for",
        "each other: where other processes keep the cores busy, they are slower than one.",
        "Goal: 100,000 places under 1 s on two threads.",
        "",
        "| places | threads | wall seconds a call | CPU seconds a call | places a wall second |",
        "|---:|---:|---:|---:|---:|",
    ]
    for places, times in ((1, 300), (1_000, 100), (100_000, 9)):
        samples = _random_samples(places)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            took, cpu = _times(partial(forecast, network, samples), times)
            median = statistics.median(took)
            seconds = f"{median:.4g} ({min(took):.4g} to {max(took):.4g})"
            lines.append(
                f"| {places:,} | {threads} | {seconds} | {cpu:.4g} | {places / median:,.0f} |"
            )
    torch.set_num_threads(1)
    return "\n".join(lines)


def _random_samples(places: int) -> Samples:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((1, places, 83), dtype=np.float32)
    linear_features = rng.standard_normal((1, places, 12, 3), dtype=np.float32)
    anchor = np.zeros((1, places, 12), np.float32)
    return Samples(features, linear_features, anchor, anchor, np.ones((places, 1), np.float32), 48)


def _times(call: Callable[[], object], times: int) -> tuple[list[float], float]:
    """Wall seconds of each call, and CPU seconds of one on average."""
    call()
    took, busy = [], time.process_time()
    for _ in range(times):
        begun = time.perf_counter()
        call()
        took.append(time.perf_counter() - begun)
    return took, (time.process_time() - busy) / times
