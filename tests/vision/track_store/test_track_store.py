"""Tracks are kept for their hours and gone after them, whoever is killed."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from seen_tracks import NETWORK, NOW_S, WIDTH, seen, store

from deepcity.city.errors import StoreError
from deepcity.vision.track_store import segment_folder
from deepcity.vision.track_store.segment_folder import SegmentFolder
from deepcity.vision.track_store.segment_name import SegmentName
from deepcity.vision.track_store.track_store import MOST_FILES, TrackStore

HOUR_S = 3600
WRITER = """
import sys
from pathlib import Path
from seen_tracks import seen, store
number = int(sys.argv[2])
while True:
    store(Path(sys.argv[1])).append([seen(number, camera=f"c{number}")])
    print(number, flush=True)
    number += 1
"""


def cameras(of: TrackStore) -> list[str]:
    """Of all tracks that are kept, one for each track."""
    parts = [of.read(name) for name in of.segments()]
    return sorted(part.cameras[one] for part in parts for one in part.camera_R)


def files(folder) -> list[str]:
    return sorted(
        path.name for path in folder.rglob("*") if path.is_file() and path.name != ".lock"
    )


def test_added_tracks_are_there_and_those_of_other_minutes_in_another_file(tmp_path):
    kept = store(tmp_path)
    late_s = NOW_S + 700
    assert kept.append([seen(camera="a"), seen(camera="b", last_s=late_s), seen(camera="c")]) == 3
    assert cameras(kept) == ["a", "b", "c"]
    assert files(tmp_path) == [f"{int(NOW_S)}-0-0.tracks", f"{int(NOW_S) + 600}-0-0.tracks"]
    assert kept.append([]) == 0


def test_no_track_is_kept_longer_than_its_hours_nor_ten_minutes_less(tmp_path):
    store(tmp_path, 2).append(
        [seen(camera="a", last_s=NOW_S), seen(camera="b", last_s=NOW_S + 599)]
    )
    before = store(tmp_path, 2, NOW_S + 2 * HOUR_S - 1)
    assert before.delete_ended() == 0
    assert cameras(before) == ["a", "b"]
    after = store(tmp_path, 2, NOW_S + 2 * HOUR_S)
    assert after.segments() == []  # also where nobody has deleted yet
    assert after.delete_ended() == 1
    assert files(tmp_path) == []


def test_adding_deletes_and_takes_nothing_that_is_over(tmp_path):
    store(tmp_path, 1).append([seen(camera="old")])
    later = store(tmp_path, 1, NOW_S + HOUR_S)
    assert later.append([seen(camera="late"), seen(camera="new", last_s=NOW_S + HOUR_S)]) == 1
    assert files(tmp_path) == [f"{int(NOW_S) + HOUR_S}-0-0.tracks"]


def test_what_is_over_goes_whatever_state_it_is_in(tmp_path):
    of_other = TrackStore(tmp_path, "former", 7, 1, lambda: NOW_S)
    of_other.append([seen(embedding_E=np.eye(7)[0])])
    own = tmp_path / NETWORK
    own.mkdir()
    (own / f"{int(NOW_S)}-0-3.tracks").write_bytes(b"damaged")
    (own / f".{int(NOW_S)}-4-4.tracks.part").write_bytes(b"half writ")
    (own / f"{int(NOW_S) + 600}-0-0.tracks").write_bytes(b"still granted")
    assert store(tmp_path, 1, NOW_S + HOUR_S).delete_ended() == 3
    assert files(tmp_path) == [f"{int(NOW_S) + 600}-0-0.tracks"]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 5 * HOUR_S), max_size=12), st.integers(1, 3))
def test_of_any_tracks_those_within_the_hours_are_kept_and_no_other(tmp_path_factory, ages, hours):
    folder, now_s = tmp_path_factory.mktemp("any"), NOW_S + 6 * HOUR_S
    tracks = [seen(last_s=now_s - age, camera=f"c{age:05}") for age in ages]
    store(folder, 24, now_s).append(tracks)
    kept = store(folder, hours, now_s)
    kept.delete_ended()
    found = cameras(kept)
    assert all(int(one[1:]) <= hours * HOUR_S for one in found)
    assert {f"c{age:05}" for age in ages if age <= hours * HOUR_S - 600} <= set(found)
    assert set(files(folder)) == {str(name) for name in kept.segments()}


def test_many_small_files_are_merged_and_nothing_is_lost_or_doubled(tmp_path):
    kept = store(tmp_path)
    for number in range(MOST_FILES + 2):
        kept.append([seen(number, camera=f"c{number:02}")])
        assert len(files(tmp_path)) < MOST_FILES
    assert cameras(kept) == [f"c{number:02}" for number in range(MOST_FILES + 2)]
    start_s = int(NOW_S)
    assert files(tmp_path) == [
        f"{start_s}-0-{MOST_FILES - 1}.tracks", f"{start_s}-{MOST_FILES}-{MOST_FILES}.tracks",
        f"{start_s}-{MOST_FILES + 1}-{MOST_FILES + 1}.tracks",
    ]  # fmt: skip


def test_what_a_writer_killed_while_merging_left_counts_once_and_is_tidied(tmp_path):
    kept, own = store(tmp_path), tmp_path / NETWORK
    for number in range(MOST_FILES - 1):
        kept.append([seen(number, camera=f"c{number}")])
    before = {path.name: path.read_bytes() for path in own.glob("*.tracks")}
    kept.append([seen(camera="last")])
    for name, data in before.items():  # as if killed before they were deleted
        (own / name).write_bytes(data)
    (own / f".{int(NOW_S)}-99-99.tracks.part").write_bytes(b"half")
    assert len(cameras(kept)) == MOST_FILES
    kept.append([seen(camera="next")])
    assert len(cameras(kept)) == MOST_FILES + 1
    assert len(files(tmp_path)) == 2


def test_a_damaged_file_does_not_stop_cameras_from_adding(tmp_path, caplog):
    kept = store(tmp_path)
    kept.append([seen()])
    (tmp_path / NETWORK / f"{int(NOW_S)}-0-0.tracks").write_bytes(b"damaged")
    for number in range(MOST_FILES):
        assert kept.append([seen(number)]) == 1
    assert "not merged" in caplog.text
    with pytest.raises(StoreError, match=r"0-0\.tracks holds no tracks that can be believed"):
        cameras(kept)


def test_writers_that_are_killed_leave_whole_files_with_all_that_they_confirmed(tmp_path):
    """kill -9 at any moment, also while files are merged."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for first, wait_s in ((0, 0.0), (1000, 0.013), (2000, 0.031)):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(first)],
            stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        for _ in range(MOST_FILES):
            writer.stdout.readline()
        time.sleep(wait_s)
        writer.send_signal(signal.SIGKILL)
        rest = map(int, writer.stdout.read().split())
        writer.wait()
        writer.stdout.close()
        confirmed = range(first, max([first + MOST_FILES - 1, *rest]) + 1)
        found = [int(one[1:]) for one in cameras(store(tmp_path))]
        assert len(found) == len(set(found))
        own = {one for one in found if one >= first}
        assert set(confirmed) <= own <= {*confirmed, confirmed.stop}
    store(tmp_path).append([seen()])
    assert not [name for name in files(tmp_path) if name.endswith(".part")]


