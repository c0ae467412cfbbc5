"""A file of tracks comes back as it was written, or is refused by name."""

import base64
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seen_tracks import NETWORK, NOW_S, WIDTH, seen

from deepcity.city.errors import StorageKeyError, StoreError
from deepcity.store.at_rest.storage_key import STORAGE_KEY_VARIABLE
from deepcity.store.blob import seal, unseal
from deepcity.vision.track_store.segment_file import read_segment, write_segment
from deepcity.vision.track_store.track_rows import TrackRows

NAME = f"{int(NOW_S)}-0-0.tracks"
ROWS = TrackRows.of(
    [
        seen(1, NOW_S, camera="남문", height_m=1.25, wears=("red", "black")),
        seen(2, NOW_S + 599, camera="gate"),
    ],
    WIDTH,
)


@pytest.fixture
def path(tmp_path):
    write_segment(tmp_path / NAME, ROWS, NETWORK)
    return tmp_path / NAME


def refused(path):
    with pytest.raises(
        StoreError, match=f"{path.name} holds no tracks that can be believed"
    ) as one:
        read_segment(path, NETWORK, WIDTH)
    return str(one.value)


def test_tracks_come_back_as_they_were(path):
    found = read_segment(path, NETWORK, WIDTH)
    assert found.cameras == ROWS.cameras
    for name in ("camera_R", "first_s_R", "last_s_R", "code_RE", "scale_R"):
        np.testing.assert_array_equal(getattr(found, name), getattr(ROWS, name))
    for name, column in vars(ROWS.words).items():
        np.testing.assert_array_equal(getattr(found.words, name), column)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("encrypted", [False, True])
def test_every_cut_and_every_changed_byte_is_refused_by_name(tmp_path, monkeypatch, encrypted):
    if encrypted:
        monkeypatch.setenv("CITY_KEY", base64.b64encode(bytes(32)).decode())
        monkeypatch.setenv(STORAGE_KEY_VARIABLE, "env:CITY_KEY")
    path = tmp_path / NAME
    write_segment(path, ROWS, NETWORK)
    whole = path.read_bytes()
    assert ("남문".encode() in whole) != encrypted
    read_segment(path, NETWORK, WIDTH)
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at])
        refused(path)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises((StoreError, StorageKeyError), match=path.name):  # in the key's name
            read_segment(path, NETWORK, WIDTH)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / NAME
    path.write_bytes(data)
    refused(path)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda columns, header: header.update(network="other"), "by 'other'"),
        (lambda columns, header: header.update(format=2), "format 1"),
        (lambda columns, header: header.update(cameras=[1, 2]), "no list of ids"),
        (lambda columns, header: header.update(cameras="ab"), "no list of ids"),
        (lambda columns, header: header.pop("cameras"), "format"),
        (lambda columns, header: columns.pop("code"), "columns"),
        (lambda columns, header: columns.update(code=columns["code"][:, :3]), "numbers"),
        (lambda columns, header: columns.update(code=columns["code"][0]), "embeddings of shape"),
        (lambda columns, header: columns.update(camera=columns["camera"] + 7), "cameras beyond"),
        (lambda columns, header: columns.update(last_s=columns["last_s"] + 600), "other times"),
    ],
)
def test_what_was_edited_and_sealed_again_is_refused(path, edit, reason):
    arrays, header = unseal(path.read_bytes())
    edit(arrays["tracks"], header)
    path.write_bytes(seal(arrays, header))
    assert reason in refused(path)


def test_a_file_that_was_renamed_to_live_longer_is_refused(path):
    later = path.with_name(f"{int(NOW_S) + 600}-0-0.tracks")
    path.rename(later)
    assert "other times than its name says" in refused(later)


def test_without_its_key_a_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("CITY_KEY", base64.b64encode(bytes(32)).decode())
    monkeypatch.setenv(STORAGE_KEY_VARIABLE, "env:CITY_KEY")
    write_segment(tmp_path / NAME, ROWS, NETWORK)
    monkeypatch.delenv(STORAGE_KEY_VARIABLE)
    with pytest.raises(StorageKeyError, match=NAME):
        read_segment(tmp_path / NAME, NETWORK, WIDTH)
    monkeypatch.setenv(STORAGE_KEY_VARIABLE, "env:NOT_THERE")
    with pytest.raises(StorageKeyError, match="is not written"):
        write_segment(tmp_path / "600-0-0.tracks", ROWS, NETWORK)
    assert [one.name for one in tmp_path.iterdir()] == [NAME]
