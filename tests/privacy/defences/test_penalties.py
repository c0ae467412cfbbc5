"""Penalties in training: distance correlation, and a decoder that is misled."""

from copy import deepcopy

import pytest
import torch

from deepcity.privacy.defences.adversary import _AHEAD, _RATE, Adversary, reverse_gradient
from deepcity.privacy.defences.distance_correlation import distance_correlation, few_rows
from deepcity.privacy.defences.penalty import LeakagePenalty
from deepcity.privacy.defences.settings import Defences


def rows(count=200, width=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, width, generator=generator)


def test_distance_correlation_is_one_of_the_same_and_little_of_what_is_independent():
    one = rows()
    for factor in (0.5, 2.0, 20.0):  # of any scale: a share, 1 at most
        assert float(distance_correlation(one, factor * one + 1)) == pytest.approx(1, abs=1e-3)
    assert float(distance_correlation(one, rows(seed=1))) < 0.15
    bent = distance_correlation(one[:, :1], one[:, :1].square())  # uncorrelated, and dependent
    assert float(bent) > 0.2


@pytest.mark.parametrize("count", [1, 255, 256, 257, 700, 1000])
def test_few_rows_are_never_more_than_may_be_and_evenly_spread(count):
    found = few_rows(count, 256)
    assert 0 < len(found) <= 256
    assert len(set(found.diff().tolist())) <= 1
    assert len(found) == count or len(found) > 100


def test_distance_correlation_of_what_does_not_vary_is_nought_and_has_a_gradient():
    constant = torch.zeros(50, 2, requires_grad=True)
    found = distance_correlation(rows(50), constant)
    found.backward()
    assert abs(float(found.detach())) < 1e-3
    assert torch.isfinite(constant.grad).all()


def test_a_gradient_comes_back_turned_round():
    value = torch.tensor([2.0], requires_grad=True)
    found = reverse_gradient(value, 3.0)
    assert float(found.detach()) == 2.0
    found.sum().backward()
    assert float(value.grad) == -3.0


def test_an_adversary_learns_to_rebuild_what_it_is_shown():
    one, adversary = rows(), Adversary(3, 3, 0)
    losses = []
    for _ in range(200):
        loss = adversary.loss(one, one, 0.0)
        loss.backward()
        adversary.step()
        losses.append(float(loss.detach()))
    assert losses[0] > 2 * losses[-1]
    assert losses[-1] < 0.2


def test_a_decoder_of_a_seed_learns_before_the_encoder_moves():
    one, same, other = (Adversary(3, 2, seed).decoder for seed in (0, 0, 1))
    weights = one[0].weight.detach().clone()
    assert torch.equal(weights, same[0].weight)
    assert not torch.equal(weights, other[0].weight)
    adversary = Adversary(3, 2, 0)
    adversary.loss(rows(), rows(width=2), 1.0)  # and no step of the encoder yet
    assert not torch.equal(adversary.decoder[0].weight, weights)


class ByHand:
    """The same decoder, whose steps are taken here one by one."""

    def __init__(self, adversary):
        self.decoder = deepcopy(adversary.decoder)
        self.optimizer = torch.optim.AdamW(self.decoder.parameters(), lr=_RATE, weight_decay=0.0)

    def error(self, one, shown):
        share = one.var(dim=0, correction=0).mean()
        return (self.decoder(shown) - one).square().mean() / share

    def step(self, one, shown):
        self.optimizer.zero_grad()
        self.error(one, shown).backward()
        self.optimizer.step()

    def same_as(self, adversary):
        pairs = zip(self.decoder.parameters(), adversary.decoder.parameters(), strict=True)
        return all(torch.allclose(*pair, rtol=1e-4, atol=1e-6) for pair in pairs)


def test_decoder_and_encoder_get_each_their_own_gradient_and_no_other():
    """Through the penalty as training calls it, twice: nothing is left over from before."""
    weight, one = 3.0, rows()
    penalty = LeakagePenalty(Defences(adversary=weight), 3, 2, 0)
    by_hand = ByHand(penalty._adversary)
    for seed in (1, 2):
        shown = rows(width=2, seed=seed).requires_grad_()
        for _ in range(_AHEAD):
            by_hand.step(one, shown.detach())
        loss = penalty.loss(one, shown)
        assert shown.grad is None  # the decoder's own steps do not move the encoder
        assert by_hand.same_as(penalty._adversary)
        error = by_hand.error(one, shown)
        [slope] = torch.autograd.grad(error, shown)
        assert float(loss.detach()) == pytest.approx(float(error.detach()), rel=1e-5)
        loss.backward()
        assert float(slope.norm()) > 0
        torch.testing.assert_close(shown.grad, -weight * slope)
        penalty.step()
        by_hand.step(one, shown.detach())
        assert by_hand.same_as(penalty._adversary)
        assert all(one.grad is None for one in penalty._adversary.parameters())


def test_rows_that_do_not_vary_cost_a_finite_error():
    still, adversary = torch.ones(20, 3), Adversary(3, 2, 0)
    shown = rows(20, width=2).requires_grad_()
    loss = adversary.loss(still, shown, 1.0)
    loss.backward()
    assert torch.isfinite(loss.detach())
    assert torch.isfinite(shown.grad).all()
    with torch.no_grad():
        error = (adversary.decoder(shown) - still).square().mean()
    assert float(loss.detach()) == pytest.approx(float(error) / 1e-6, rel=1e-4)


def test_both_penalties_are_added_each_by_its_weight():
    one, shown = rows(), rows(width=2, seed=1)
    both = LeakagePenalty(Defences(adversary=2.0, distance_correlation=0.5), 3, 2, 0)
    alone = LeakagePenalty(Defences(adversary=2.0), 3, 2, 0)
    far = distance_correlation(one, shown)
    found = float((both.loss(one, shown) - alone.loss(one, shown)).detach())
    assert found == pytest.approx(0.5 * float(far), abs=1e-5)


def test_without_penalties_nothing_is_added():
    found = LeakagePenalty(Defences(), 3, 2, 0).loss(rows(), rows(width=2))
    assert float(found) == 0.0
    assert not found.requires_grad


def kept_and_leaked(defences):
    """A small encoder of six inputs learns the first: its error, and R² of all by least squares."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.Tanh())
        head = torch.nn.Linear(4, 1)
    penalty = LeakagePenalty(defences, 6, 4, 0)
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=1e-2)
    one, first = rows(width=6), rows(width=6)[:, :1]
    for _ in range(400):
        activations = encoder(one)
        error = (head(activations) - first).square().mean()
        optimizer.zero_grad()
        (4 * error + penalty.loss(one, activations)).backward()
        optimizer.step()
        penalty.step()
    seen = torch.cat([activations.detach(), torch.ones(len(one), 1)], dim=1)
    rebuilt = seen @ torch.linalg.lstsq(seen, one).solution
    return float(error.detach()), float(1 - (rebuilt - one).square().sum() / one.square().sum())


def test_distance_correlation_lowers_what_is_rebuilt_and_what_is_to_be_learned_stays():
    error, leaked = kept_and_leaked(Defences())
    assert error < 0.05
    assert leaked > 0.5
    error, fewer = kept_and_leaked(Defences(distance_correlation=1.0))
    assert error < 0.05
    assert fewer < leaked - 0.2


def test_an_adversary_lowers_it_by_little():
    """Without noise, what an encoder hides by shrinking is rebuilt by scaling."""
    _, leaked = kept_and_leaked(Defences())
    error, fewer = kept_and_leaked(Defences(adversary=2.0))
    assert error < 0.2
    assert fewer < leaked - 0.03
