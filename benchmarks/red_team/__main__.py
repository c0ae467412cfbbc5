"""See the package. How each play ended last is kept in endings.jsonl beside this file; the table is
of all that are there, so that a stage may be played by itself.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # little cities and federations

from benchmarks.record import record
from benchmarks.red_team import __doc__ as about
from benchmarks.red_team.adversaries import load_plays
from benchmarks.red_team.play import Ending, Play, Stage
from benchmarks.red_team.stages import STAGES
from benchmarks.red_team.table import load_endings, row, save_endings, text

KEPT = Path(__file__).with_name("endings.jsonl")


def play_all(plays: Iterable[Play], folder: Path) -> Iterator[tuple[Play, Ending]]:
    """Play them, stage by stage; a stage is set up when its first play needs it."""
    plays = list(plays)
    for stage, build in STAGES.items():
        mine = [one for one in plays if one.stage is stage]
        with ExitStack() as stack:
            built = stack.enter_context(build(folder / stage.value)) if mine else None
            for one in mine:
                yield one, one.end(built)


def main() -> int:
    """Play, print, keep, and record the table if every play has been played."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    stages = [one.value for one in Stage]
    parser.add_argument("stage", nargs="*", help=f"{', '.join(stages)}; all if none is named")
    parser.add_argument("--only", default="", help="plays and adversaries whose names hold this")
    asked = parser.parse_args()
    if unknown := set(asked.stage) - {*stages}:
        parser.error(f"no stage {', '.join(sorted(unknown))}; there are {', '.join(stages)}")
    torch.set_num_threads(1)
    plays, known = load_plays(), dict[str, Ending]()
    wanted = [
        one
        for one in plays.values()
        if one.stage in (asked.stage or stages) and asked.only in f"{one.name} {one.adversary}"
    ]
    good = bool(wanted)
    with tempfile.TemporaryDirectory(prefix="deepcity-red-team-") as name:
        os.environ["DEEPCITY_KEYS"] = str(Path(name) / "keys")
        for one, ending in play_all(wanted, Path(name)):
            print(row(one, ending), flush=True)
            good = good and ending.good
            known = {**load_endings(KEPT), one.name: ending}
            save_endings(KEPT, {name: known[name] for name in plays if name in known})
    if known.keys() >= plays.keys():
        record("red-team", text({one: known[one.name] for one in plays.values()}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
