"""What further experts are worth to a party that learns alone: trees, and days as a process.

    python -m benchmarks.experts [--seeds 0,1,2] [--sets bikes,ferrara,parking] [--days 14]

Every party of a set learns alone, a network a seed. Each further expert is fitted once, to
the same training days, and weighed with the network as a run weighs them: from the experts'
priors over the validation days, and then day by day over the test days as truths come in.

Parties are kept in runs/experts/; a killed run goes on where it stood.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from benchmarks.joining.cases import service_of
from benchmarks.record import record
from deepcity.intercity.level_choice import weigh_experts
from deepcity.intercity.method import alone
from deepcity.learning.evaluation.metrics import scores
from deepcity.learning.experts.expert import Arrays, Expert, ExpertData
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
TIMED = ("network", *FURTHER)
MIXES: Mapping[str, tuple[str, ...]] = {
    "network, trees": ("trees",),
    "network, gaussian_days": ("gaussian_days",),
    "all three": FURTHER,
}


class Remembered(Expert):
    """An expert whose forecasts of one set of samples are made once.

    Attributes:
        seconds: CPU seconds of all its forecasts.
    """

    def __init__(self, expert: Expert) -> None:
        self.expert = expert
        self.made: list[tuple[Samples, np.ndarray]] = []
        self.seconds = 0.0

    def predict(self, samples: Samples, origins_B: np.ndarray) -> np.ndarray:
        """Forecasts, (B, N, H)."""
        for known, forecast_BNH in self.made:
            if known is samples:
                return forecast_BNH
        begun = time.process_time()
        self.made.append((samples, self.expert.predict(samples, origins_B)))
        self.seconds += time.process_time() - begun
        return self.made[-1][1]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The expert's own."""
        return self.expert.to_arrays()

    @classmethod
    def fit(cls, data: ExpertData) -> Self:
        """It wraps an expert that was fitted."""
        raise TypeError

    @classmethod
    def from_arrays(cls, arrays: Arrays, data: ExpertData) -> Self:
        """It wraps an expert that was loaded."""
        raise TypeError


@dataclass(frozen=True)
class Measured:
    """What was measured of one party.

    Attributes:
        mae: on the test days, by forecast, a value a seed.
        seconds: CPU seconds to fit and to forecast validation and test days, by expert; of the
            network, mean over seeds.
        size: places, and days of training.
    """

    mae: Mapping[str, Sequence[float]]
    seconds: Mapping[str, tuple[float, float]]
    size: tuple[int, int]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """As kept."""
        return cls(found["mae"], found["seconds"], tuple(found["size"]))


def measure(service: Service, party: Party, seeds: Sequence[int]) -> Measured:
    """Errors and seconds of one party."""
    training = service.settings.training
    fitted: dict[str, tuple[Remembered, float]] = {}
    fit_s: dict[str, float] = {}
    for kind in FURTHER:
        begun = time.process_time()
        for one, prior in own_experts(replace(party, experts=(kind,)), training, 0):
            fitted[kind] = (Remembered(one), prior)
        fit_s[kind] = time.process_time() - begun
    networks: list[tuple[float, float]] = []
    found: dict[str, list[float]] = {}

    def add(name: str, forecast_BNH: np.ndarray) -> None:
        found.setdefault(name, []).append(scores(forecast_BNH, party.test.truth_BNH).mae)

    for kind, (one, _) in fitted.items():
        add(kind, one.predict(party.test, party.test_origins))
    for seed in seeds:
        method, begun = alone([party.name]), time.process_time()
        _, learners = train_parties(service.settings, [party], seed, method)
        trained_s = time.process_time() - begun
        network = Remembered(NetworkExpert(learners[party.name]))
        add("network", network.predict(party.test, party.test_origins))
        for name, kinds in MIXES.items():
            own = [fitted[kind] for kind in kinds if kind in fitted]
            choice = weigh_experts(party, network, [], training, seed, own)
            add(name, choice.forecast(party).forecast_BNH)
        networks.append((trained_s, network.seconds))
    seconds = {kind: (fit_s[kind], one.seconds) for kind, (one, _) in fitted.items()}
    seconds["network"] = tuple(np.mean(networks, axis=0).tolist())
    return Measured(found, seconds, (len(party.panel.places), round(party.train_days)))


def _with_days(service: Service, days: float | None) -> Service:
    """The service with so many days for each of its parties."""
    scarce = {} if days is None else {member.name: days for member in service.members}
    span = service.settings.span.model_copy(update={"scarce": scarce})
    return replace(service, settings=service.settings.model_copy(update={"span": span}))


def _path(name: str, party: str, seeds: Sequence[int], days: float | None) -> Path:
    folder = KEPT / name if days is None else KEPT / f"{name}-{days:g}-days"
    return folder / f"{party.replace('/', '.')}-{'.'.join(map(str, seeds))}.json"


