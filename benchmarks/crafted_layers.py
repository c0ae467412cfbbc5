"""Layers that a hostile hub crafts to read rows out of updates: do they, and does a site notice?

    python -m benchmarks.crafted_layers [--seeds 0,1,2]

Honest rounds: how far the layers that a party receives lie from its own, in the size of its own,
over all rounds of a joint training at level 6 with a common stem; and those of the last round from
those of the seed.

The attack: h1 is made an imprint module (Fowl et al. 2022, "Robbing the Fed"): all of its neurons
measure one random direction, each above another threshold, so that gradients of two neighbours
differ by the rows between their thresholds alone. Rows are what enters h1's first linear layer; a
row is read if an estimate points within acos(0.98) of it, from the mean. Guessing: estimates in
place of which random training rows are averaged by twenties.
"""

import argparse

import numpy as np
import torch

from benchmarks.joining.cases import service_of
from benchmarks.record import record
from deepcity.city.level import HEAD, MAX_LEVEL, STEM
from deepcity.exchange.trust.layer_distance import MOST_MOVED, distance
from deepcity.intercity.method import Method
from deepcity.learning.training.learner import EVERY_LAYER, Learner
from deepcity.learning.training.local_training import loss
from deepcity.parties.party import parties_of
from deepcity.runs.trainings import train_parties

HONEST = ("bikes", "air", "ferrara", "people", "parking", "crime", "metro")
ATTACKED = ("bikes", "air", "ferrara")
SCALES = (30.0, 1.0)
"""Of the neurons' direction: steep thresholds, and ones as flat as a trained layer's."""
READ, BATCH, WARM = 0.98, 128, 3


def main():
    """Measure, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    seeds = [int(one) for one in parser.parse_args().seeds.split(",")]
    torch.set_num_threads(1)
    lines = [
        "## Crafted layers",
        "",
        f"`python -m benchmarks.crafted_layers`, seeds {', '.join(map(str, seeds))}. Distance of "
        "the layers that a party receives from its own, in the size of its own, the greatest over "
        "parties, rounds and seeds of joint trainings at level 6 with a common stem; a site does "
        f"not use layers over {MOST_MOVED:g} away.",
        "",
        "| set | hidden, a round | stem | head | hidden, start to end | stem | head |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in HONEST:
        far = np.max([_honest(name, seed) for seed in seeds], axis=0)
        lines.append(f"| {name} | {' | '.join(f'{one:.2f}' for one in far)} |")
        print(lines[-1], flush=True)
    lines += [
        "",
        "Rows read from an update by an imprint module in h1, share of its 63 estimates, mean ± "
        "standard deviation over seeds. *Gradients*: of one batch of "
        f"{BATCH} rows, as if a party sent them. *A step*, *a round*: what it sends, the moves "
        "of its weights by AdamW. *Guessing*: means of twenty random rows.",
        "",
        "| set | steepness | distance | used | gradients | a step | a round | guessing |",
        "|---|---:|---:|---|---:|---:|---:|---:|",
    ]
    for name in ATTACKED:
        for scale in SCALES:
            found = np.array([_attacked(name, seed, scale) for seed in seeds])
            far, shares = found[:, 0].mean(), found[:, 1:]
            used = "no" if (found[:, 0] > MOST_MOVED).all() else "yes"
            cells = [
                f"{mean:.0%} ± {spread:.0%}"
                for mean, spread in zip(shares.mean(0), shares.std(0, ddof=1), strict=True)
            ]
            lines.append(f"| {name} | {scale:g} | {far:.1f} | {used} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    print("\n".join(lines))
    record("crafted-layers", "\n".join([*lines, ""]))


def _honest(name, seed):
    """Greatest distances: in a round of hidden layers, stem, head; and from start to end."""
    service = service_of(name)
    parties = parties_of(service)
    found: dict = {}
    receive = Learner.receive

    def noted(learner, layers):
        own = learner.export(layers)
        for layer in layers:
            kind = layer if layer in {STEM, HEAD} else "hidden"
            far = distance({layer: own[layer]}, {layer: layers[layer]})
            found[kind] = max(found.get(kind, 0.0), far)
        return receive(learner, layers)

    Learner.receive = noted
    try:
        method = Method("joined", {party.name: MAX_LEVEL for party in parties})
        _, learners = train_parties(service.settings, parties, seed, method)
    finally:
        Learner.receive = receive
    ends: dict = {}
    for party in parties:
        begun = Learner(party.data, service.settings.training, seed).export(EVERY_LAYER)
        ended = learners[party.name].export(EVERY_LAYER)
        for layer in EVERY_LAYER:
            kind = layer if layer in {STEM, HEAD} else "hidden"
            far = distance({layer: begun[layer]}, {layer: ended[layer]})
            ends[kind] = max(ends.get(kind, 0.0), far)
    kinds = ("hidden", STEM, HEAD)
    return [*(found[kind] for kind in kinds), *(ends[kind] for kind in kinds)]


def _attacked(name, seed, scale):
    """Distance of the crafted layers, and shares of rows read: gradients, step, round, guessing."""
    service = service_of(name)
    party = parties_of(service)[0]
    learner = Learner(party.data, service.settings.training, seed)
    for number in range(WARM):
        learner.train_round(number)
        learner.receive({})
    own = learner.export(EVERY_LAYER)
    rows_RW = entering_rows(learner)
    crafted = {**own, "h1": imprint(own["h1"], rows_RW, scale, seed)}
    far = distance(own, crafted)
    moves = [_gradients(learner, crafted, seed)]
    for steps in (1, learner.settings.local_steps):
        victim = Learner(
            party.data,
            learner.settings.model_copy(update={"local_steps": steps}),
            seed,
            start=crafted,
        )
        victim.train_round(0)
        new = victim.export(["h1"])["h1"]
        moves.append([new[key] - crafted["h1"][key] for key in ("inner.weight", "inner.bias")])
    rng = np.random.default_rng(seed)
    guesses = np.array([rows_RW[rng.integers(0, len(rows_RW), 20)].mean(0) for _ in range(63)])
    shares = [share_read(neighbour_estimates(*one), rows_RW) for one in moves]
    return [far, *shares, share_read(guesses, rows_RW)]


def entering_rows(learner):
    """What enters h1's first linear layer, of all training rows, (R, W)."""
    with torch.no_grad():
        return learner.network.layer("h1").norm(_stem(learner)).numpy()


