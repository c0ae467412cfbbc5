"""What a coordinator can reach of the agencies, in memory and in its folder: messages, no more."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest
import torch
from little_vertical import little
from reach import reachable

from deepcity.data.panel import Panel
from deepcity.learning.features.agency_columns import Columns, ColumnStats
from deepcity.learning.features.input_columns import InputColumns
from deepcity.learning.features.inputs import Inputs, Samples
from deepcity.learning.networks.encoder import Encoder
from deepcity.learning.split.agency_learner import AgencyLearner
from deepcity.learning.split.labels import HeldLabels
from deepcity.learning.training.learner import PartyData
from deepcity.maps.city_map import load_map
from deepcity.parties.party import Party
from deepcity.vertical import run as meeting_run
from deepcity.vertical.agency_party import AgencyParty
from deepcity.vertical.agency_site import AgencySite
from deepcity.vertical.coordinator import VerticalCoordinator
from deepcity.vertical.setup import VerticalSetup

AGENCYS_OWN = (AgencySite, AgencyParty, AgencyLearner, Encoder, Columns, ColumnStats, InputColumns)
HOLDERS_OWN = (Panel, Party, PartyData, Inputs, HeldLabels, VerticalSetup)
MORE = {
    "own application": 'compare = ["one-shot", "per-batch"]',
    "labels stay": 'labels_stay = true\nown_width = 4\ncompare = ["one-shot"]',
}


@dataclass
class Watched:
    """A run whose coordinators were looked into after each round and after training."""

    found: list[str] = field(default_factory=list)
    looks: int = 0
    tables: list[VerticalSetup] = field(default_factory=list)
    files: set[str] = field(default_factory=set)


def contents(*roots):
    """Content of each array and tensor that can be reached; constant ones tell nothing."""
    found = set()
    for one in reachable(*roots):
        array = one.detach().numpy() if isinstance(one, torch.Tensor) else one
        numbers = isinstance(array, np.ndarray) and array.size > 1 and array.dtype.kind in "fb"
        if numbers and (array != array.flat[0]).any():
            found.add(np.ascontiguousarray(array).tobytes())
    return found


def private(table):
    """Content of what no coordinator may hold."""
    sites = list(table.all_sites.values())
    found = contents([(site.learner, site.answers.learner) for site in sites])
    if table.own_site is not None:
        party = table.party
        found |= contents(party.panel, party.inputs, party.data, party.test)
    named = [site.learner.columns.cells for site in sites]  # in the handshake
    return found - contents(named)


def look(coordinator, callback, table):
    """Everything of an agency that can be reached from a coordinator, in words."""
    apart = table.own_site is not None
    kinds = AGENCYS_OWN + (HOLDERS_OWN if apart else (VerticalSetup,))
    objects = list(reachable(coordinator, callback))
    found = [type(one).__name__ for one in objects if isinstance(one, kinds)]
    held = [one for one in objects if isinstance(one, Samples)] if apart else []
    found += ["rows" for one in held if one.features_BNF.any() or one.truth_BNH.any()]
    found += ["its content" for _ in contents(coordinator, callback) & private(table)]
    return found


def stems(table):
    """Content of every stem, of agencies as they stand now."""
    sites = table.all_sites.values()
    learners = [one for site in sites for one in (site.learner, site.answers.learner)]
    return {one.encoder.stem.weight.detach().numpy().tobytes(): one.name for one in learners}


def leaks_in_files(folder, table):
    """Files that hold a stem and are not in its agency's own folder; all that were read."""
    read = [path for path in folder.rglob("*") if path.is_file()]
    wrong = []
    for path in read:
        data = path.read_bytes()
        for stem, name in stems(table).items():
            whole = name if "/" in name else f"{table.party.city}/{name}"
            own = f"sites/{whole.replace('/', '.')}/"
            if stem in data and not path.relative_to(folder).as_posix().startswith(own):
                wrong.append(f"{path.relative_to(folder)} holds the stem of {name}")
    return wrong, {path.relative_to(folder).parts[0] for path in read}


