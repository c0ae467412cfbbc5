"""What further experts are worth to a party that learns alone: trees, and days as a process.

    python -m benchmarks.experts [--seeds 0,1,2] [--sets bikes,ferrara,parking]

Every party of a set learns alone, a network a seed. Each further expert is fitted once, to
the same training days, and weighed with the network as a run weighs them: from the experts'
priors over the validation days, and then day by day over the test days as truths come in.

Parties are kept in runs/experts/; a killed run goes on where it stood.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.joining.cases import service_of
from benchmarks.record import record
from deepcity.intercity.level_choice import weigh_experts
from deepcity.intercity.method import alone
from deepcity.learning.evaluation.metrics import scores
from deepcity.learning.experts.expert import Expert
from deepcity.learning.experts.network import NetworkExpert
from deepcity.learning.features.inputs import Samples
from deepcity.maps.city_map import Service
from deepcity.parties.own_experts import own_experts
from deepcity.parties.party import Party, parties_of
from deepcity.runs.trainings import train_parties

KEPT = Path(__file__).parents[1] / "runs" / "experts"
PARTIES = {"bikes": 3, "ferrara": 10, "parking": 4}
SETS = tuple(PARTIES)
FURTHER = ("trees", "gaussian_days")
MIXES: Mapping[str, tuple[str, ...]] = {
    "network, trees": ("trees",),
    "network, gaussian_days": ("gaussian_days",),
    "all three": FURTHER,
}


class Remembered(Expert):
    """An expert whose forecasts of one set of samples are made once."""

    def __init__(self, expert: Expert) -> None:
        self.expert = expert
        self.made: list[tuple[Samples, np.ndarray]] = []

    def predict(self, samples: Samples, origins_B: np.ndarray) -> np.ndarray:
        """Forecasts, (B, N, H)."""
        for known, forecast_BNH in self.made:
            if known is samples:
                return forecast_BNH
        self.made.append((samples, self.expert.predict(samples, origins_B)))
        return self.made[-1][1]


def measure(service: Service, party: Party, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """Test MAE by forecast, a value a seed."""
    training = service.settings.training
    fitted = {
        one.kind: (Remembered(one), prior)
        for one, prior in own_experts(replace(party, experts=FURTHER), training, 0)
    }
    found: dict[str, list[float]] = {}

    def add(name: str, forecast_BNH: np.ndarray) -> None:
        found.setdefault(name, []).append(scores(forecast_BNH, party.test.truth_BNH).mae)

    for kind, (one, _) in fitted.items():
        add(kind, one.predict(party.test, party.test_origins))
    for seed in seeds:
        method = alone([party.name])
        _, learners = train_parties(service.settings, [party], seed, method)
        network = Remembered(NetworkExpert(learners[party.name]))
        add("network", network.predict(party.test, party.test_origins))
        for name, kinds in MIXES.items():
            own = [fitted[kind] for kind in kinds if kind in fitted]
            choice = weigh_experts(party, network, [], training, seed, own)
            add(name, choice.forecast(party).forecast_BNH)
    return {name: np.array(values) for name, values in found.items()}


def _path(name: str, party: str, seeds: Sequence[int]) -> Path:
    return KEPT / name / f"{party.replace('/', '.')}-{'.'.join(map(str, seeds))}.json"


def _kept(name: str, seeds: Sequence[int]) -> dict[str, dict[str, np.ndarray]]:
    """Every party of a set that was measured with these seeds."""
    found = {}
    for path in sorted((KEPT / name).glob(_path(name, "*", seeds).name)):
        errors = json.loads(path.read_text(encoding="utf-8"))
        found[path.stem.rpartition("-")[0]] = {key: np.array(mae) for key, mae in errors.items()}
    return found


def _measured(service: Service, party: Party, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """What was measured before with these seeds, or is now."""
    path = _path(service.settings.name, party.name, seeds)
    if not path.exists():
        errors = {key: mae.tolist() for key, mae in measure(service, party, seeds).items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(errors), encoding="utf-8")
    found = json.loads(path.read_text(encoding="utf-8"))
    return {key: np.array(mae) for key, mae in found.items()}


def main() -> None:
    """Measure, print, and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--only-tables", action="store_true", help="of the parties there are")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    seeds, begun = [int(seed) for seed in asked.seeds.split(",")], time.process_time()
    found: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    for name in () if asked.only_tables else asked.sets.split(","):
        service = service_of(name)
        for party in parties_of(service):
            errors = _measured(service, party, seeds)
            found.setdefault(name, {})[party.name] = errors
            shares = {key: round(float(mae.mean()), 4) for key, mae in errors.items()}
            print(f"{party.name}: {shares}, {time.process_time() - begun:.0f} CPU s", flush=True)
    if asked.only_tables:
        found = {name: _kept(name, seeds) for name in asked.sets.split(",")}
    text = table(found, seeds)
    print(text)
    if asked.sets == ",".join(SETS):
        record("experts", text)


def table(found: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]], seeds: Sequence[int]) -> str:
    """The figures as Markdown."""
    names = ["trees", "gaussian_days", *MIXES]
    by_party = [errors for parties in found.values() for errors in parties.values()]
    shares = [errors["network, trees"].mean() / errors["network"].mean() for errors in by_party]
    better = sum(share < 1 for share in shares)
    lines = [
        "## Further experts of a party that learns alone",
        "",
        f"`python -m benchmarks.experts`, seeds {', '.join(map(str, seeds))}. "
        "MAE on the test days as a share of the network's alone: mean over parties, ± standard "
        "deviation over the networks' seeds; under 1 is better. Further experts are fitted once, "
        "and weighed with the network as a run does. Row counts and rates of the trees were "
        "chosen on validation days of bikes and parking, one seed.",
        "",
        f"| set | parties | {' | '.join(names)} |",
        f"|---|---|{'---|' * len(names)}",
        *(_line(name, parties, names) for name, parties in found.items()),
        "",
        *_missing(found),
        f"Network with trees: better than the network in {better} of {len(shares)} parties; "
        f"shares from {min(shares):.3f} to {max(shares):.3f}, {np.mean(shares):.3f} on average. "
        "Learning alone stays the network unless a map names more (`experts`): trees need "
        "`pip install 'deepcity[trees]'`, and all other sections were measured without them.",
    ]
    return "\n".join(lines)


def _missing(found: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Which sets lack parties, if any."""
    lacking = [
        f"{PARTIES[name] - len(parties)} of {PARTIES[name]} of {name}"
        for name, parties in found.items()
        if len(parties) < PARTIES[name]
    ]
    return [f"Not measured yet, parties: {', '.join(lacking)}.", ""] if lacking else []


def _line(name: str, parties: Mapping[str, Mapping[str, np.ndarray]], names: Sequence[str]) -> str:
    cells = []
    for one in names:
        shares = [errors[one] / errors["network"] for errors in parties.values() if one in errors]
        by_seed = np.mean(shares, axis=0) if shares else np.array([np.nan])
        cells.append(f"{by_seed.mean():.3f} ± {by_seed.std():.3f}")
    return f"| {name} | {len(parties)} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
