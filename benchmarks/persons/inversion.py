"""What an embedding tells of the picture it was made of: the query that leaves the searching city.

    python -m benchmarks.persons.inversion

An attacker who holds pictures of other people and their embeddings by the same network learns to
draw a picture from an embedding, by ridge regression and by a network, and to name the colours of
clothes;
both are then tried on the 200 people kept apart. Pictures of 16 x 32, in colour; none is written
anywhere. Needs Pillow, and openvino where `python -m benchmarks.persons` has not run; some minutes.

Shapes: I pictures, E numbers of an embedding, V values of a small picture.
"""

import numpy as np
import torch

from benchmarks.persons.clothing import PARTS
from benchmarks.persons.given import embeddings
from benchmarks.persons.pictures import Crops, crops, pictures
from benchmarks.record import record
from deepcity.city.arrays import Bools, Doubles, Floats
from deepcity.vision.appearance import COLOURS, appearance

NETWORKS, SEEDS = ("0288", "0277"), (0, 1, 2)
_WIDE, _EPOCHS, _BATCH = 512, 30, 256
_RIDGES = (1e-3, 1e-2, 1e-1, 1.0)


def ridge(from_IE: Floats, to_IV: Floats, own_E: Floats) -> Floats:
    """Values predicted by ridge regression; its strength is chosen on a tenth of the known."""
    cut = len(from_IE) // 10
    best = min(
        _RIDGES,
        key=lambda one: float(
            ((_solved(from_IE[cut:], to_IV[cut:], one, from_IE[:cut]) - to_IV[:cut]) ** 2).mean()
        ),
    )
    return _solved(from_IE, to_IV, best, own_E)


def _solved(from_IE: Floats, to_IV: Floats, strength: float, own_E: Floats) -> Floats:
    middle_E, middle_V = from_IE.mean(axis=0), to_IV.mean(axis=0)
    known_IE = from_IE - middle_E
    square_EE = known_IE.T @ known_IE
    square_EE += strength * np.trace(square_EE) / len(square_EE) * np.eye(len(square_EE))
    return middle_V + (own_E - middle_E) @ np.linalg.solve(
        square_EE, known_IE.T @ (to_IV - middle_V)
    )


def network(from_IE: Floats, to_IV: Floats, own_E: Floats, seed: int) -> Floats:
    """Values predicted by a network of two hidden layers."""
    torch.manual_seed(seed)
    middle_V = to_IV.mean(axis=0)
    source, target = torch.tensor(from_IE), torch.tensor(to_IV - middle_V)
    scale = float(source.std())
    drawn = torch.nn.Sequential(
        torch.nn.Linear(source.shape[1], _WIDE),
        torch.nn.GELU(),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(_WIDE, _WIDE),
        torch.nn.GELU(),
        torch.nn.Linear(_WIDE, target.shape[1]),
    )
    steps = torch.optim.AdamW(drawn.parameters(), 1e-3, weight_decay=1e-2)
    for _ in range(_EPOCHS):
        for some in torch.randperm(len(source)).split(_BATCH):
            steps.zero_grad()
            ((drawn(source[some] / scale) - target[some]) ** 2).mean().backward()
            steps.step()
    drawn.eval()
    with torch.no_grad():
        return np.asarray(middle_V + drawn(torch.tensor(own_E) / scale).numpy())


def r2(true_IV: Floats, found_IV: Floats, middle_V: Floats) -> float:
    """Share of what pictures differ by from the mean picture."""
    return 1 - float(((true_IV - found_IV) ** 2).sum() / ((true_IV - middle_V) ** 2).sum())


def colours(shown: Crops) -> Doubles:
    """(I, 2) the colour of upper and lower clothes on each picture, as numbers."""
    crop_I3HW = pictures(shown.file_I, 64, 128)[:, ::-1].transpose(0, 2, 3, 1)
    looks = [appearance([one]) for one in crop_I3HW]
    named = [[COLOURS.index(getattr(one, part).colour) for part in PARTS] for one in looks]
    return np.array(named)


def measure(shown: Crops, name: str) -> list[str]:
    """Rows of one network."""
    vector_IE = np.asarray(embeddings(name, shown.file_I), np.float32)
    small_IV = pictures(shown.file_I, 16, 32).reshape(len(vector_IE), -1).astype(np.float32) / 255
    known_I: Bools = ~shown.test_I
    rng = np.random.default_rng(0).permutation(np.flatnonzero(known_I))
    from_IE, to_IV = vector_IE[rng], small_IV[rng]
    own_E, true_IV = vector_IE[shown.test_I], small_IV[shown.test_I]
    middle_V = to_IV.mean(axis=0)
    by_ridge = r2(true_IV, ridge(from_IE, to_IV, own_E), middle_V)
    by_network = [r2(true_IV, network(from_IE, to_IV, own_E, one), middle_V) for one in SEEDS]
    rows = [
        f"| {name} | picture of 16 x 32, R² | {by_ridge:.2f} | {np.mean(by_network):.2f} "
        f"± {np.std(by_network, ddof=1):.2f} | 0 |"
    ]
    named_I2 = colours(shown)
    for part, number_I in zip(PARTS, named_I2.T, strict=True):
        hot_IC = np.eye(len(COLOURS), dtype=np.float32)[number_I]
        guess_I = ridge(from_IE, hot_IC[rng], own_E).argmax(axis=1)
        right = float((guess_I == number_I[shown.test_I]).mean())
        usual = float((number_I[shown.test_I] == np.bincount(number_I[rng]).argmax()).mean())
        rows.append(
            f"| {name} | colour of {part} clothes, named right | {right:.0%} | | {usual:.0%} |"
        )
    return rows


def main() -> None:
    """Measure and record."""
    torch.set_num_threads(1)
    shown = crops()
    lines = [
        "## What an embedding tells of its picture",
        "",
        "`python -m benchmarks.persons.inversion`, one thread. An attacker with pictures of 551 "
        "people and their embeddings draws pictures of 200 others from theirs: share of what "
        "these pictures differ by from the mean one (R²), by ridge regression and by a network of "
        f"two hidden layers (seeds {', '.join(map(str, SEEDS))}; ± standard deviation). *Nothing*: "
        "without the embedding. Another attacker may find more.",
        "",
        "| network | what | ridge | network | nothing |",
        "|---|---|---:|---:|---:|",
    ]
    for name in NETWORKS:
        lines += measure(shown, name)
        print("\n".join(lines[-3:]), flush=True)
    record("persons-inversion", "\n".join(lines))


if __name__ == "__main__":
    main()
