"""A file's name says when it must go and what it replaces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.vision.track_store.segment_name import (
    SEGMENT_S,
    SegmentName,
    of_any_file,
    parsed,
    start_of,
    unreplaced,
)


@given(st.integers(0, 10**11), st.integers(0, 10**6), st.integers(0, 1000))
def test_a_name_is_read_as_it_was_written(start_s, first, more):
    name = SegmentName(start_s, first, first + more)
    assert parsed(str(name)) == name
    assert of_any_file(f".{name}.part") == name


@given(st.text(max_size=30))
def test_any_other_name_is_none(text):
    found = parsed(text)
    assert found is None or str(found) == text


@pytest.mark.parametrize(
    "name", ["0600-1-1.tracks", "600-2-1.tracks", "600-1.tracks", "٦00-1-1.tracks"]
)
def test_a_second_way_to_write_a_name_is_none(name):
    assert parsed(name) is None


@given(st.floats(0, 1e10))
def test_every_second_is_in_one_segment(last_s):
    start_s = start_of(last_s)
    assert start_s <= last_s < start_s + SEGMENT_S
    assert start_s % SEGMENT_S == 0


def test_what_another_replaces_does_not_count():
    names = [(600, 0, 4), (600, 0, 15), (600, 3, 3), (600, 16, 16), (1200, 3, 3)]
    kept = unreplaced(SegmentName(*one) for one in names)
    assert [vars(one) for one in kept] == [
        vars(SegmentName(*one)) for one in ((600, 0, 15), (600, 16, 16), (1200, 3, 3))
    ]
