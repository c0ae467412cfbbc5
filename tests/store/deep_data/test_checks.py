"""What is wrong with a batch is said all at once, so that the sender can mend it."""

from dataclasses import replace

import numpy as np
import pytest

from deepcity.city.errors import DeepDataError
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.deep_data.checks import check_batch

SPACE = Space("seoul", "transport", "metro", "h3", "v1")
NOW = 1_714_521_600


def batch(times=(1, 2), cells=("a", "b"), vectors=((1, 2), (3, 4))):
    return DeepData(
        SPACE, np.array(times, np.int64), np.array(cells, np.str_), np.array(vectors, np.float32)
    )


def problems(of, now=NOW, cells=None):
    with pytest.raises(DeepDataError) as caught:
        check_batch(of, now, cells)
    return [
        f"{problem.key}: {problem.reason}. {problem.right}" for problem in caught.value.problems
    ]


@pytest.mark.parametrize(
    "good",
    [
        batch(),
        batch(times=(0, NOW + 300)),
        batch(times=(5, 5), cells=("a", "a"), vectors=((1, 2), (1, 2))),  # sent twice
        batch(times=(), cells=(), vectors=np.empty((0, 2))),
        batch(cells=("물 1", "871f8d7a4ffffff")),
        batch(vectors=np.zeros((2, 64))),
    ],
)
def test_good_batch_passes(good):
    check_batch(good, NOW, ["a", "b", "물 1", "871f8d7a4ffffff"])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (batch(times=(2, 1)), "row 1: earlier than the row before"),
        (batch(times=(1, NOW + 301)), "row 1: in the future"),
        (batch(times=(1, NOW * 1000)), "give seconds, not milliseconds"),
        (batch(times=(-1, 1)), "row 0: before 1970"),
        (batch(cells=("a", "")), "empty, too long, or with characters that cannot be printed"),
        (batch(cells=("a", "b\n")), "characters that cannot be printed"),
        (batch(cells=("a", "b" * 201)), "too long"),
        (batch(vectors=((1, np.nan), (3, 4))), "row 0: not finite"),
        (batch(vectors=((1, 2), (-np.inf, 4))), "row 1: not finite"),
        (batch(vectors=((1,), (3,))), "2 to 64 numbers"),
        (batch(vectors=np.zeros((2, 65))), "2 to 64 numbers"),
        (batch(times=(5, 5), cells=("a", "a")), "row 1: another vector for a cell and time"),
        (batch(times=(1, 2, 3)), "their numbers differ: time_R 3, cell_R 2, vectors_RW 2"),
        (batch(vectors=(1, 2)), "it is float32 with 1 axes"),
    ],
)
def test_bad_batch_is_reported_its_one_problem(bad, message):
    found = problems(bad)
    assert len(found) == 1
    assert message in found[0]


def test_other_sorts_of_numbers_are_refused_together():
    bad = DeepData(SPACE, np.array([1.0]), np.array([7]), np.array([[1.0, 2.0]]))
    assert [problem.split(":")[0] for problem in problems(bad)] == [
        "time_R",
        "cell_R",
        "vectors_RW",
    ]


def test_every_problem_is_reported_at_once():
    bad = batch(
        times=(9, -1, NOW + 999, NOW + 999),
        cells=("a", "", "z", "z"),
        vectors=((1, np.inf), (3, 4), (5, 6), (7, 8)),
    )
    found = problems(bad, cells=["a", "b"])
    assert len(found) == 7
    assert sum("known cells" in problem for problem in found) == 1


def test_many_bad_rows_are_counted_and_not_listed():
    bad = batch(times=range(100), cells=["a"] * 100, vectors=np.full((100, 2), np.nan))
    assert problems(bad) == [
        "vectors_RW: rows 0, 1, 2, 3, 4 and 95 more: not finite. "
        "leave a cell out while its inputs are missing"
    ]


def test_what_is_taken_back_tells_nothing():
    known_R = np.array([True, False])
    check_batch(replace(batch(vectors=((1, 2), (0, 0))), known_R=known_R), NOW)
    assert problems(replace(batch(), known_R=known_R)) == [
        "known_R: row 1: withdrawn, but the vector is not all zeros. send zeros for withdrawn rows"
    ]
    twice = batch(times=(5, 5), cells=("a", "a"), vectors=((0, 0), (0, 0)))
    (message,) = problems(replace(twice, known_R=known_R))
    assert "another vector for a cell and time" in message
    (message,) = problems(replace(batch(), known_R=np.array([1, 0])))
    assert "known_R: it is int64" in message


def test_names_of_a_space_are_reported_at_once():
    with pytest.raises(DeepDataError) as caught:
        Space("", "transport", "metro/north", "h3", "v@1")
    assert [problem.key for problem in caught.value.problems] == ["city", "agency", "version"]