def run(folder, monkeypatch, more, leak=lambda _table, callback: callback):
    """Run meetings of a little map, and look at every coordinator as they go on."""
    watched, build_setup, train = Watched(), meeting_run.build_setup, VerticalCoordinator.train

    def laid(*args):
        watched.tables.append(build_setup(*args))
        return watched.tables[-1]

    def looked(self, after_round):
        table = watched.tables[-1]
        after_round = leak(table, after_round)

        def after(done):
            after_round(done)
            watched.looks += 1
            watched.found.extend(look(self, after_round, table))
            wrong, seen = leaks_in_files(folder / "run", table)
            watched.found.extend(wrong)
            watched.files |= seen

        history = train(self, after)
        watched.looks += 1
        watched.found.extend(look(self, after_round, table))
        return history

    monkeypatch.setattr(meeting_run, "build_setup", laid)
    monkeypatch.setattr(VerticalCoordinator, "train", looked)
    meeting_run.run_vertical(load_map(little(folder, more=more, rounds=2)), folder / "run")
    return watched


@pytest.mark.parametrize("more", MORE.values(), ids=MORE)
def test_a_coordinator_reaches_nothing_of_an_agency(tmp_path, monkeypatch, more):
    watched = run(tmp_path, monkeypatch, more)
    assert watched.looks >= 6  # two rounds and the end, of two methods or three
    assert watched.found == []
    wrong, _ = leaks_in_files(tmp_path / "run", watched.tables[0])
    assert wrong == []
    assert ("coordinator" in watched.files) == (watched.tables[0].own_site is not None)
    assert "sites" in watched.files


def test_agencies_keep_their_own_states_in_their_own_folders(tmp_path, monkeypatch):
    """The stems are on disk, but with their agencies: the look at files is not in vain."""
    with_agency = []

    def noted(table, callback):
        def after(done):
            callback(done)
            (stem,) = {k for k, name in stems(table).items() if name == "weather"} - first
            files = (tmp_path / "run" / "sites" / "east.weather" / "checkpoints").iterdir()
            with_agency.append(any(stem in path.read_bytes() for path in files))

        first = {table.sites["weather"].learner.encoder.stem.weight.detach().numpy().tobytes()}
        return after

    run(tmp_path, monkeypatch, "", leak=noted)
    assert with_agency == [True, True]


LEAKS = {
    "a closure over the setup": lambda table, callback: lambda done: (table, callback(done)),
    "a bound argument": lambda table, callback: partial(
        lambda _site, done: callback(done), table.sites["weather"]
    ),
    "a method of a learner": lambda table, callback: Holder(
        callback, [{"method": table.sites["weather"].answers.learner.encode}]
    ),
    "a view of raw columns": lambda table, callback: Holder(
        callback, table.sites["weather"].learner.columns.standard_TCF[:2]
    ),
    "a copy of a stem": lambda table, callback: Holder(
        callback, table.sites["weather"].learner.export(["stem"])
    ),
    "a copy of a scaling": lambda table, callback: Holder(
        callback, table.sites["weather"].learner.columns.stats.typical_SCF.copy()
    ),
}


@dataclass(frozen=True)
class Holder:
    """A callback that holds more than it needs."""

    callback: object
    held: object

    def __call__(self, done):
        self.callback(done)


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_leak_is_found(tmp_path, monkeypatch, leak):
    assert run(tmp_path, monkeypatch, "", leak=leak).found


def test_rows_of_the_labels_agency_are_found_where_labels_stay(tmp_path, monkeypatch):
    leak = lambda table, callback: Holder(callback, np.array(table.party.data.train.truth_BNH))  # noqa: E731
    assert run(tmp_path, monkeypatch, MORE["labels stay"], leak=leak).found
