"""A budget in a site's folder: kept before what it pays for leaves, and never forgotten."""

import os
import signal
import stat
import subprocess
import sys

import pytest

from deepcity.city.errors import CheckpointError, GrantError
from deepcity.parties.releases.privacy_budget import NOISE_KEY, SPENDING, PrivacyBudget
from deepcity.privacy.accounting.accountant import NoisySums
from deepcity.privacy.accounting.budget import Charge, Limit

LIMIT = Limit("sensor-day", 2.0, 1e-5)


def use(number, service="water"):
    return Charge(
        key=f"{number:064x}",
        service=service,
        round=number,
        noise_multiplier=10.0,
        sampling_rate=1.0,
        steps=1,
    )


def budget(folder, limit=LIMIT):
    return PrivacyBudget("town/office", limit, folder)


def test_uses_are_kept_between_processes_and_services(tmp_path):
    budget(tmp_path).charge(use(1))
    once = budget(tmp_path).spent()
    budget(tmp_path).charge(use(1))
    assert budget(tmp_path).spent() == once
    budget(tmp_path).charge(use(2, "power"))
    assert budget(tmp_path).spent() > once


def test_a_use_outlives_a_process_killed_right_after_it_and_is_not_paid_twice(tmp_path):
    code = (
        "import os, signal\nfrom pathlib import Path\n"
        "from deepcity.parties.releases.privacy_budget import PrivacyBudget\n"
        "from deepcity.privacy.accounting.budget import Charge, Limit\n"
        f"folder, limit = Path({str(tmp_path)!r}), Limit('sensor-day', 2.0, 1e-5)\n"
        "one = PrivacyBudget('town/office', limit, folder)\n"
        "one.key()\n"
        f"one.charge(Charge.model_validate_json({use(1).model_dump_json()!r}))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], check=False, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL
    resumed = budget(tmp_path)
    assert [one.key for one in resumed.spending().charges] == [use(1).key]
    spent, key = resumed.spent(), resumed.key()
    resumed.charge(use(1))  # the round that was under way, again
    assert resumed.spent() == spent
    assert budget(tmp_path).key() == key  # so that its noise is the same


def test_at_the_limit_nothing_more_leaves(tmp_path):
    one, number = budget(tmp_path), 0
    for number in range(100):
        try:
            one.charge(use(number))
        except GrantError as error:
            refused = str(error)
            break
    assert "town/office sends nothing more: epsilon 1." in refused
    assert "of 2 is spent" in refused
    assert len(budget(tmp_path).spending().charges) == number
    budget(tmp_path, Limit("sensor-day", 4.0, 1e-5)).charge(use(number))


def test_a_plan_that_does_not_fit_is_refused_beforehand(tmp_path):
    one = budget(tmp_path)
    one.charge(use(1, "power"))
    one.check_room("water", [NoisySums(30.0, 1.0, 1)])
    with pytest.raises(GrantError, match="this would make it"):
        one.check_room("water", [NoisySums(3.0, 1.0, 1)])
    one.check_room("power", [NoisySums(10.0, 1.0, 1)])  # its own plan holds what it spent


@pytest.mark.parametrize("data", [b"", b"{", b'{"unit": 3}', b'{"charges": [{"key": "x"}]}'])
def test_a_damaged_file_lets_nothing_leave(tmp_path, data):
    one = budget(tmp_path)
    one.charge(use(1))
    (tmp_path / SPENDING).write_bytes(data)
    with pytest.raises(CheckpointError, match=r"privacy\.json is no record.*Put back a copy"):
        one.charge(use(2))


def test_a_file_that_is_gone_is_missed_where_its_key_is_there(tmp_path):
    one = budget(tmp_path)
    one.key()
    one.charge(use(1))
    (tmp_path / SPENDING).unlink()
    with pytest.raises(CheckpointError, match="is gone"):
        one.charge(use(2))


def test_the_key_is_its_owner_s_alone(tmp_path):
    one = budget(tmp_path)
    assert one.key() == one.key()
    assert stat.S_IMODE((tmp_path / NOISE_KEY).stat().st_mode) == 0o600
    (tmp_path / NOISE_KEY).write_bytes(b"short")
    with pytest.raises(CheckpointError, match="holds 5 bytes, not 32"):
        one.key()
