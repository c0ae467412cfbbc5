"""How a run with a fault ended, beside the same run in one process without one."""

import json
import math
import re
from dataclasses import dataclass, field

from deepcity.exchange.party import TRAIN
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.run_folder import coordinator_folder

_DIGEST = re.compile(r"-[0-9a-f]{12}$")
ROUNDING = 1e-5
"""Relative difference of errors that is none."""


@dataclass(frozen=True)
class Outcome:
    """How one run ended.

    Attributes:
        ended: by itself: finished, or stopped with a reason.
        stopped: the reason, where it did not finish.
        made: points at which the fault was made, of all.
        worst: largest relative difference of a party's error, in any round or at the end.
        levels: parties that chose another level, or none.
        named: party -> reasons that the run recorded.
        lost: rounds without a party that no failure names.
        twice: rounds whose bytes of a party were counted more than once.
        orphans: processes left a second after all parts were stopped.
    """

    name: str
    ended: bool
    seconds: float
    made: list = field(default_factory=list)
    stopped: str = ""
    worst: float = math.nan
    levels: list = field(default_factory=list)
    named: dict = field(default_factory=dict)
    lost: int = 0
    twice: int = 0
    leases: int = 0
    orphans: int = 0

    @property
    def same(self):
        """Whether it is the run without a fault."""
        return self.ended and not self.stopped and not self.levels and self.worst <= ROUNDING

    @property
    def good(self):
        """The same, or the fault named; nothing lost, counted twice or left behind."""
        whole = self.made[0] == self.made[1] and not (self.lost or self.twice or self.orphans)
        return self.ended and whole and (self.same or bool(self.named or self.stopped))


def compared(run, reference):
    """What differs between two run folders, as fields of an `Outcome`.

    Args:
        run: of the federation.
        reference: of the run in one process.
    """
    found, wanted = (_results(one) for one in (run, reference))
    pairs = [
        (found[party]["errors"].get(method), error)
        for party in set(found) & set(wanted)
        for method, error in wanted[party]["errors"].items()
    ]
    lost, twice = 0, 0
    named: dict = {}
    trained = _trainings(run)
    for name, full in _trainings(reference).items():
        here, there = _newest(run, trained.get(name)), _newest(reference, full)
        if here is None:
            lost += len(there["errors"])
            continue
        new, reasons = _rounds(here, there)
        pairs += new
        for party, reason in reasons:
            named.setdefault(party, []).append(reason)
        lost += _lost(here, there)
        twice += _twice(here, there)
    for party, reason in _last_failures(run, wanted):
        named.setdefault(party, []).append(reason)
    levels = [one for one in wanted if found.get(one, {}).get("level") != wanted[one]["level"]]
    named = {party: sorted({*map(shown, reasons)}) for party, reasons in named.items()}
    for party in set(wanted) - set(found):
        named.setdefault(party, []).append("it chose no level")
    worst = max((_difference(*pair) for pair in pairs if pair[0] is not None), default=math.nan)
    return {"worst": worst, "levels": levels, "named": named, "lost": lost, "twice": twice}


def _results(run):
    """Party -> level, and errors by method, as `results.json` has them."""
    services = json.loads((run / "results.json").read_text())["services"]
    return {
        party["name"]: {"level": party["level"], "errors": _errors(party)}
        for service in services
        for party in service["parties"]
    }


def _errors(party):
    tested = {method: errors["metric_error"] for method, errors in party["test"].items()}
    return {**tested, **{f"level {level}": mae for level, mae in party["validation_mae"].items()}}


def shown(reason):
    """A reason without the folder of this run."""
    return re.sub(r"/\S+/fed/", "", reason)


def _last_failures(run, parties):
    """Who was left out of any round or of the end of a training, as `rounds.json` names it."""
    found = json.loads((run / "rounds.json").read_text())
    texts = [text for one in found.values() for failed in one["failures"] for text in failed]
    return [
        (party, text.removeprefix(f"{party}: "))
        for text in texts
        for party in parties
        if text.startswith(f"{party}: ")
    ]


def _trainings(run):
    """Trainings by name, without the digest of what they started from."""
    files = sorted(
        coordinator_folder(run).glob("*.checkpoint"), key=lambda one: one.stat().st_mtime
    )
    names = [path.name.rsplit(".", 2)[0] for path in files]
    return {_DIGEST.sub("", name) + ("*" if _DIGEST.search(name) else ""): name for name in names}


def _newest(run, name):
    if name is None:
        return None
    found = CheckpointStore(coordinator_folder(run)).load_latest(name)
    return None if found is None else found.values


def _rounds(here, there):
    """Pairs of errors by round and party, and who was left out of a round, and why."""
    pairs = [
        (errors[party], error)
        for errors, wanted in zip(here["errors"], there["errors"], strict=False)
        for party, error in wanted.items()
        if party in errors
    ]
    return pairs, [tuple(one) for failed in here["failures"] for one in failed]


def _lost(here, there):
    """Rounds without a party's error, and without a failure that names it then or in the next."""
    missing = 0
    for number, wanted in enumerate(there["errors"]):
        errors = here["errors"][number] if number < len(here["errors"]) else {}
        failed = {party for one in here["failures"][number : number + 2] for party, _ in one}
        missing += sum(party not in errors and party not in failed for party in wanted)
    return missing


def _twice(here, there):
    """Rounds and directions in which a party's bytes are more than once those of one round."""
    counted, once = (_bytes(one["ledger"]) for one in (here, there))
    return sum(size > once.get(key, 0) for key, size in counted.items())


def _bytes(ledger):
    sums: dict = {}
    for number, verb, sender, receiver, _, size in ledger:
        if verb == TRAIN:
            key = number, sender, receiver
            sums[key] = sums.get(key, 0) + size
    return sums


def _difference(one, other):
    return abs(one - other) / max(abs(other), 1e-12)
