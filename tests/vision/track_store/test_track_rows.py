"""Columns of tracks: embeddings as whole numbers, and what no track has is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from seen_tracks import WIDTH, person, seen

from deepcity.vision.track_store.track_rows import TrackRows, codes_of, joined
from deepcity.vision.track_words import TrackWords


def rows_of(*cameras: str) -> TrackRows:
    return TrackRows.of([seen(row, camera=one) for row, one in enumerate(cameras)], WIDTH)


@given(arrays(np.float64, (3, 16), elements=st.floats(-1, 1).map(lambda x: x if x else 0.5)))
def test_whole_numbers_change_a_cosine_in_the_third_decimal_at_most(row_RE):
    row_RE /= np.linalg.norm(row_RE, axis=1, keepdims=True)
    code_RE, scale_R = codes_of(row_RE)
    kept_RE = code_RE * scale_R[:, None]
    assert np.linalg.norm(kept_RE, axis=1) == pytest.approx(1, abs=1e-5)
    assert (kept_RE * row_RE).sum(axis=1) == pytest.approx(1, abs=5e-3)
    assert kept_RE @ row_RE.T == pytest.approx(row_RE @ row_RE.T, abs=0.05)


@pytest.mark.parametrize(
    ("embedding_E", "reason"),
    [
        (np.ones(3) / np.sqrt(3), "track 1 of camera gate: an embedding of 3 numbers"),
        (np.zeros(0), "an embedding of 0 numbers"),
        (np.ones(WIDTH), "of length 2; divide it by its length"),
        (np.zeros(WIDTH), "of length 0"),
    ],
)
def test_an_embedding_of_another_width_or_length_is_refused(embedding_E, reason):
    with pytest.raises(ValueError, match=reason):
        TrackRows.of([seen(), seen(embedding_E=embedding_E)], WIDTH)


def test_an_embedding_that_is_no_number_is_refused_before_it_is_a_track():
    with pytest.raises(ValueError, match="finite"):
        seen(embedding_E=np.array([np.nan, 0, 0, 1]))


def test_parts_are_joined_under_the_ids_of_all_cameras():
    whole = joined([rows_of("square", "bridge"), rows_of("gate", "square")])
    assert whole.cameras == ("bridge", "gate", "square")
    assert [whole.cameras[one] for one in whole.camera_R] == ["square", "bridge", "gate", "square"]
    assert len(whole) == 4
    assert whole.code_RE[2] @ person(0) * whole.scale_R[2] == pytest.approx(1, abs=1e-2)


def test_of_some_rows_no_other_camera_is_known():
    some = rows_of("square", "bridge", "gate").taken(np.array([2, 0]))
    assert some.cameras == ("gate", "square")
    assert list(some.camera_R) == [0, 1]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"cameras": ("b", "a")}, "not sorted"),
        ({"cameras": ("a",)}, "numbers of cameras beyond 1"),
        ({"last_s_R": np.array([np.nan, 1.0])}, "times that are not finite"),
        ({"last_s_R": np.array([0.0, 1e12])}, "end before they begin"),
        ({"scale_R": np.array([1, np.nan], np.float32)}, "factors"),
        ({"first_s_R": np.zeros(3)}, "for 2 tracks"),
    ],
)
def test_columns_that_no_tracks_have_are_refused(wrong, reason):
    with pytest.raises(ValueError, match=reason):
        replace(rows_of("a", "b"), **wrong)


@pytest.mark.parametrize(
    ("colour", "share", "reason"), [(11, 0.5, "colours that are none"), (3, 1.5, "shares outside")]
)
def test_words_that_no_witness_says_are_refused(colour, share, reason):
    words = TrackWords(
        np.zeros(1, np.float32), np.full((1, 2), colour, np.uint8), np.full((1, 2), share)
    )
    with pytest.raises(ValueError, match=reason):
        replace(rows_of("a"), words=words)
