"""Columns that add up to a count are counts of the same things; others are not."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.data.draft.parts import parts_of

ROWS = 200


def columns(seed, count):
    dice = np.random.default_rng(seed)
    return {f"part {n}": dice.poisson(5.0 * (n + 1), ROWS).astype(float) for n in range(count)}


@given(seed=st.integers(0, 1000), count=st.integers(2, 5))
@settings(max_examples=20, deadline=None)
def test_parts_are_found_by_their_sum(seed, count):
    values = columns(seed, count)
    total = sum(values.values())
    assert parts_of(["all"], list(values), values | {"all": total}) == {"all": tuple(values)}


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_two_parts_are_found_beside_others(seed):
    values = columns(seed, 4)
    values["all"] = values["part 1"] + values["part 3"]
    assert parts_of(["all"], [*list(values)[:4]], values) == {"all": ("part 1", "part 3")}


def test_a_copy_beside_zeros_is_no_sum():
    values = columns(0, 1)
    values |= {"empty": np.zeros(ROWS), "all": values["part 0"]}
    assert parts_of(["all"], ["part 0", "empty"], values) == {}


def test_what_adds_up_now_and_then_only_is_no_part():
    values = columns(0, 2)
    total = values["part 0"] + values["part 1"]
    total[::20] += 1
    assert parts_of(["all"], list(values), values | {"all": total}) == {}


def test_fractions_and_negative_numbers_are_no_counts():
    values = {"a": np.full(ROWS, 1.5), "b": np.full(ROWS, -0.5), "c": np.full(ROWS, -1.0)}
    values["d"] = np.full(ROWS, 2.0)
    assert parts_of(["all"], list(values), values | {"all": np.ones(ROWS)}) == {}
