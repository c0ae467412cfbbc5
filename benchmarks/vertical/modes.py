"""What fewer meetings cost: accuracy against messages and bytes, all with as many local steps.

    python -m benchmarks.vertical.modes [--seeds 0,1,2] [--sets tetouan,bikes,...]

One-shot, block-wise with blocks of several lengths, and per-batch (split learning), from the
same encoders, pretrained once. Between two gradients an agency may move its activations by no
more than its reach; with few gradients a longer one may pay, so two are tried. The option with 50
times fewer messages than per-batch is chosen by the validation error, then tested.

Long blocks also look at the validation span less often, and so keep another round. What that
alone does is shown by 'alone', one-shot and per-batch with as few looks.

Cases are kept in runs/meeting/ as soon as they are done; rows and pictures of sets that have
no cases there stay as they are.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from benchmarks.kept_cases import asked_of
from benchmarks.record import record, recorded
from benchmarks.rows import with_earlier_rows
from benchmarks.vertical.cases import service_of
from benchmarks.vertical.curve import svg, text
from benchmarks.vertical.mode_case import ModeCase
from deepcity.learning.evaluation.metrics import scores
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.maps.vertical_settings import Mode
from deepcity.parties.party import parties_of
from deepcity.vertical import baselines as methods
from deepcity.vertical.setup import build_setup, pretrain_encoders

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "runs" / "meeting" / "modes.jsonl"
DEFAULT_EVALUATE_EVERY = 50
PLOTS = ROOT / "docs" / "images"
PARTIES = {
    "tetouan": "tetouan/power",
    "bikes": "washington/bikes",
    "ferrara-summer": "ferrara/water",
}


@dataclass(frozen=True)
class Option:
    """When agencies receive gradients, and how far they may then move.

    Attributes:
        block: local steps between two gradients; 0: they receive none.
        evaluate_every: local steps between two validation evaluations; in blocks, the block.
    """

    mode: Mode
    block: int
    reach: float = 0.2
    evaluate_every: int = DEFAULT_EVALUATE_EVERY

    @property
    def name(self) -> str:
        """As in tables."""
        if self.mode is Mode.BLOCK:
            return f"blocks of {self.block}, reach {self.reach:g}"
        return (
            str(self.mode)
            if self.evaluate_every == DEFAULT_EVALUATE_EVERY
            else f"{self.mode}, {self.evaluate_every} steps a look"
        )


def blocks(length: int, reach: float = 0.2) -> Option:
    """Block-wise: a gradient and an evaluation after so many local steps."""
    return Option(Mode.BLOCK, length, reach, length)


OPTIONS = (
    Option(Mode.ONE_SHOT, 0),
    *(blocks(length) for length in (400, 200, 100, 50, 25)),
    *(blocks(length, 0.4) for length in (400, 200, 100)),
    Option(Mode.BATCH, 1),
    Option(Mode.ONE_SHOT, 0, evaluate_every=400),
    Option(Mode.BATCH, 1, evaluate_every=400),
)


def measure(name: str, seed: int, options: Sequence[Option] = OPTIONS) -> Iterator[ModeCase]:
    """Options for one party; yields cases as they are done."""
    service = service_of(name)
    member = next(m for m in service.members if m.name == PARTIES[name])
    party = parties_of(replace(service, members=(member,)))[0]
    setup = build_setup(service, member, party, seed)
    pretrain_encoders([setup], seed)
    training, test, truth = service.settings.training, party.test, party.test.truth_BNH
    alone: dict[int, float] = {}
    for option in options:
        paced = _paced(training, option)
        if option.evaluate_every not in alone:
            own = methods.train_alone(setup, paced, seed, _quiet).forecast(test, {})
            alone[option.evaluate_every] = scores(own, truth).mae
        begun = time.process_time()
        for site in setup.sites.values():
            site.learner.settings = replace(site.learner.settings, trust_radius=option.reach)
        met = methods.train_joint(setup, paced, seed, option.mode, _quiet)
        assert met.ledger is not None
        yield ModeCase(
            name,
            party.name,
            seed,
            party.unit,
            option.name,
            option.block,
            alone[option.evaluate_every],
            scores(met.forecast(test, met.test), truth).mae,
            met.learner.best,
            met.ledger.messages,
            met.ledger.total,
            time.process_time() - begun,
        )


def _paced(training: TrainingSettings, option: Option) -> TrainingSettings:
    """As many local steps in all, with the option's looks at the validation span."""
    rounds = training.total_steps // option.evaluate_every
    assert rounds * option.evaluate_every == training.total_steps
    return training.model_copy(update={"rounds": rounds, "local_steps": option.evaluate_every})


def load() -> list[ModeCase]:
    """Cases of earlier runs; of one measured twice, the later."""
    lines = KEPT.read_text(encoding="utf-8").splitlines() if KEPT.exists() else []
    cases = [ModeCase(**json.loads(line)) for line in lines]
    return list({(case.set, case.seed, case.option): case for case in cases}.values())


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    asked = asked_of(__doc__, PARTIES)
    torch.set_num_threads(1)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    for seed in () if asked.only_tables else asked.seeds:
        for name in asked.sets:
            _run(name, seed)
    cases = whole(load())
    found = with_earlier_rows(text(cases), recorded("meeting-modes"))
    print(found)
    record("meeting-modes", found)
    for name in {case.set for case in cases}:
        own = [case for case in cases if case.set == name]
        (PLOTS / f"meeting-modes-{name}.svg").write_text(svg(own), encoding="utf-8")


def whole(cases: Sequence[ModeCase]) -> list[ModeCase]:
    """Cases of sets and seeds for which every option is there."""
    done = Counter((case.set, case.seed) for case in cases)
    return [case for case in cases if done[case.set, case.seed] == len(OPTIONS)]


def _run(name: str, seed: int) -> None:
    """A set's options that are missing."""
    done = {case.option for case in load() if (case.set, case.seed) == (name, seed)}
    missing = [option for option in OPTIONS if option.name not in done]
    for case in measure(name, seed, missing) if missing else ():
        outcome = f"{case.mae / case.alone:.3f} of alone, {case.messages} messages"
        print(f"{name}, seed {seed}, {case.option}: {outcome}, {case.seconds:.0f} s", flush=True)
        with KEPT.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(case)) + "\n")


def _quiet(_round: int) -> None:
    pass


if __name__ == "__main__":
    main()