def test_a_listing_that_misses_a_merge_is_made_again(tmp_path, monkeypatch):
    small, whole = [SegmentName(600, 0, 0), SegmentName(600, 1, 1)], [SegmentName(600, 0, 1)]
    seen_in_turn = iter([small, small[1:], [], whole, whole])
    monkeypatch.setattr(SegmentFolder, "_listed", lambda self: next(seen_in_turn))
    assert SegmentFolder(tmp_path).names() == whole


def test_a_camera_whose_clock_is_ahead_is_named_and_nothing_is_added(tmp_path):
    kept = store(tmp_path, now_s=NOW_S)
    with pytest.raises(ValueError, match=r"camera fast ends 3600 s from now; set the camera's"):
        kept.append([seen(), seen(camera="fast", last_s=NOW_S + HOUR_S)])
    assert files(tmp_path) == []


def test_a_file_that_would_never_be_deleted_is_refused(tmp_path):
    kept = store(tmp_path)
    kept.append([seen()])
    copy = tmp_path / NETWORK / f"{int(NOW_S)}-0-0 (copy).tracks"
    copy.write_bytes(b"")
    for refused in (kept.segments, lambda: kept.append([seen()])):
        with pytest.raises(StoreError, match=r"\(copy\).tracks is not named as this store"):
            refused()


def test_a_writer_that_hangs_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(segment_folder, "PATIENCE_S", 0.05)
    kept = store(tmp_path)
    kept.append([seen()])
    with FileLock(tmp_path / NETWORK / ".lock"), pytest.raises(StoreError, match="hangs"):
        kept.append([seen()])


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "tracks").write_text("")
    with pytest.raises(StoreError, match="tracks"):
        store(tmp_path / "tracks").append([seen()])


@pytest.mark.parametrize(
    ("network", "width", "hours", "reason"),
    [
        ("../up", WIDTH, 1, "use letters"),
        ("", WIDTH, 1, "name the network"),
        (NETWORK, 0, 1, "or neither"),
        (NETWORK, WIDTH, 0, "1 to 168"),
        (NETWORK, WIDTH, 169, "1 to 168"),
    ],
)
def test_a_store_that_is_none_is_refused(tmp_path, network, width, hours, reason):
    with pytest.raises(ValueError, match=reason):
        TrackStore(tmp_path, network, width, hours)
