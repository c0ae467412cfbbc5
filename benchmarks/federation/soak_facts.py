"""What is read while a federation runs for hours, and what its records hold at the end."""

import json
import re
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.federation.processes import pss_mb
from deepcity.exchange.party import TRAIN
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.run_folder import coordinator_folder

_YOUNG_S = 60.0
"""A process still loads what it needs; what it holds then is no leak."""
_OLD_S = 300.0
_SERVICE, _DIGEST = re.compile(r"^water-\d+"), re.compile(r"-[0-9a-f]{12}$")
_ROLES = {
    "flare.keeper": "keeper",
    "machines.lead": "coordinator",
    "server_train": "hub's server",
    "runner_process": "hub's job",
    "client_train": "site",
    "worker_process": "site's worker",
}


@dataclass
class Life:
    """One process: when it was read, its memory in MB, its open files and its threads."""

    role: str
    times: list = field(default_factory=list)
    memory: list = field(default_factory=list)
    files: list = field(default_factory=list)
    threads: list = field(default_factory=list)

    @property
    def seconds(self):
        """From the first to the last reading."""
        return self.times[-1] - self.times[0]

    def quarters(self):
        """Memory at the end of each quarter of its life, in MB."""
        last = len(self.memory) - 1
        return [self.memory[last * part // 4] for part in (1, 2, 3, 4)]

    def grown(self, values):
        """Least-squares slope an hour, of what was read once the process was a minute old."""
        old = [at - self.times[0] >= _YOUNG_S for at in self.times]
        hours = [at / 3600 for at, one in zip(self.times, old, strict=True) if one]
        kept = [value for value, one in zip(values, old, strict=True) if one]
        return statistics.linear_regression(hours, kept).slope


class Watched:
    """Processes of a run over time, and the files and bytes of its folder."""

    def __init__(self, run):
        self.run = run
        self._lives: dict = {}
        self._alive, self._places = [], []

    def sample(self):
        """Read all processes once."""
        now, alive = time.monotonic(), defaultdict(int)
        for process, command in self.run.commands():
            role = next((name for word, name in _ROLES.items() if word in command), "other")
            entry = Path(f"/proc/{process}")
            try:
                files, threads = (len([*(entry / one).iterdir()]) for one in ("fd", "task"))
                begun = (entry / "stat").read_text().rpartition(")")[2].split()[19]
            except OSError:
                continue
            # Numbers are given again: a process is known by when it began, too.
            life = self._lives.setdefault((process, begun), Life(role))
            life.times.append(now)
            life.memory.append(pss_mb(process))
            life.files.append(files)
            life.threads.append(threads)
            alive[role] += 1
        self._alive.append(alive)
        self._places.append((now, *_folder_size(self.run.folder)))

    def table(self):
        """Markdown."""
        lines = [
            f"Growth an hour: of processes that lived {_OLD_S / 60:.0f} minutes or more, by least "
            "squares over all but their first minute, median (most).",
            "",
            "| process | lives | at once, at most | longest, min | its MB by quarters "
            "| MB, at most | MB an hour | open files, at most | files an hour | threads, at most |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        for role in [*_ROLES.values(), "other"]:
            if lives := [one for one in self._lives.values() if one.role == role]:
                lines.append(self._row(role, lives))
        (_, files, size), (_, last_files, last_size) = self._places[1], self._places[-1]
        return [
            *lines,
            "",
            f"The federation's folder, all kits included: {files} to {last_files} files, "
            f"{size:.0f} to {last_size:.0f} MB.",
        ]

    def _row(self, role, lives):
        old = [one for one in lives if one.seconds >= _OLD_S]
        memory, files = (
            sorted(one.grown(getattr(one, what)) for one in old) for what in ("memory", "files")
        )
        longest = max(lives, key=lambda one: one.seconds)
        cells = [
            role,
            len(lives),
            max(one[role] for one in self._alive),
            f"{longest.seconds / 60:.0f}",
            ", ".join(f"{one:.0f}" for one in longest.quarters()),
            f"{max(max(one.memory) for one in lives):.0f}",
            f"{statistics.median(memory):+.1f} ({memory[-1]:+.1f})" if old else "",
            max(max(one.files) for one in lives),
            f"{statistics.median(files):+.1f} ({files[-1]:+.1f})" if old else "",
            max(max(one.threads) for one in lives),
        ]
        return f"| {' | '.join(map(str, cells))} |"


def _folder_size(folder):
    """How many files, and MB."""
    sizes = []
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                sizes.append(path.stat().st_size)
        except OSError:
            continue
    return len(sizes), sum(sizes) / 1e6


def rounds_kept(folder):
    """Training -> errors by party of each round that the coordinator has kept."""
    try:
        found = json.loads((folder / "rounds.json").read_text())
    except (OSError, ValueError):
        return {}
    return {name: one["errors"] for name, one in found.items()}


def different(kept):
    """Rounds whose errors are not those of the same round of the first service."""
    first: dict = {}
    count = 0
    for name, errors in kept.items():
        wanted = first.setdefault(_DIGEST.sub("", _SERVICE.sub("", name)), {})
        for number, one in enumerate(errors):
            count += one != wanted.setdefault((number, *sorted(one)), one)
    return count


def lost_and_twice(folder):
    """Rounds of a party without an error or a failure, and with the bytes of more than one."""
    lost = twice = 0
    for name, one in json.loads((folder / "rounds.json").read_text()).items():
        for number, errors in enumerate(one["errors"]):
            named = " ".join(
                text for failed in one["failures"][number : number + 2] for text in failed
            )
            lost += sum(party not in errors and party not in named for party in one["levels"])
        found = CheckpointStore(coordinator_folder(folder)).load_latest(name)
        sums: dict = defaultdict(int)
        for number, verb, sender, receiver, _, size in found.values["ledger"] if found else ():
            if verb == TRAIN:
                sums[number, sender, receiver] += size
        by_pair: dict = defaultdict(list)
        for (_, *pair), size in sums.items():
            by_pair[tuple(pair)].append(size)
        twice += sum(
            size > 1.5 * statistics.median(sizes) for sizes in by_pair.values() for size in sizes
        )
    return lost, twice