def _kept(name: str, seeds: Sequence[int], days: float | None) -> dict[str, Measured]:
    """Every party of a set that was measured with these seeds."""
    return {
        path.stem.rpartition("-")[0]: Measured.of(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(KEPT.glob(str(_path(name, "*", seeds, days).relative_to(KEPT))))
    }


def _measured(service: Service, party: Party, seeds: Sequence[int], days: float | None) -> Measured:
    """What was measured before with these seeds, or is now."""
    path = _path(service.settings.name, party.name, seeds, days)
    if not path.exists():
        text = json.dumps(asdict(measure(service, party, seeds)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Measured.of(json.loads(path.read_text(encoding="utf-8")))


def main() -> None:
    """Measure, print, and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--only-tables", action="store_true", help="of the parties there are")
    parser.add_argument("--days", type=float, help="so many for each party; left out, all")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    seeds, begun = [int(seed) for seed in asked.seeds.split(",")], time.process_time()
    found: dict[str, dict[str, Measured]] = {}
    for name in () if asked.only_tables else asked.sets.split(","):
        service = _with_days(service_of(name), asked.days)
        for party in parties_of(service):
            one = _measured(service, party, seeds, asked.days)
            found.setdefault(name, {})[party.name] = one
            errors = {key: round(float(np.mean(mae)), 4) for key, mae in one.mae.items()}
            print(f"{party.name}: {errors}, {one.seconds}", flush=True)
            print(f"{time.process_time() - begun:.0f} CPU s", flush=True)
    if asked.only_tables:
        found = {name: _kept(name, seeds, asked.days) for name in asked.sets.split(",")}
    text = table(found, seeds, asked.days)
    print(text)
    if asked.sets == ",".join(SETS):
        record("experts" if asked.days is None else f"experts-{asked.days:g}-days", text)


def table(
    found: Mapping[str, Mapping[str, Measured]], seeds: Sequence[int], days: float | None
) -> str:
    """The figures as Markdown."""
    few = "" if days is None else f", {days:g} days"
    option = "" if days is None else f" --days {days:g}"
    option += "" if tuple(found) == SETS else f" --sets {','.join(found)}"
    names = ["trees", "gaussian_days", *MIXES]
    spread = ", ± standard deviation over the networks' seeds" if len(seeds) > 1 else ""
    by_party = [one.mae for parties in found.values() for one in parties.values()]
    shares = [np.mean(mae["network, trees"]) / np.mean(mae["network"]) for mae in by_party]
    better = sum(share < 1 for share in shares)
    lines = [
        f"## Further experts of a party that learns alone{few}",
        "",
        f"`python -m benchmarks.experts{option}`, {_seeds(seeds)}. "
        f"MAE on the test days as a share of the network's alone: mean over parties{spread}; "
        "under 1 is better. Further experts are fitted once, "
        "and weighed with the network as a run does. Row counts and rates of the trees were "
        "chosen on validation days of bikes and parking, one seed.",
        "",
        f"| set | parties | {' | '.join(names)} |",
        f"|---|---|{'---|' * len(names)}",
        *(_line(name, parties, names) for name, parties in found.items()),
        "",
        *_missing(found),
        f"Network with trees: better than the network in {better} of {len(shares)} parties; "
        f"shares from {min(shares):.3f} to {max(shares):.3f}, {np.mean(shares):.3f} on average.",
        "",
        "CPU seconds of a party, mean: to fit / to forecast its validation and test days, and "
        "the fit as a share of the network's training. A run trains two networks a party, alone "
        "and joined, and tunes one for each level.",
        "",
        f"| set | places | days of training | {' | '.join(TIMED)} |",
        f"|---|---|---|{'---|' * len(TIMED)}",
        *(_cost(name, list(parties.values())) for name, parties in found.items()),
    ]
    return "\n".join(lines)


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"


def _cost(name: str, parties: Sequence[Measured]) -> str:
    """One line of the table of seconds."""
    places, days = np.mean([one.size for one in parties], axis=0)
    trained = np.mean([one.seconds["network"][0] for one in parties])
    cells = []
    for kind in TIMED:
        fit, forecast = np.mean([one.seconds.get(kind, (0.0, 0.0)) for one in parties], axis=0)
        share = "" if kind == "network" else f" ({fit / trained:.2f})"
        cells.append(f"{fit:.1f} / {forecast:.2f}{share}")
    return f"| {name} | {places:.0f} | {days:.0f} | {' | '.join(cells)} |"


def _missing(found: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Which sets lack parties, if any."""
    lacking = [
        f"{PARTIES[name] - len(parties)} of {PARTIES[name]} of {name}"
        for name, parties in found.items()
        if len(parties) < PARTIES[name]
    ]
    return [f"Not measured yet, parties: {', '.join(lacking)}.", ""] if lacking else []


def _line(name: str, parties: Mapping[str, Measured], names: Sequence[str]) -> str:
    cells = []
    for one in names:
        maes = [party.mae for party in parties.values() if one in party.mae]
        shares = [np.divide(mae[one], mae["network"]) for mae in maes]
        by_seed = np.mean(shares, axis=0) if shares else None
        spread = "" if by_seed is None or len(by_seed) == 1 else f" ± {by_seed.std():.3f}"
        cells.append("–" if by_seed is None else f"{by_seed.mean():.3f}{spread}")
    return f"| {name} | {len(parties)} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
