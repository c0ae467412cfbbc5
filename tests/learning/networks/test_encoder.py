import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.learning.networks.encoder import Encoder, EncoderShape, new_encoder


@pytest.mark.parametrize("level", range(1, 6))
def test_layers_and_widths_are_those_of_its_shape(level):
    encoder = new_encoder(EncoderShape(inputs=9, level=level, width=3, pretext_outputs=2), 0)
    expected = ["stem", *(f"h{number}" for number in range(1, level + 1)), "bottleneck"]
    assert list(encoder.layers) == expected
    assert encoder(torch.randn(7, 9)).shape == (7, 3)
    assert encoder.pretext_head(encoder(torch.randn(7, 9))).shape == (7, 2)


@pytest.mark.parametrize(
    ("inputs", "level", "width"), [(9, 0, 3), (9, 6, 3), (9, -1, 3), (0, 3, 3), (9, 3, 0)]
)
def test_a_shape_that_is_none_is_refused(inputs, level, width):
    with pytest.raises(ValueError, match=r"1\.\.5"):
        Encoder(EncoderShape(inputs, level, width))


def test_an_encoder_may_foretell_nothing():
    assert new_encoder(EncoderShape(9, 3, 2), 0)(torch.zeros(1, 9)).shape == (1, 2)


@settings(max_examples=20)
@given(inputs=st.integers(1, 60), width=st.integers(1, 16), seed=st.integers(0, 1000))
def test_hidden_layers_follow_from_the_seed_alone(inputs, width, seed):
    one, other = (
        new_encoder(EncoderShape(9, 4, 3), seed),
        new_encoder(EncoderShape(inputs, 5, width, 2), seed),
    )
    for name in ("h1", "h2", "h3", "h4"):
        pairs = zip(
            one.get_submodule(name).parameters(), other.get_submodule(name).parameters(),
            strict=True,
        )  # fmt: skip
        assert all(torch.equal(left, right) for left, right in pairs), name
    elsewhere = new_encoder(EncoderShape(9, 4, 3), seed + 1)
    assert not torch.equal(one.h1.inner.weight, elsewhere.h1.inner.weight)


def test_equal_seeds_give_equal_encoders_and_leave_the_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, other = (new_encoder(EncoderShape(9, 2, 3, 4), 7).state_dict() for _ in range(2))
    assert torch.rand(1) == expected
    assert all(torch.equal(one[key], other[key]) for key in one)


@settings(max_examples=30)
@given(seed=st.integers(0, 50), scale=st.sampled_from([0.0, 1.0, 6.0, 1e4]))
def test_what_it_says_lies_between_minus_one_and_one(seed, scale):
    encoder = new_encoder(EncoderShape(9, 3, 4), seed).eval()
    with torch.no_grad():
        encoder.bottleneck[1].weight.mul_(20)
    rows = np.random.default_rng(seed).normal(0, 1, (50, 9)) * scale
    encoded = encoder(torch.from_numpy(rows.astype(np.float32)))
    assert encoded.abs().max() <= 1
