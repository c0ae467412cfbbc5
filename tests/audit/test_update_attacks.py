"""One row is read out of an update exactly; many rows are not, and a blind update tells nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from deepcity.audit.effort import FAST
from deepcity.audit.gradients.audit_updates import (
    UpdateVictim,
    audit_ridge_part,
    audit_updates,
)
from deepcity.audit.gradients.invert import analytic, match
from deepcity.audit.gradients.updates import Batch, entering, gradients, residual
from deepcity.audit.results import GradientAttack
from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.network import Shape, new_network

QUICK = replace(FAST, updates=2, matching_steps=3)
FEATURES, HORIZON, LINEAR = 7, 3, 2


def samples(origins=60, *, seed):
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return rng.normal(size=(origins, 2, *shape)).astype(np.float32)

    return Samples(
        normal(FEATURES),
        normal(HORIZON, LINEAR),
        np.zeros((origins, 2, HORIZON), np.float32),
        normal(HORIZON),
        np.ones((2, 1), np.float32),
        recent=4,
    )


@pytest.fixture
def victim():
    network = new_network(Shape(FEATURES, HORIZON, LINEAR, recent=4), 0)
    with torch.no_grad():
        torch.manual_seed(1)
        for one in (network.head.out, *(getattr(network, f"h{k}").outer for k in range(1, 6))):
            one.weight.normal_(std=0.3)  # as if trained: layers at zero send no error down
    network.eval()
    return UpdateVictim(network, samples(seed=1), samples(seed=2), 0.5)


@pytest.mark.parametrize("lowest", ["stem", "h3"])
def test_a_single_row_is_read_exactly_and_sixteen_are_not(victim, lowest):
    found = audit_updates(victim, lowest, QUICK, 0)
    by = {(leak.attack, leak.batch): leak.r2 for leak in found}
    assert by[GradientAttack.ANALYTIC, 1] > 0.999
    assert by[GradientAttack.ANALYTIC, 16] < 0.5


def test_an_update_without_its_error_tells_nothing(victim):
    """Noise in place of gradients: the same formula gives no row."""
    rows = Batch.of(victim.attacked, 1, 0)
    entered, rest = entering(victim.network, rows, "stem"), residual(victim.network, rows)
    true = gradients(victim.network, entered, rest, "stem", 0.5)
    torch.manual_seed(0)
    blind = {name: torch.randn_like(one) for name, one in true.items()}
    assert float((analytic(true, "stem") - entered[0]).abs().max()) < 1e-4
    assert float((analytic(blind, "stem") - entered[0]).abs().max()) > 0.1


def test_matching_comes_nearer_with_more_steps(victim):
    """From near the row, its gradients lead on to it."""
    rows = Batch.of(victim.attacked, 1, 3)
    entered, rest = entering(victim.network, rows, "stem"), residual(victim.network, rows)
    found = gradients(victim.network, entered, rest, "stem", 0.5)
    start = entered + 0.2
    nearer = match(victim.network, found, start, HORIZON, "stem", 0.5, 150)
    assert float((nearer - entered).norm()) < 0.7 * float((start - entered).norm())


def test_the_ridge_part_is_a_case_of_its_own(victim):
    found = audit_ridge_part(victim, QUICK, 0)
    assert [leak.batch for leak in found] == [1, 4, 16]
    assert {leak.lowest for leak in found} == {"ridge"}
    assert max(leak.r2 for leak in found) < 0.5  # targets that have nothing to do with features