def _stem(learner):
    samples = learner.data.train
    features = torch.from_numpy(samples.features_BNF).flatten(0, 1)
    linear = torch.from_numpy(samples.linear_BNHS).flatten(0, 1)
    return learner.network.activations(features, linear, STEM)


def imprint(own, rows_RW, scale, seed):
    """h1 whose neurons measure one direction, each above another threshold."""
    width = rows_RW.shape[1]
    direction_W = np.random.default_rng(seed).normal(size=width)
    direction_W *= scale / np.linalg.norm(direction_W)
    thresholds = np.quantile(rows_RW @ direction_W, np.linspace(0.01, 0.99, width))
    one = np.random.default_rng(seed + 1).normal(size=(width, 1)) * 0.1
    return {
        **own,
        "inner.weight": np.repeat(direction_W[None], width, axis=0).astype(np.float32),
        "inner.bias": -thresholds.astype(np.float32),
        "outer.weight": np.repeat(one, width, axis=1).astype(np.float32),
    }


def _gradients(learner, crafted, seed):
    """Gradients of one batch, without dropout."""
    victim = Learner(learner.data, learner.settings, seed, start=crafted)
    samples = victim.data.train
    target = samples.target_BNH.reshape(-1, samples.target_BNH.shape[-1])
    known = np.flatnonzero(np.isfinite(target).all(axis=1))
    chosen = np.random.default_rng(seed).permutation(known)[:BATCH]
    features = torch.from_numpy(samples.features_BNF).flatten(0, 1)[chosen]
    linear = torch.from_numpy(samples.linear_BNHS).flatten(0, 1)[chosen]
    victim.network.eval()
    error = loss(
        victim.network(features, linear),
        torch.from_numpy(target[chosen].astype(np.float32)),
        victim.settings.mae_weight,
    )
    inner = victim.network.layer("h1").inner
    return [one.numpy() for one in torch.autograd.grad(error, [inner.weight, inner.bias])]


def neighbour_estimates(weight_WW, bias_W):
    """Rows between two thresholds, as the moves of neighbours tell them, (W - 1, W)."""
    difference = np.diff(bias_W)
    kept = np.abs(difference) > 1e-12
    return np.diff(weight_WW, axis=0)[kept] / difference[kept, None]


def share_read(estimates_EW, rows_RW):
    """Share of estimates that point to a row."""
    mean_W = rows_RW.mean(axis=0)
    one, other = (_unit(found - mean_W) for found in (estimates_EW, rows_RW))
    return float(((one @ other.T).max(axis=1) > READ).mean()) if len(one) else 0.0


def _unit(rows_RW):
    return rows_RW / np.maximum(np.linalg.norm(rows_RW, axis=1, keepdims=True), 1e-12)


if __name__ == "__main__":
    main()
