"""Points of a run at which a fault is made: written for the processes that stop there.

asked      a site has a round's message, and has trained nothing yet
trained    it has trained and saved, and its answer has not left
fused      the coordinator has fused a round, and kept nothing yet
kept       it has kept its checkpoint, and asked nobody for the next round
choosing   a site is asked to choose its level
writing    it has chosen and written its forecaster; its results and its answer are missing
"""

import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.federation.points import sitecustomize

ROOT = Path(__file__).parents[2]
JOINED, NEWCOMER, EPISODES = "water.level_6", "water.alone-", "water.episodic-1-"


@dataclass(frozen=True)
class Point:
    """Where a process stops once.

    Attributes:
        point: as above.
        site: that stops there; the coordinator: none.
        training: its name begins so.
        round: from 0 on.
    """

    point: str
    site: str = ""
    training: str = ""
    round: int = 0


class Points:
    """The points of one run, in a folder that all of its processes read."""

    def __init__(self, folder, points):
        self.folder, self.points = folder, points
        folder.mkdir()
        (folder / "plan.json").write_text(json.dumps([asdict(one) for one in points]))

    def reached(self):
        """Numbers of points where a process waits for its fault."""
        numbers = range(len(self.points))
        return [n for n in numbers if self._mark(n, "reached").exists() and n not in self.made()]

    def made(self):
        """Numbers of points whose faults are made."""
        return [n for n in range(len(self.points)) if self._mark(n, "made").exists()]

    def go_on(self, number):
        """The fault is made; who waits goes on, if it is still there."""
        self._mark(number, "made").touch()

    def _mark(self, number, name):
        return self.folder / f"{number}.{name}"

    @contextmanager
    def environment(self, site="", **more):
        """What a process that starts now inherits; put back afterwards."""
        kept = dict(os.environ)
        paths = [Path(sitecustomize.__file__).parent, ROOT / "src", ROOT]
        known = os.environ.get("PYTHONPATH", "")
        os.environ["PYTHONPATH"] = os.pathsep.join([*map(str, paths), known])
        os.environ |= {sitecustomize.FOLDER: str(self.folder), sitecustomize.SITE: site, **more}
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(kept)
