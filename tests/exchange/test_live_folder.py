"""An outbox in a folder of the earlier name is taken over where it may be, else told of."""

import signal
import subprocess
import sys

import pytest
from live_server import environment

from deepcity.city.errors import StoreError
from deepcity.exchange.live_folder import OUTBOX, own_folder
from deepcity.store.outbox import Outbox

OTHER = "town/transport/gates/h3@another"


@pytest.fixture
def package(town_trained):
    return town_trained.encoders["gates"]


@pytest.fixture
def fill(package, tmp_path):
    """Puts a parcel of each topic into the outbox of the earlier name."""

    def put(*topics, folder=".gates-live", confirm=False):
        with Outbox(tmp_path / folder / OUTBOX) as outbox:
            for topic in topics:
                outbox.put(topic, 75, b"rows", {topic: 7, f"{topic}/revision": 9})
            if confirm:
                outbox.confirm(outbox.first().number)
        return tmp_path / folder

    return put


def test_nothing_earlier_is_nothing_to_tell(package, tmp_path):
    found = own_folder(package, tmp_path)
    assert found.path == tmp_path / ".gates-ridership-live"
    assert found.adopted == found.left == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("confirm", [False, True], ids=["waiting", "all sent"])
def test_an_earlier_outbox_of_this_service_is_taken_over_whole(package, tmp_path, fill, confirm):
    """Parcels, marks and pushed rows; where all was sent, the mark says where to go on."""
    space = str(package.space)
    earlier = fill(space, confirm=confirm)
    (earlier / "pushed").mkdir()
    (earlier / "pushed" / "gates.csv").write_text("time,a\n", encoding="utf-8")
    found = own_folder(package, tmp_path)
    assert str(earlier) in found.adopted
    assert f"{0 if confirm else 75} rows wait" in found.adopted
    assert not earlier.exists()
    assert (found.path / "pushed" / "gates.csv").exists()
    with Outbox(found.path / OUTBOX) as outbox:
        assert outbox.waiting().parcels == (0 if confirm else 1)
        assert (outbox.mark(space), outbox.mark(f"{space}/revision")) == (7, 9)
    assert own_folder(package, tmp_path).adopted == ""


def test_what_was_taken_over_by_half_is_taken_over_at_the_next_start(package, tmp_path, fill):
    """Killed after the pushed rows had been moved."""
    earlier = fill(str(package.space))
    (tmp_path / ".gates-ridership-live" / "pushed").mkdir(parents=True)
    (earlier / "records").mkdir()
    found = own_folder(package, tmp_path)
    assert found.adopted
    assert sorted(one.name for one in found.path.iterdir()) == [OUTBOX, "pushed", "records"]


def test_files_of_others_stay_in_the_earlier_folder(package, tmp_path, fill):
    earlier = fill(str(package.space))
    (earlier / "riders.csv").write_text("", encoding="utf-8")  # a service of the agency's name
    assert own_folder(package, tmp_path).adopted
    assert [one.name for one in earlier.iterdir()] == ["riders.csv"]


@pytest.mark.parametrize("own", [False, True], ids=["another's", "mixed"])
def test_parcels_of_another_service_stay_and_are_told_of(package, tmp_path, fill, own):
    earlier = fill(*([str(package.space)] if own else []), OTHER)
    found = own_folder(package, tmp_path)
    assert found.adopted == ""
    assert f"{150 if own else 75} rows wait" in found.left
    assert str(earlier / OUTBOX) in found.left
    assert OTHER in found.left
    assert f"--state {earlier} --once" in found.left
    with Outbox(earlier / OUTBOX) as outbox:
        assert outbox.waiting().rows == (150 if own else 75)
    assert not found.path.exists()


def test_another_services_outbox_without_parcels_is_no_matter(package, tmp_path, fill):
    fill(OTHER, confirm=True)
    found = own_folder(package, tmp_path)
    assert found.adopted == found.left == ""


def test_an_outbox_of_this_service_beside_a_new_one_stays_and_is_told_of(package, tmp_path, fill):
    space = str(package.space)
    fill(space, folder=".gates-ridership-live")
    earlier = fill(space)
    found = own_folder(package, tmp_path)
    assert "has another outbox already" in found.left
    assert "75 rows wait" in found.left
    assert (earlier / OUTBOX).exists()


def test_an_earlier_outbox_in_use_is_left_and_told_of(package, tmp_path, fill):
    earlier = fill(str(package.space))
    with Outbox(earlier / OUTBOX):
        found = own_folder(package, tmp_path)
    assert "locked" in found.left
    assert found.adopted == ""
    assert (earlier / OUTBOX).exists()


def test_what_a_killed_process_left_in_its_log_comes_too(package, tmp_path):
    """Killed with all of it in the write-ahead log: moved without it, the parcel were lost."""
    earlier = tmp_path / ".gates-live"
    put = (
        "import os, signal, sys; from pathlib import Path; "
        "from deepcity.store.outbox import Outbox; "
        "Outbox(Path(sys.argv[1])).put(sys.argv[2], 75, b'rows', {sys.argv[2]: 7}); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    call = [sys.executable, "-c", put, str(earlier / OUTBOX), str(package.space)]
    assert subprocess.run(call, env=environment(), check=False).returncode == -signal.SIGKILL
    assert (earlier / f"{OUTBOX}-wal").stat().st_size
    found = own_folder(package, tmp_path)
    with Outbox(found.path / OUTBOX) as outbox:
        assert outbox.waiting().rows == 75


def test_a_folder_that_cannot_be_moved_is_told(package, tmp_path, fill):
    earlier = fill(str(package.space))
    (tmp_path / ".gates-ridership-live").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match=r"cannot be moved to .* --state"):
        own_folder(package, tmp_path)
    assert (earlier / OUTBOX).exists()


def test_marks_of_an_older_model_do_not_keep_it_back(package, tmp_path, fill):
    fill(OTHER, confirm=True)
    fill(str(package.space))
    assert "75 rows wait" in own_folder(package, tmp_path).adopted
