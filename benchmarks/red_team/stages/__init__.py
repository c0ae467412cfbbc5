"""Where plays are played: each stage is a context that gives what its plays attack."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from benchmarks.red_team.play import Stage
from benchmarks.red_team.stages.machines import machines
from benchmarks.red_team.stages.running_city import running_city
from benchmarks.red_team.stages.simulated import simulated

STAGES: Mapping[Stage, Callable[[Path], AbstractContextManager[Any]]] = {
    Stage.SIMULATED: simulated,
    Stage.MACHINES: machines,
    Stage.RUNNING_CITY: running_city,
}
