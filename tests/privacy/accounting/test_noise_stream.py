"""Noise repeats for one context and one key, and for no other."""

import numpy as np
import pytest

from deepcity.privacy.accounting.noise_stream import KEY_BYTES, NoiseKey

KEY = NoiseKey(bytes(range(KEY_BYTES)))


def test_the_same_context_has_the_same_numbers():
    np.testing.assert_array_equal(KEY.stream(b"one").normal(99), KEY.stream(b"one").normal(99))


@pytest.mark.parametrize("other", [KEY.stream(b"two"), NoiseKey(bytes(KEY_BYTES)).stream(b"one")])
def test_another_context_or_key_has_unrelated_numbers(other):
    both = np.corrcoef(KEY.stream(b"one").normal(20_000), other.normal(20_000))
    assert abs(both[0, 1]) < 0.03


def test_draws_go_on_and_never_repeat():
    stream = KEY.stream(b"one")
    first, second = stream.uniform(1000), stream.uniform(1000)
    assert not np.intersect1d(first, second).size
    np.testing.assert_array_equal(KEY.stream(b"one").uniform(2000), np.concatenate([first, second]))


def test_values_are_normal():
    values = KEY.stream(b"many").normal(200_001)
    assert len(values) == 200_001
    assert abs(values.mean()) < 0.01
    assert values.std() == pytest.approx(1.0, abs=0.01)
    assert (np.abs(values) < 1.96).mean() == pytest.approx(0.95, abs=0.003)
    assert np.isfinite(values).all()


def test_a_key_does_not_show_itself():
    assert "0" not in repr(KEY)
