"""Time passes: nothing older than it may be is in the store, and the ledger has each deletion."""

import itertools
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from deepcity.city.errors import LedgerError
from deepcity.cli import app
from deepcity.live.deep_store import delete_expired
from deepcity.live.releases.deletions import recorded_deletions
from deepcity.parties.releases.site_ledger import CLAIMS_KEY
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.open_store import open_store
from deepcity.store.release_ledger.ledger_file import RELEASES
from deepcity.store.release_ledger.lines import entry_of, read_lines
from deepcity.store.release_ledger.release import Entry
from deepcity.store.release_ledger.verify import check_ledger
from deepcity.store.signatures.ed25519 import public_hex, read_key

HOUR, DAY = 3600, 86_400
START, DAYS, KEEP = 20_000 * DAY, 9, 3
SPACE = Space("town", "environment", "weather", "h3", "0123456789abcdef")
OTHER = Space("town", "transport", "gates", "h4", "0123456789abcdef")


@pytest.fixture
def store(tmp_path):
    """A store that got two agencies' deep data each hour of some days; one keeps them for ever."""
    with open_store(f"duckdb:///{tmp_path / 'deep.duckdb'}", lambda *_: True) as opened:
        times = np.arange(START, START + DAYS * DAY, HOUR)
        for space in (SPACE, OTHER):
            vectors = np.zeros((len(times), 2), np.float32)
            cells = np.full(len(times), "89bb5000577ffff")
            opened.append(DeepData(space, times, cells, vectors), now=START + DAYS * DAY)
        opened.retain(SPACE, KEEP)
        opened.retain(OTHER, None)
        yield opened


def times_of(store, space=SPACE):
    return store.read(space, None, 0, START + 99 * DAY, reader="app").time_R


def entries(folder):
    lines = [line.data for line in read_lines(folder / RELEASES) if not line.is_head]
    found = [entry_of(data) for data in lines]
    assert all(isinstance(one, Entry) for one in found), found
    return found


def test_nothing_older_is_in_the_store_and_the_ledger_says_what_went(store, tmp_path):
    folder, went, troubles = tmp_path / "node", [], []
    record, held = recorded_deletions(folder, "town"), len(times_of(store))
    for hour in range(0, (DAYS + KEEP + 1) * 24, 7):
        now = START + hour * HOUR
        delete_expired(store, went.append, troubles.append, lambda now=now: now, record)
        left = times_of(store)
        assert not len(left) or left.min() >= now - KEEP * DAY
        gone = [one.deletion for one in entries(folder)] if went else []
        assert sum(one.rows for one in gone) == sum(went) == held - len(left)
    assert len(times_of(store)) == 0
    assert len(times_of(store, OTHER)) == held, "kept for ever"
    assert not troubles
    first, *_, last = gone
    assert (first.holder, first.data, first.rule, first.days) == (
        "town", str(SPACE), "retention", KEEP,
    )  # fmt: skip
    assert first.first_s == START
    assert last.last_s == START + DAYS * DAY - HOUR
    for before, after in itertools.pairwise(gone):
        assert before.last_s < before.before_s <= after.first_s
    key = public_hex(read_key(folder / CLAIMS_KEY))
    checked = check_ledger(folder / RELEASES, keys=[key])
    assert (checked.size, checked.findings) == (len(gone), [])


def test_what_cannot_be_recorded_is_not_deleted_and_said(store, tmp_path):
    def failing(_gone):
        raise LedgerError("the disk is full")

    went, troubles, held = [], [], len(times_of(store))
    now = START + DAYS * DAY
    delete_expired(store, went.append, troubles.append, lambda: now, failing)
    assert (went, troubles, len(times_of(store))) == ([], ["the disk is full"], held)
    delete_expired(
        store, went.append, troubles.append, lambda: now, recorded_deletions(tmp_path, "town")
    )
    assert went == [held - KEEP * 24]


def test_the_commands_show_a_deletion_and_find_one_that_was_edited(store, tmp_path):
    folder = tmp_path / "node"
    now = START + DAYS * DAY
    delete_expired(store, print, print, lambda: now, recorded_deletions(folder, "town"))
    run = CliRunner().invoke
    shown = run(app, ["ledger", "show", str(folder)], env={"COLUMNS": "300"})
    assert shown.exit_code == 0, shown.output
    rows = (DAYS - KEEP) * 24
    assert f"town deleted {rows} rows of {SPACE}" in " ".join(shown.output.split())
    assert f"as they are kept for {KEEP} days" in " ".join(shown.output.split())
    [line] = run(app, ["ledger", "show", str(folder), "--json"]).output.splitlines()
    assert json.loads(line)["deletion"]["rows"] == rows
    verified = run(app, ["ledger", "verify", str(folder)])
    assert verified.exit_code == 0, verified.output
    path = folder / RELEASES
    path.write_bytes(path.read_bytes().replace(f'"rows":{rows}'.encode(), b'"rows":7'))
    assert run(app, ["ledger", "verify", str(folder)]).exit_code != 0


@pytest.mark.parametrize("more", [{}, {"release": None, "deletion": None}])
def test_an_entry_is_of_one_thing(more):
    with pytest.raises(ValueError, match="one release, deletion or act"):
        Entry(index=0, time_s=1, **more)
